"""Sizes and axes become a frozen plan of cells: what would run, with forecasts and reasons to skip."""

from __future__ import annotations

from dataclasses import dataclass

from gpuplay.kernel import Kernel, Problem
from gpuplay.results import Cell


@dataclass(frozen=True)
class Settings:
    """How to measure. Times in seconds; ``time_s`` None leaves the whole command unlimited."""

    time_s: float | None = None
    cell_time_s: float = 1.0
    cell_limit_s: float = 30.0
    cell_timeout_s: float = 60.0
    rounds: int = 5
    seed: int = 0
    cold: bool = False
    device: int = 0


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what is known before it runs: its work, its memory, and why it will not run."""

    cell: Cell
    flops: float | None
    bytes: float | None
    work_flops: float | None
    work_bytes: float | None
    memory_bytes: int | None
    skip: str = ""


@dataclass(frozen=True)
class Row:
    """All cells of one problem."""

    problem: Problem
    cells: tuple[PlannedCell, ...]


@dataclass(frozen=True)
class Plan:
    """What one command measures. Rows are ordered by params, then size; cells as columns stand."""

    kernel: Kernel
    rows: tuple[Row, ...]
    variants: tuple[str, ...]
    baseline: str | None
    settings: Settings
    notices: tuple[str, ...] = ()
