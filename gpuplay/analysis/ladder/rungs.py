"""Ladders: variants of which each improves on the one below, and what every rung gains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gpuplay.analysis.sweep.grid import Grid, Line, arrange
from gpuplay.analysis.sweep.ratios import Speedup, seconds, speedup, timed
from gpuplay.analysis.sweep.roofline import Roof, roof
from gpuplay.kernel import Kernel, Variant
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.results.result import Result


@dataclass(frozen=True)
class Rung:
    """One variant of a ladder. ``below`` names the nearest rung below that was timed; empty where none was.

    ``gain`` is on that rung, ``total`` on the first rung that was timed; None where there is no time. Rungs of
    another precision count as not there.
    """

    variant: Variant
    result: Result | None
    below: str = ""
    gain: Speedup | None = None
    total: Speedup | None = None
    roof: Roof | None = None

    @property
    def of_roof(self) -> float | None:
        """Attainable over measured time, by the variant's own work; None where that is not known."""
        if self.roof is None or self.result is None or self.result.time is None:
            return None
        return self.roof.fraction(self.result.time.median_s)


@dataclass(frozen=True)
class Ladder:
    """All rungs of one problem and thread count, from the first up, and the libraries beside them.

    ``first`` names the rung under every total; empty where none was timed.
    """

    line: Line
    rungs: tuple[Rung, ...]
    beside: tuple[Rung, ...]
    first: str

    @property
    def timed(self) -> tuple[Rung, ...]:
        """The rungs that have a time."""
        return tuple(rung for rung in self.rungs if timed(rung.result))

    @property
    def climbed(self) -> tuple[Rung, ...]:
        """Those of them that can be compared with the first: the others have another precision."""
        return tuple(rung for rung in self.timed if rung.variant.name == self.first or rung.total is not None)

    def skips(self, rung: Rung) -> bool:
        """Whether a rung's gain is not on its neighbour, since that has no time."""
        place = self.rungs.index(rung)
        return bool(rung.below) and place > 0 and self.rungs[place - 1].variant.name != rung.below


def ladders(record: Record, plan: Plan, names: Sequence[str]) -> tuple[Grid, tuple[Ladder, ...]]:
    """The ladder of every problem and thread count of a plan; all its other variants stand beside.

    In the grid no column is hidden: a rung without a time is part of the ladder.
    """
    grid = arrange(record.results, plan)
    grid = replace(grid, columns=(*grid.columns, *grid.hidden), hidden=())
    beside = [name for name in plan.variants if name not in names]
    return grid, tuple(_ladder(record, plan.kernel, line, names, beside) for line in grid.lines)


def as_json(found: Iterable[Ladder]) -> list[dict[str, Any]]:
    """Ladders as records of the ``gpuplay/1`` schema."""
    return [
        {
            "size": one.line.size,
            "params": dict(one.line.problem.params),
            "threads": one.line.threads,
            "first": one.first or None,
            "rungs": [_as_json(rung) for rung in one.rungs],
            "beside": [_as_json(rung) for rung in one.beside],
        }
        for one in found
    ]


def _ladder(record: Record, kernel: Kernel, line: Line, names: Sequence[str], beside: Sequence[str]) -> Ladder:
    found: list[Rung] = []
    below: dict[str, Result] = {}  # by precision: only variants of one precision are compared
    first: Result | None = None
    of_first = ""
    for name in names:
        precision = kernel.variant(name).precision
        found.append(_rung(record, kernel, line, name, below.get(precision), first if precision == of_first else None))
        result = found[-1].result
        if result is not None and timed(result):
            below[precision] = result
            if first is None:
                first, of_first = result, precision
    rest = tuple(
        _rung(record, kernel, line, name, None, first if kernel.variant(name).precision == of_first else None)
        for name in beside
    )
    return Ladder(line, tuple(found), rest, first.cell.variant if first else "")


def _rung(record: Record, kernel: Kernel, line: Line, name: str, below: Result | None, first: Result | None) -> Rung:
    result = line.result(name)
    if result is None or not timed(result):
        return Rung(kernel.variant(name), result)
    return Rung(
        kernel.variant(name),
        result,
        below=below.cell.variant if below else "",
        gain=speedup(result, below) if below else None,
        total=speedup(result, first) if first else None,
        roof=roof(result, record.roofs, record.machine),
    )


def _as_json(rung: Rung) -> dict[str, Any]:
    return {
        "variant": rung.variant.name,
        "seconds": seconds(rung.result) if rung.result and timed(rung.result) else None,
        "below": rung.below or None,
        "gain": rung.gain.ratio if rung.gain else None,
        "gain_low": rung.gain.low if rung.gain else None,
        "gain_high": rung.gain.high if rung.gain else None,
        "total": rung.total.ratio if rung.total else None,
        "of_roof": rung.of_roof,
        "bound": rung.roof.bound if rung.roof else None,
    }
