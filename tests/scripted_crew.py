"""Workers that measure nothing: they answer at once, every cell right and as fast as scripted."""

from __future__ import annotations

from typing import Any

from gpuplay.catalog.origin import Origin
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.results.result import ErrorReport
from gpuplay.results.turns import BuiltCell, Turn

SECONDS = {"numpy": 1e-3, "cpu": 5e-4}
ERROR = ErrorReport(1e-7, 1e-7, 1e-5)
RATES = ("copy", "copy_streaming", "read", "fma_float32", "fma_float64")


class Desk:
    """A worker that answers at once."""

    def facts(self) -> dict[str, Any]:
        return {"libraries": {}, "threading_layer": "omp", "blas_threads": 1}

    def roofs(self) -> dict[str, Any]:
        return {name: {"one": 1e15, "all": 1e15} for name in RATES} | {"gpu": None}

    def build(self, _cell: Cell) -> BuiltCell:
        return BuiltCell("", ERROR, 1e-6, 0.01, compile_cached=True, prepare_s=None, transfer=None, library="scripted")

    def turn(self, cell: Cell, _budget_s: float, fewest: int, *, last: bool) -> Turn:
        took = SECONDS[cell.target]
        return Turn(tuple(took + 1e-7 * k for k in range(fewest)), 1, took, error=ERROR if last else None)

    def forecast(self, _cell: Cell, _limit_s: float) -> float:
        return 1e-6

    def drop(self, _problem: object) -> None:
        """Hold nothing."""


class Crew:
    """One such worker for all environments."""

    pids: tuple[int, ...] = ()
    source = "0" * 16
    started: tuple[str, ...] = ()

    def __init__(self, origin: Origin, **_: Any) -> None:
        """Take any threads."""
        self.origin = origin

    def use(self, settings: Settings) -> None:
        """Take any settings."""

    def allow_threads(self, threads: int) -> None:
        """Take any threads."""

    def tasks(self, _environment: str, _timeout_s: float | None = None) -> Desk:
        return Desk()

    def generation(self, _environment: str) -> int:
        return 0

    def log_tail(self, _environment: str) -> str:
        return ""

    def close(self) -> None:
        """Nothing was started."""
