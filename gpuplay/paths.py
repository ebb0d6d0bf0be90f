"""Where gpuplay keeps what it may lose, compiled code and measured roofs; how a file is replaced as a whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

ENVIRONMENT = "GPUPLAY_CACHE_DIR"


def cache_dir() -> Path:
    """The folder for kept files, made when it is missing.

    ``GPUPLAY_CACHE_DIR`` overrides the place where the platform keeps caches. A folder that cannot
    be written, as in a read-only home, gives way to one of this user's own under the temporary folder.
    """
    chosen = os.environ.get(ENVIRONMENT)
    if chosen:
        wanted = Path(chosen).expanduser().absolute()
    else:
        from platformdirs import user_cache_path

        wanted = user_cache_path("gpuplay", appauthor=False)
    if _usable(wanted):
        return wanted
    return _fallback()


def kept_folder(kind: str, name: str, most: int) -> Path:
    """The cache folder ``kind/name``, made and used now; the oldest of its kind make room."""
    root = cache_dir() / kind
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    others = sorted((f for f in root.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime, reverse=True)
    for old in others[most:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def replace(path: Path, text: str) -> None:
    """Put the text into the file; readers see the old file or the new one, never half of one."""
    fresh = beside(path)
    try:
        fresh.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """The name of a file that this process alone may write for a while, in the same folder."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _usable(folder: Path) -> bool:
    """Whether files can be made in the folder, which is made when it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _fallback() -> Path:
    """A folder under the temporary folder that belongs to this user and nobody else can write."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    shared = Path(tempfile.gettempdir()) / f"gpuplay-{user}"
    try:
        shared.mkdir(mode=0o700, exist_ok=True)
        status = shared.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="gpuplay-"))
    foreign = hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022)
    return Path(tempfile.mkdtemp(prefix="gpuplay-")) if foreign or shared.is_symlink() else shared
