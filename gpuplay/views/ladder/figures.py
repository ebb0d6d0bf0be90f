"""The figures of a ladder: a row a rung, the libraries beside it below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts
from gpuplay.analysis.ladder.rungs import Ladder, Rung
from gpuplay.analysis.sweep.grid import Grid
from gpuplay.analysis.sweep.ratios import Speedup, seconds, timed
from gpuplay.analysis.sweep.warnings import FEW_SAMPLES
from gpuplay.results.cell import Cell
from gpuplay.units import count, percent, ratio
from gpuplay.units import seconds as time_text
from gpuplay.views.ladder import gpu_rungs
from gpuplay.views.sweep.cells import word
from gpuplay.views.sweep.figures import PENDING
from gpuplay.views.text import figures, notes
from gpuplay.views.text.figures import Figure
from gpuplay.views.text.layout import Column, Entry

NAME = Figure[Rung]("rung", lambda rung: rung.variant.name, right=False)


@dataclass(frozen=True)
class Drawn:
    """Everything the views of a ladder share."""

    grid: Grid
    ladders: tuple[Ladder, ...]
    notes: notes.Notes
    marks: Mapping[Cell, str]
    facts: LadderFacts | None = None
    foot: tuple[str, ...] = ()

    @property
    def untimed(self) -> bool:
        """Whether nothing here could time a rung."""
        return self.facts is not None and bool(self.facts.absent)


def columns(drawn: Drawn, one: Ladder) -> list[Column]:
    """All figures of the rungs but their ideas."""
    rungs = [*one.rungs, *one.beside]
    known = figures.columns(_untimed(drawn, one) if drawn.untimed else _timed(drawn, one), rungs)
    return [*known, *(gpu_rungs.columns(drawn.facts, [rung.variant.name for rung in rungs]) if drawn.facts else [])]


def idea_column(one: Ladder) -> Column:
    """What each rung does that the one below does not."""
    beside = [f"for comparison: {rung.variant.idea}" for rung in one.beside]
    return Figure[str]("idea", str, right=False).column([*(rung.variant.idea for rung in one.rungs), *beside])


def _untimed(drawn: Drawn, one: Ladder) -> list[Figure[Rung]]:
    return [NAME, Figure("verdict", lambda rung: _verdict(drawn, rung), right=False), *_precision(one)]


def _timed(drawn: Drawn, one: Ladder) -> list[Figure[Rung]]:
    first = "\n".join(_split(one.first))
    return [
        NAME,
        Figure("class", _class, right=False),
        Figure("time", lambda rung: _time(drawn, rung)),
        Figure("gain on\nthe rung\nbelow", lambda rung: _marked(drawn, rung)),
        Figure(f"gain on\n{first}", lambda rung: _total(one, rung)),
        Figure("of roof", _roof, units=False),
        Figure("spread", _spread, units=False),
        *_precision(one),
    ]


def _precision(one: Ladder) -> list[Figure[Rung]]:
    """In what the rungs compute, where one of them does not in the problem's dtype."""
    coarser = any(rung.variant.precision for rung in (*one.rungs, *one.beside))
    dtype = one.line.problem.dtype
    return [Figure("precision", lambda rung: rung.variant.precision or dtype, right=False)] if coarser else []


def _marked(drawn: Drawn, rung: Rung) -> Entry:
    return Entry((_gain(rung.gain),), drawn.marks.get(rung.result.cell, "") if rung.result else "")


def _class(rung: Rung) -> str:
    threads = rung.result.cell.threads if rung.result else 1
    if threads > 1 and rung.variant.flynn == "library":
        return count(threads, "thread")
    return f"{rung.variant.flynn}, {threads} th" if threads > 1 else rung.variant.flynn


def _split(name: str) -> list[str]:
    """A variant's name on two header lines."""
    target, _, short = name.partition(":")
    return [f"{target}:", short] if short else ["the first", "rung"]


def _time(drawn: Drawn, rung: Rung) -> Entry:
    if rung.result is None:
        return Entry((PENDING,), "", "dim")
    if not timed(rung.result):
        return word(rung.result, drawn.notes.mark(rung.result))
    return Entry((time_text(seconds(rung.result)),))


def _verdict(drawn: Drawn, rung: Rung) -> Entry:
    if rung.result is None:
        return Entry((PENDING,), "", "dim")
    return Entry(("right",)) if rung.result.status == "verified" else word(rung.result, drawn.notes.mark(rung.result))


def _gain(found: Speedup | None) -> str:
    if found is None:
        return ""
    return ("?" if found.order == "uncertain" else "") + ratio(found.ratio, tie=found.order == "tie")


def _total(one: Ladder, rung: Rung) -> str:
    return "" if rung.variant.name == one.first else _gain(rung.total)


def _roof(rung: Rung) -> str:
    if rung.roof is None:
        return ""
    return "in cache" if rung.of_roof is None else f"{percent(rung.of_roof)} {rung.roof.bound}"


def _spread(rung: Rung) -> str:
    if rung.result is None or rung.result.time is None or not timed(rung.result):
        return ""
    time = rung.result.time
    return percent(time.spread) if time.samples >= FEW_SAMPLES else count(time.samples, "run")
