"""``gpuplay check --watch``: check again whenever a source is saved, the first failure on top of one screen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gpuplay.catalog.origin import Origin
from gpuplay.commands.asked import Asked
from gpuplay.commands.check import View, check
from gpuplay.commands.steps.present import INTERRUPTED, OK
from gpuplay.errors import GpuplayError, UsageError
from gpuplay.kernel import Kernel
from gpuplay.results.result import Result
from gpuplay.views.check import watch as watch_view
from gpuplay.views.text.layout import show

PERIOD_S = 0.2  # soon enough after a save, and no load worth a mention

Stamps = Mapping[Path, tuple[int, int]]
Contents = Mapping[Path, bytes]


def watch(origin: Origin, asked: Asked) -> int:
    """Check a kernel, wait for a change of its files, check again, until Ctrl-C: 0 where it came while waiting."""
    if origin.kind == "plugin":
        raise UsageError(f"check --watch: {origin.name} is installed; give the path of a file of yours")
    console = Console(no_color=asked.output.plain or None)
    in_place = console.is_terminal and not asked.output.plain
    while True:
        seen = contents(origin)
        if in_place:
            console.clear()
        try:
            code = check([origin], asked, _view(console, in_place=in_place))
        except GpuplayError as error:
            code = error.exit_code
            show(console, watch_view.refusal(str(error), console.width))
        if code == INTERRUPTED:
            return INTERRUPTED
        try:
            show(console, watch_view.footer(_name(origin), time.strftime("%H:%M:%S"), code, console.width))
            console.file.flush()
            _wait(origin, seen)
        except KeyboardInterrupt:
            return OK


def contents(origin: Origin) -> Contents:
    """What the kernel's sources hold: those of its folder, for a package with all that is in it."""
    return {path: _bytes(path) for path in _files(origin)}


def _files(origin: Origin) -> Sequence[Path]:
    path = Path(origin.path)
    if origin.kind == "bundled":
        found = path.rglob("*.py")
    else:
        found = path.parent.rglob("*.py") if path.name == "__init__.py" else path.parent.glob("*.py")
    return sorted(file for file in found if not file.name.startswith("."))


def _wait(origin: Origin, seen: Contents) -> None:
    """Return once the sources hold something else than they did, and have not changed any more for a moment.

    Editors write a file in steps, or put another in its place: while one is gone or empty, nothing has changed.
    """
    stamps: Stamps = {}
    before = seen
    while True:
        time.sleep(PERIOD_S)
        now = _stamps(origin)
        if now == stamps and before == seen:
            continue
        stamps = now
        found = contents(origin)
        whole = all(found.get(path) or not text for path, text in seen.items() if path in _own(origin))
        if found != seen and found == before and whole:
            return
        before = found


def _own(origin: Origin) -> tuple[Path, ...]:
    """The file that the kernel cannot do without."""
    path = Path(origin.path)
    return (path / "__init__.py" if origin.kind == "bundled" else path,)


def _stamps(origin: Origin) -> Stamps:
    found = {}
    for path in _files(origin):
        try:
            known = path.stat()
        except OSError:
            continue
        found[path] = known.st_mtime_ns, known.st_size
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _view(console: Console, *, in_place: bool) -> View:
    """How the results of a check are laid out: as one screen on a terminal, whole in a pipe."""
    height = console.height - watch_view.FOOTER_LINES if in_place else None

    def render(kernel: Kernel, results: Sequence[Result], width: int) -> Text:
        return watch_view.render(kernel, results, width, height)

    return render


def _name(origin: Origin) -> str:
    return Path(origin.path).name if origin.kind == "file" else origin.name
