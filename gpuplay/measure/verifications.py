"""What the lockstep machine found right at small sizes, kept on disk for as long as no source changes.

One JSON file for each state of the sources. Only what is right is kept: what is not is found again
each time. This module imports neither numba nor numpy.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from gpuplay import paths
from gpuplay.kernel import Kernel
from gpuplay.plan.small import small_params
from gpuplay.results.cell import Cell
from gpuplay.targets import presence

KEPT_FILES = 20


def find(source: str, kernel: Kernel, cell: Cell) -> tuple[int, ...]:
    """Sizes at which this cell's variant was found right with these sources; empty where it was not tried."""
    sizes = _load(_file(source)).get(_key(kernel, cell), [])
    return tuple(size for size in sizes if isinstance(size, int)) if isinstance(sizes, list) else ()


def keep(source: str, kernel: Kernel, cell: Cell, sizes: tuple[int, ...]) -> None:
    """Remember the sizes; a folder that cannot be written costs the next command the time, no more."""
    file = _file(source)
    known = _load(file) | {_key(kernel, cell): list(sizes)}
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as text:
            json.dump(known, text)
        Path(name).replace(file)
        for old in sorted(file.parent.glob("*.json"), key=lambda f: f.stat().st_mtime, reverse=True)[KEPT_FILES:]:
            old.unlink(missing_ok=True)


def _file(source: str) -> Path:
    """The file for these sources with the Numba that compiles them."""
    numba = "-".join(presence.installed(name) or "none" for name in ("numba", "numba-cuda", "numpy"))
    return paths.cache_dir() / "verified" / f"{source}-{numba}.json"


def _key(kernel: Kernel, cell: Cell) -> str:
    """What was verified in the cell's place: the variant, its knob values and the small problems' params."""
    return json.dumps([kernel.name, cell.variant, small_params(kernel, cell), list(cell.knobs)])


def _load(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
