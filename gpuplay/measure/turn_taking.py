"""Parallel loops of host variants, taken turn by turn in a worker that compiles nothing: which turns meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.measure.building import build, problem_data
from gpuplay.targets.stand_ins.turns import Meeting, TurnsTarget

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.plan.settings import Settings
    from gpuplay.results.cell import Cell


def meeting(loaded: Loaded, cell: Cell, settings: Settings) -> str:
    """The first two turns that meet at an element, with their lines, or '': one run of a cell."""
    data = problem_data(loaded, cell, TurnsTarget(), settings.seed)
    try:
        build(loaded, cell, data).run_once()
    except Meeting as error:
        return str(error)
    return ""
