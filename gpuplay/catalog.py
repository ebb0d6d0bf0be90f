"""Find kernels: bundled ones, a user's file, installed plugins; load a declaration where asked.

Bundled declarations are light and may be loaded anywhere. A user's file and a plugin are loaded in
a worker only, since they may import anything, loop, or exit. Nothing is ever loaded from the
current folder unasked.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from gpuplay.errors import GpuplayError, KernelFileError, UsageError
from gpuplay.kernel import Function, Kernel

NAMESPACE = "gpuplay_kernels"
PLUGIN_GROUP = "gpuplay.kernels"
PACKAGE_DIR = Path(__file__).parent
SHARED = "_shared"  # the folder of what kernels share, which is no kernel


@dataclass(frozen=True)
class Origin:
    """Where a kernel comes from: a bundled package, a plugin's entry point, or a file."""

    kind: Literal["bundled", "plugin", "file"]
    name: str
    path: str = ""


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
        module_name, _, attribute = function.partition(":")
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


def kernels_dir() -> Path:
    """The folder of the bundled kernels: inside the package in a wheel, beside it in a checkout."""
    inside = PACKAGE_DIR / "kernels"
    return inside if inside.is_dir() else PACKAGE_DIR.parent / "kernels"


def bundled() -> list[Origin]:
    """All bundled kernels, by name."""
    folders = sorted(kernels_dir().glob("[a-z]*/__init__.py"))
    return [Origin("bundled", file.parent.name, str(file.parent)) for file in folders]


def parts() -> list[Origin]:
    """Parts of bundled kernels that are measured by themselves: found by name, and listed nowhere."""
    folders = sorted(kernels_dir().glob("_[a-z]*/__init__.py"))
    return [Origin("bundled", file.parent.name, str(file.parent)) for file in folders if file.parent.name != SHARED]


def plugins() -> list[Origin]:
    """All kernels that installed packages offer under the entry point group ``gpuplay.kernels``."""
    return [Origin("plugin", point.name) for point in entry_points(group=PLUGIN_GROUP)]


def find(word: str) -> Origin:
    """The kernel that a word on the command line means: a path if it looks like one, else a name."""
    if "/" in word or "\\" in word or word.endswith(".py"):
        return _file(word)
    known = {origin.name: origin for origin in (*plugins(), *bundled())}
    hidden = {origin.name.removeprefix("_"): origin for origin in parts()}
    if word in known or word in hidden:
        return known[word] if word in known else hidden[word]
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"no kernel {word!r}; {hint}there are: {', '.join(known)}; or give a path such as ./mine.py")


def load(origin: Origin) -> Loaded:
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


def source_hash(origin: Origin) -> str:
    """A hash of every source that can change what a kernel computes: gpuplay, kernels, the user's files."""
    return _hash(_sources(origin))


def package_hash() -> str:
    """A hash of gpuplay's own sources, without kernels."""
    return _hash(file for file in sorted(PACKAGE_DIR.rglob("*.py")) if not file.is_relative_to(kernels_dir()))


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and not file.name.startswith("."):
            digest.update(str(file).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _sources(origin: Origin) -> Iterator[Path]:
    yield from sorted(PACKAGE_DIR.rglob("*.py"))
    yield from sorted(kernels_dir().rglob("*.py"))
    if origin.kind == "file":
        folder = Path(origin.path).parent
        yield from sorted(folder.glob("*.py"))
        for package in sorted(folder.glob("*/__init__.py")):
            yield from sorted(package.parent.rglob("*.py"))
    if origin.kind == "plugin":
        spec = importlib.util.find_spec(_entry_point(origin.name).module.partition(".")[0])
        if spec and spec.origin:
            file = Path(spec.origin)
            yield from sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]


def _file(word: str) -> Origin:
    path = Path(word).expanduser()
    if path.is_dir() and (path / "__init__.py").is_file():
        path = path / "__init__.py"
    if not path.exists():
        raise UsageError(f"no kernel file {word}; 'gpuplay new NAME' writes one, 'gpuplay list' shows the bundled ones")
    if path.is_dir() or path.suffix != ".py":
        raise UsageError(f"{word} is not a kernel file; give a .py file, or a folder with an __init__.py")
    return Origin("file", word, str(path.resolve()))


def _declared(module: ModuleType) -> tuple[object, str]:
    return getattr(module, "KERNEL", None), module.__package__ or module.__name__


def _load_bundled(origin: Origin) -> tuple[object, str]:
    if NAMESPACE not in sys.modules:
        namespace = ModuleType(NAMESPACE)
        namespace.__path__ = [str(kernels_dir())]
        sys.modules[NAMESPACE] = namespace
    return _declared(importlib.import_module(f"{NAMESPACE}.{origin.name}"))


def _load_plugin(origin: Origin) -> tuple[object, str]:
    point = _entry_point(origin.name)
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


def _entry_point(name: str) -> EntryPoint:
    return next(point for point in entry_points(group=PLUGIN_GROUP) if point.name == name)


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
    return f"{where}: {kind}{error}"


def _is_kernel_source(filename: str, origin: Origin) -> bool:
    if origin.kind == "plugin":
        return "importlib" not in filename and not Path(filename).is_relative_to(PACKAGE_DIR)
    folder = Path(origin.path).parent if origin.kind == "file" else kernels_dir()
    return Path(filename).is_relative_to(folder)
