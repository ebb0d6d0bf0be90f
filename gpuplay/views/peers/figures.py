"""The figures of ``gpuplay peers``: a row a condition, and with detail a row a case."""

from __future__ import annotations

from typing import TypeAlias

from gpuplay.analysis.peers.judging import Answer, Judgement, Standing
from gpuplay.analysis.peers.report import PeersReport, figure, reached, wording
from gpuplay.analysis.sweep.ratios import seconds
from gpuplay.results.result import Result
from gpuplay.units import ratio
from gpuplay.units import seconds as time_text
from gpuplay.views.text import figures
from gpuplay.views.text.figures import Figure, Legend
from gpuplay.views.text.layout import Column, Entry

Asked: TypeAlias = tuple[Judgement, Answer]

ANSWERS = {True: "holds", False: "missed", None: "–"}
STYLES = {True: "", False: "red bold", None: "yellow"}
NOISE = Legend("?", "nearer to the figure than the noise of this run")


def summary(report: PeersReport, *, wide: bool = False) -> list[Column]:
    """A line for each condition; a wide one also says where, and who stood against whom there."""
    asked = [(judgement, answer) for judgement in report.judgements for answer in judgement.answers]
    measured = not all(judgement.unmeasured for judgement in report.judgements)
    shown = [one for one in ANSWERED if measured or one is not REACHED]
    return figures.columns([*shown, *(PLACED if wide else ())], asked)


def cases(judgement: Judgement) -> list[Column]:
    """A line for each case: ours, the best library, the ratio."""
    return figures.columns([*OURS, *(AGAINST if judgement.promise.peers else ())], judgement.standings)


def _name(asked: Asked) -> str:
    """The row's name, beside the first of its conditions."""
    judgement, answer = asked
    return judgement.promise.name if answer is judgement.answers[0] else ""


def _answer(asked: Asked) -> Entry:
    judgement, answer = asked
    if judgement.state == "wrong":
        return Entry(("wrong",), "", STYLES[False])
    if judgement.state == "unmeasured":
        return Entry(("unmeasured",), "", STYLES[None])
    return Entry((ANSWERS[answer.holds],), "", STYLES[answer.holds])


def _who(result: Result | None) -> str:
    return f"{result.cell.variant} {_time(result)}" if result else ""


def _variant(result: Result | None) -> str:
    return result.cell.variant if result else "–"


def _time(result: Result | None) -> str:
    return time_text(seconds(result)) if result else ""


REACHED = Figure[Asked]("reached", lambda a: Entry((reached(a[1]),), NOISE.mark if a[1].close else ""), units=False)
ANSWERED = (
    Figure("row", _name, right=False),
    Figure[Asked]("figure", lambda a: wording(a[1].need, len(a[0].promise.cases)), right=False),
    Figure[Asked]("needed", lambda a: figure(a[1].need, a[1].need.at_least), units=False),
    REACHED,
    Figure("verdict", _answer, right=False),
)
PLACED = (
    Figure[Asked]("at", lambda a: a[1].at.label if a[1].at else "", right=False),
    Figure[Asked]("ours", lambda a: _who(a[1].at.ours if a[1].at else None), right=False),
    Figure[Asked]("against", lambda a: _who(a[1].at.rival if a[1].at else None), right=False),
)
OURS = (
    Figure[Standing]("case", lambda s: s.label, right=False),
    Figure[Standing]("ours", lambda s: _variant(s.ours), right=False),
    Figure[Standing]("time", lambda s: _time(s.ours)),
)
AGAINST = (
    Figure[Standing]("library", lambda s: _variant(s.rival), right=False),
    Figure[Standing]("time", lambda s: _time(s.rival)),
    Figure[Standing]("ratio", lambda s: ratio(s.found.ratio) if s.found else "–"),
)
