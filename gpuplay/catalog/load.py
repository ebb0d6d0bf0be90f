"""Load a kernel's declaration: a bundled one anywhere, a user's file and a plugin in a worker only."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gpuplay.catalog.contract import in_words
from gpuplay.catalog.origin import NAMESPACE, PACKAGE_DIR, Origin, entry_point, kernels_dir
from gpuplay.errors import GpuplayError, KernelFileError
from gpuplay.kernel import Function, Kernel


@dataclass(frozen=True)
class Loaded:
    """A declaration with the package that its function names are relative to."""

    origin: Origin
    kernel: Kernel
    package: str

    def resolve(self, function: Function) -> Callable[..., Any]:
        """The function itself, imported now where the declaration gives its name."""
        if callable(function):
            return function
        module_name, colon, attribute = function.partition(":")
        if not colon:
            raise KernelFileError(
                f"kernel {self.kernel.name}: {function!r} names no function: give the function itself, or 'module:name'"
            )
        try:
            module = importlib.import_module(f"{self.package}.{module_name}")
            found: Callable[..., Any] = getattr(module, attribute)
        except (ImportError, AttributeError) as error:
            raise KernelFileError(f"kernel {self.kernel.name}: {function!r} cannot be found: {error}") from error
        return found

    def call(self, function: Function, *args: Any, **kwargs: Any) -> Any:
        """Call a declared function; what it raises becomes a KernelFileError with file and line."""
        try:
            return self.resolve(function)(*args, **kwargs)
        except MemoryError:
            raise
        except Exception as error:
            raise KernelFileError(_located(error, self.origin)) from error


def load_kernel(origin: Origin) -> Loaded:
    """Load a declaration into this process; KernelFileError with file and line if it is broken."""
    try:
        kernel, package = _LOADERS[origin.kind](origin)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise KernelFileError(_located(error, origin)) from error
    where = origin.path or f"plugin {origin.name}"
    if kernel is None:
        raise KernelFileError(f"{where}: declares no KERNEL; add KERNEL = Kernel(...), or begin with 'gpuplay new'")
    if not isinstance(kernel, Kernel):
        raise KernelFileError(f"{where}: KERNEL is a {type(kernel).__name__}, not a gpuplay.kernel.Kernel")
    return Loaded(origin, kernel, package)


def _declared(module: ModuleType) -> tuple[object, str]:
    return getattr(module, "KERNEL", None), module.__package__ or module.__name__


def _load_bundled(origin: Origin) -> tuple[object, str]:
    if NAMESPACE not in sys.modules:
        namespace = ModuleType(NAMESPACE)
        namespace.__path__ = [str(kernels_dir())]
        sys.modules[NAMESPACE] = namespace
    return _declared(importlib.import_module(f"{NAMESPACE}.{origin.name}"))


def _load_plugin(origin: Origin) -> tuple[object, str]:
    point = entry_point(origin.name)
    loaded = point.load()
    if isinstance(loaded, ModuleType):
        return _declared(loaded)
    return loaded, _declared(importlib.import_module(point.module))[1]


def _load_file(origin: Origin) -> tuple[object, str]:
    """Load by path under a stable name, which Numba's disk cache needs, and let it import its neighbours."""
    path = Path(origin.path)
    package = path.name == "__init__.py"
    stem = path.parent.name if package else path.stem
    name = f"gpuplay_user_{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    folder = str(path.parent.parent if package else path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)] if package else None
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return _declared(module)


_LOADERS: dict[str, Callable[[Origin], tuple[object, str]]] = {
    "bundled": _load_bundled,
    "plugin": _load_plugin,
    "file": _load_file,
}


def _located(error: BaseException, origin: Origin) -> str:
    """The error in one line, with the file and line of the kernel's own source that it came from."""
    where = origin.path or f"plugin {origin.name}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: syntax error: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_kernel_source(f.filename, origin)]
    if frames:
        where = f"{frames[-1].filename}:{frames[-1].lineno}"
    if isinstance(error, SystemExit):
        return f"{where}: exits when it is imported (SystemExit {error.code!r}); a kernel file must only declare"
    kind = "" if isinstance(error, GpuplayError) else f"{type(error).__name__}: "
    return f"{where}: {in_words(error) or f'{kind}{error}'}"


def _is_kernel_source(filename: str, origin: Origin) -> bool:
    if origin.kind == "plugin":
        return "importlib" not in filename and not Path(filename).is_relative_to(PACKAGE_DIR)
    folder = Path(origin.path).parent if origin.kind == "file" else kernels_dir()
    return Path(filename).is_relative_to(folder)
