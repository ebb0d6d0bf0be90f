"""Hashes of the sources that can change what a kernel computes."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

from gpuplay.catalog.origin import PACKAGE_DIR, Origin, entry_point, kernels_dir


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
        spec = importlib.util.find_spec(entry_point(origin.name).module.partition(".")[0])
        if spec and spec.origin:
            file = Path(spec.origin)
            yield from sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
