"""Files that a command is asked to write: refused at once where they cannot be, replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, ParamSpec

from gpuplay.errors import UsageError
from gpuplay.paths import beside, replace

Found = ParamSpec("Found")


@dataclass(frozen=True)
class Exporter(Generic[Found]):
    """Writes what a command found to files, each in the form that its suffix names.

    UsageError at once where a file cannot be written; nothing is created then.
    """

    forms: Mapping[str, Callable[Found, str]]
    paths: Sequence[str | Path] = ()

    def __post_init__(self) -> None:
        for path in map(Path, self.paths):
            refuse_unusable(path, tuple(self.forms))

    def write(self, *found: Found.args, **more: Found.kwargs) -> None:
        """Put what was found into every file; readers see the old file or the new one."""
        for path in map(Path, self.paths):
            replace(path.resolve(), self.forms[path.suffix.lower()](*found, **more))


def json_text(document: object) -> str:
    """A document as the text of a JSON file."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def refuse_unusable(path: Path, suffixes: Sequence[str]) -> None:
    """UsageError where ``--export`` cannot write this file: an unknown suffix, a folder, no permission."""
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"--export {path}: unknown suffix {path.suffix!r}; use {', '.join(suffixes)}")
    _refuse_loop(path)
    _refuse_unwritable(path)


def _refuse_loop(path: Path) -> None:
    """Refuse links that lead back to themselves: resolving them raises or, from Python 3.13 on, ends at a link."""
    try:
        loops = path.resolve().is_symlink()
    except (OSError, RuntimeError):
        loops = True
    if loops:
        raise UsageError(f"--export {path}: is a link that leads back to itself; name another file")


def _refuse_unwritable(path: Path) -> None:
    """Find out without touching the file itself whether it can be replaced."""
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"--export {path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise UsageError(f"--export {path}: there is no folder {folder}; make it first: mkdir -p {folder}")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"--export {path}: the file must not be written; name another, or chmod u+w {path}")
    probe = beside(path.resolve())
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--export {path}: cannot be written ({error.strerror}); name a file elsewhere") from None
