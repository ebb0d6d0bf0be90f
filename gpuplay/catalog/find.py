"""Find kernels by name or path. Nothing is ever loaded from the current folder unasked."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from gpuplay.catalog.origin import PLUGIN_GROUP, SHARED, Origin, kernels_dir
from gpuplay.errors import UsageError, closest


def bundled_kernels() -> list[Origin]:
    """All bundled kernels, by name."""
    folders = sorted(kernels_dir().glob("[a-z]*/__init__.py"))
    return [Origin("bundled", file.parent.name, str(file.parent)) for file in folders]


def kernel_parts() -> list[Origin]:
    """Parts of bundled kernels that are measured by themselves: found by name, and listed nowhere."""
    folders = sorted(kernels_dir().glob("_[a-z]*/__init__.py"))
    return [Origin("bundled", file.parent.name, str(file.parent)) for file in folders if file.parent.name != SHARED]


def plugin_kernels() -> list[Origin]:
    """All kernels that installed packages offer under the entry point group ``gpuplay.kernels``."""
    return [Origin("plugin", point.name) for point in entry_points(group=PLUGIN_GROUP)]


def find_kernel(word: str) -> Origin:
    """The kernel that a word on the command line means: a path if it looks like one, else a name."""
    if "/" in word or "\\" in word or word.endswith(".py"):
        return _file(word)
    known = {origin.name: origin for origin in (*plugin_kernels(), *bundled_kernels())}
    hidden = {origin.name.removeprefix("_"): origin for origin in kernel_parts()}
    if word in known or word in hidden:
        return known[word] if word in known else hidden[word]
    close = closest(word, known)
    hint = f"did you mean {close!r}? " if close else ""
    if Path(f"{word}.py").is_file():
        hint = f"there is a file of that name: give its path, ./{word}.py; "
    raise UsageError(f"no kernel {word!r}; {hint}there are: {', '.join(known)}; or give a path such as ./mine.py")


def _file(word: str) -> Origin:
    path = Path(word).expanduser()
    if path.is_dir() and (path / "__init__.py").is_file():
        path = path / "__init__.py"
    if not path.exists():
        raise UsageError(f"no kernel file {word}; 'gpuplay new NAME' writes one, 'gpuplay list' shows the bundled ones")
    if path.is_dir() or path.suffix != ".py":
        raise UsageError(f"{word} is not a kernel file; give a .py file, or a folder with an __init__.py")
    return Origin("file", word, str(path.resolve()))
