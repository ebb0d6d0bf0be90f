"""When two Python functions mean the same: builders make a GPU function anew for every problem."""

from __future__ import annotations

from collections.abc import Hashable
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)


class Same:
    """An object as a key: equal to itself alone, and kept alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def meaning(function: FunctionType, within: tuple[FunctionType, ...] = ()) -> Hashable:
    """A key that functions share whose code, used globals, defaults and closed-over values are the same.

    Numba freezes globals when it compiles: one that was set anew since makes another function. ``within`` are the
    functions that close over this one, so that one that closes over itself has a key as well.
    """
    defaults = tuple(map(_key, function.__defaults__ or ()))
    closure = tuple(_content(cell, (*within, function)) for cell in function.__closure__ or ())
    known = function.__globals__
    used = tuple((name, _key(known[name])) for name in sorted(names_in(function.__code__)) if name in known)
    return function.__code__, function.__code__.co_filename, Same(known), used, defaults, closure


def changed(before: Hashable, now: Hashable) -> tuple[str, str, str] | None:
    """A plain global of the same function that two keys of it differ in: its name, then what it was and is."""
    assert isinstance(before, tuple)
    assert isinstance(now, tuple)
    held, holds = dict(before[3]), dict(now[3])
    for name, is_now in holds.items():
        was = held.get(name, is_now)
        if was != is_now and isinstance(was, tuple) and isinstance(is_now, tuple):
            return name, str(was[-1]), str(is_now[-1])
    return None


def names_in(code: CodeType) -> set[str]:
    """Names that code refers to, in functions inside it too."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(names_in, inner))


def _content(cell: CellType, within: tuple[FunctionType, ...]) -> Hashable:
    """A key for what is closed over: a device function that a builder makes anew is the one it made before."""
    try:
        value = cell.cell_contents
    except ValueError:  # not filled yet
        return Same(cell)
    device = getattr(value, "py_func", None)
    if isinstance(device, FunctionType) and device not in within and hasattr(value, "targetoptions"):
        return type(value), meaning(device, within), repr(sorted(value.targetoptions.items()))
    return _key(value)


def _key(value: Any) -> Hashable:
    """Numbers and text by type and spelling, so that 1, 1.0 and True differ; anything else by identity."""
    if isinstance(value, _PLAIN):
        return type(value), repr(value)
    return (tuple, *map(_key, value)) if type(value) is tuple else Same(value)
