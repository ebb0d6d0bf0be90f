"""Numba's disk cache, keyed by the globals that a compiled function holds as well.

Numba freezes globals when it compiles, and looks for cached code by a function's bytecode and by what it closes over:
a constant that comes from the environment, a file or another module would be the one of an earlier run.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from gpuplay.lockstep.front.identity import names_in

PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
CACHES = ("numba.core.caching", "numba.cuda.core.caching")  # numba-cuda has one of its own


def install() -> None:
    """From now on, look for cached code by the values of globals, too."""
    for name in CACHES:
        try:
            kind = importlib.import_module(name).Cache
        except (ImportError, AttributeError):
            continue
        if not hasattr(kind, "without_globals"):
            kind.without_globals = kind._index_key  # noqa: SLF001 - where Numba makes its key
            kind._index_key = _key  # noqa: SLF001


def _key(cache: Any, signature: Any, codegen: Any) -> tuple[Any, ...]:
    return (*cache.without_globals(signature, codegen), digest(cache._py_func))  # noqa: SLF001


def digest(function: FunctionType) -> str:
    """A hash of the numbers, texts and arrays that a function, and those that it calls, read from their modules."""
    told = "\n".join(_held(function, set()))
    return hashlib.sha256(told.encode()).hexdigest()


def _held(function: FunctionType, seen: set[FunctionType]) -> Iterator[str]:
    seen.add(function)
    for name in sorted(names_in(function.__code__)):
        value = function.__globals__.get(name)
        if name in function.__globals__:
            yield from _told(name, value)
        called = getattr(value, "py_func", None)
        if isinstance(called, FunctionType) and called not in seen:
            yield from _held(called, seen)


def constants(folder: Path) -> str:
    """A hash of the numbers, texts and arrays that the modules loaded from a folder hold: a kernel's constants."""
    modules = sorted((name, vars(module)) for name, module in list(sys.modules.items()) if _lies_in(folder, module))
    told = (line for name, held in modules for line in _constants(name, held))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _constants(module: str, held: dict[str, Any]) -> Iterator[str]:
    for name in sorted(held):
        if not name.startswith("__"):
            yield from _told(f"{module}.{name}", held[name])


def _lies_in(folder: Path, module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and "site-packages" not in file and Path(file).is_relative_to(folder)


def _told(name: str, value: Any) -> Iterator[str]:
    """A constant in words that are the same in every process; nothing of what is none."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield f"{name} {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    elif _is_plain(value):
        yield f"{name} {type(value).__name__} {value!r}"


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, tuple) else isinstance(value, PLAIN)
