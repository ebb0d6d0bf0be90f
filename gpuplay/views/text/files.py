"""Files that a command is asked to write: refused at once where they cannot be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from gpuplay.errors import UsageError
from gpuplay.paths import beside


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
