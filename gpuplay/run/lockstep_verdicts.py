"""CUDA variants on the lockstep machine, as the runner needs them: what it found of a cell, asked once.

What was right on small problems is kept on disk, one JSON file for each state of the sources; what was not is found
again each time.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from gpuplay import paths
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import Plan
from gpuplay.plan.small import small_params
from gpuplay.results.cell import Cell
from gpuplay.results.turns import Stepped
from gpuplay.targets import presence
from gpuplay.workers.crew import Crew, environment_of
from gpuplay.workers.tasks import Tasks

KEPT_FILES = 20


class LockstepVerdicts:
    """Asks a worker for verdicts of the lockstep machine; those on small problems are kept."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._found: dict[tuple[object, ...], Stepped] = {}
        self._constants = ""

    def step(self, cell: Cell) -> Stepped:
        """The verdict on the cell itself."""
        return self._tasks(cell).step(cell)

    def step_small(self, cell: Cell) -> Stepped:
        """The verdict on small problems in the cell's place: from disk, from an earlier cell, or found now."""
        kernel, source = self._plan.kernel, self._source(cell)
        if refusal := self._refusal(source, cell):
            return Stepped("failed", refusal, sizes=(cell.size,))
        if sizes := find_kept(source, kernel, cell):
            return Stepped("right", sizes=sizes)
        key = (cell.variant, cell.knobs, small_params(kernel, cell))
        if key not in self._found:
            self._found[key] = self._tasks(cell).step_small(cell)
            if self._found[key].status == "right":
                keep(source, kernel, cell, self._found[key].sizes)
        return self._found[key]

    def _refusal(self, source: str, cell: Cell) -> str:
        """The limit that a launch of this very cell exceeds, or ''; bundled kernels declare where they do not serve."""
        launched = json.dumps(["launched", cell.variant, cell.size, cell.params, cell.knobs])
        if self._crew.origin.kind == "bundled" or launched in _load(_file(source)):
            return ""
        refusal = self._tasks(cell).launch_refusal(cell)
        if not refusal:
            _remember(source, {launched: [cell.size]})
        return refusal

    def _source(self, cell: Cell) -> str:
        """What the verdicts are kept under: the sources, and of a user's file its constants, too."""
        if self._crew.origin.kind == "bundled":
            return self._crew.source
        if not self._constants:
            self._constants = self._tasks(cell).constants()[:16]
        return f"{self._crew.source}-{self._constants}"

    def _tasks(self, cell: Cell) -> Tasks:
        environment = environment_of(self._plan.kernel.variant(cell.variant))
        return self._crew.tasks(environment, self._plan.settings.cell_timeout_s)


def find_kept(source: str, kernel: Kernel, cell: Cell) -> tuple[int, ...]:
    """Sizes at which this cell's variant was found right with these sources; empty where it was not tried."""
    sizes = _load(_file(source)).get(_key(kernel, cell), [])
    return tuple(size for size in sizes if isinstance(size, int)) if isinstance(sizes, list) else ()


def keep(source: str, kernel: Kernel, cell: Cell, sizes: tuple[int, ...]) -> None:
    """Remember the sizes at which a cell's variant is right."""
    _remember(source, {_key(kernel, cell): list(sizes)})


def _remember(source: str, found: dict[str, list[int]]) -> None:
    """Add to what is kept; a folder that cannot be written costs the next command the time, no more."""
    file = _file(source)
    known = _load(file) | found
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        paths.replace(file, json.dumps(known))
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
