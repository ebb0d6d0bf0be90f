"""Cells that ended their worker or had to be ended, and what that means for those that come after them."""

from __future__ import annotations

from gpuplay.errors import DeadlinePassed, WorkerLost
from gpuplay.results.cell import Cell


class Casualties:
    """Remembers whose runs were lost: other problems of such a variant are not tried, each would cost as much again.

    To ``spare_knobs`` other knob values of the variant are tried all the same.
    """

    def __init__(self, *, spare_knobs: bool) -> None:
        self._spare_knobs = spare_knobs
        self._lost: dict[tuple[object, ...], str] = {}
        self._guests: dict[tuple[str, int], set[str]] = {}

    def note(self, cell: Cell, error: Exception) -> None:
        """A cell failed so; only the loss of its worker counts."""
        if isinstance(error, WorkerLost):
            self._lost.setdefault(self._key(cell), f"not tried: at n = {cell.size} it was {_ending(error)}")

    def objection(self, cell: Cell) -> str:
        """Why a cell is not to be tried, or ''."""
        return self._lost.get(self._key(cell), "")

    def admit(self, cell: Cell, worker: tuple[str, int]) -> None:
        """A cell is about to run in a worker: an environment, and the how many-eth there."""
        self._guests.setdefault(worker, set()).add(cell.variant)

    def innocent(self, cell: Cell, worker: tuple[str, int], error: Exception) -> bool:
        """Whether another variant may have broken the memory of the worker that this cell lost: it is tried again."""
        lost = isinstance(error, WorkerLost) and not isinstance(error, DeadlinePassed)
        return lost and bool(self._guests[worker] - {cell.variant})

    def _key(self, cell: Cell) -> tuple[object, ...]:
        return (cell.variant, cell.knobs) if self._spare_knobs else (cell.variant,)


def _ending(error: Exception) -> str:
    return "still running at its deadline" if isinstance(error, DeadlinePassed) else f"lost: {error}"
