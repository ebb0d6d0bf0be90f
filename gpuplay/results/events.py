"""What happens in a run, as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gpuplay.results.cell import Cell
from gpuplay.results.result import Result

State: TypeAlias = Literal["waiting", "building", "verifying", "timing"]


@dataclass(frozen=True)
class StateChanged:
    """A cell has begun the next step of its measurement."""

    cell: Cell
    state: State


@dataclass(frozen=True)
class Provisional:
    """A cell's result after some of its rounds; more rounds follow."""

    result: Result


@dataclass(frozen=True)
class Final:
    """A cell's result; nothing more will come for this cell."""

    result: Result


Event: TypeAlias = StateChanged | Provisional | Final
