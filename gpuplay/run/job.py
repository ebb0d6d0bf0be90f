"""A cell that is being timed, and how many turns it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpuplay.kernel import Variant
from gpuplay.plan.cells import PlannedCell
from gpuplay.plan.settings import Settings
from gpuplay.results.telemetry import Telemetry

if TYPE_CHECKING:
    from gpuplay.results.turns import BuiltCell


@dataclass
class Job:
    """A cell that passed verification and is being timed."""

    planned: PlannedCell
    variant: Variant
    built: BuiltCell
    generation: int
    turns: int
    rounds: list[tuple[float, ...]] = field(default_factory=list)
    loops: int = 1
    call_s: float | None = None
    readings: list[Telemetry] = field(default_factory=list)
    algorithm: str = ""
    warnings: set[str] = field(default_factory=set)


def turns_of(call_s: float, settings: Settings) -> int:
    """How many rounds a cell takes part in: all of them, fewer where one call outlasts its share."""
    share = settings.cell_time_s / settings.rounds
    if call_s <= share:
        return settings.rounds
    return max(min(2, settings.rounds), min(settings.rounds, round(settings.cell_time_s / call_s)))
