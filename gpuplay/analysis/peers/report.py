"""All rows of a comparison with the libraries, and what they come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gpuplay.analysis.peers.judging import Answer, Judgement
from gpuplay.peers.terms import LARGEST, Condition, Mean, OfRoof, OfYardstick, Scaling
from gpuplay.results.record import Record
from gpuplay.units import count, percent, ratio, size_names

ROOFS = {"fma_float32": "the fma roof", "read": "the read roof", "copy": "the copy roof"}


@dataclass(frozen=True)
class PeersReport:
    """The rows judged so far of ``asked`` ones; ``record`` has the machine, the command and all results."""

    record: Record
    judgements: tuple[Judgement, ...]
    asked: int
    quick: bool = False
    interrupted: bool = False

    @property
    def missed(self) -> bool:
        """Whether a row that was judged does not hold."""
        return any(judgement.state in ("missed", "wrong") for judgement in self.judgements)


def wording(need: Condition, cases: int = 0) -> str:
    """What a condition is about, in a few words."""
    name = size_names([2**26])
    if isinstance(need, Mean):
        return f"mean of {count(cases, 'case')}"
    if isinstance(need, OfRoof):
        return f"of {ROOFS[need.roof]}" + (f" from n = {need.smallest}" if need.smallest > 1 else "")
    if isinstance(need, OfYardstick):
        return f"of {need.name} at n = {name(need.size)}"
    if isinstance(need, Scaling):
        return f"{count(need.threads, 'thread')} over 1"
    bounds = f" from n = {need.smallest}" if need.smallest > 1 else ""
    bounds += f" below n = {need.largest + 1}" if need.largest < LARGEST else ""
    return "worst" + (f" of {', '.join(need.ours)}" if need.ours else "") + bounds


def figure(need: Condition, value: float) -> str:
    """A figure in the unit of its condition: a share of a roof in percent, everything else as a ratio."""
    return percent(value) if isinstance(need, OfRoof) else ratio(value)


def reached(answer: Answer) -> str:
    """The figure that was found, or a dash; ``<1.00 ×`` where it is missed by digits that are not shown."""
    if answer.got is None:
        return "–"
    text = figure(answer.need, answer.got)
    short = answer.holds is False and text == figure(answer.need, answer.need.at_least)
    return f"<{text}" if short else text


def sentences(report: PeersReport) -> tuple[str, ...]:
    """How many rows hold, and of each that does not where and by how much it misses, or why it was not judged."""
    states = Counter(judgement.state for judgement in report.judgements)
    reasons = dict.fromkeys(judgement.unmeasured for judgement in report.judgements if judgement.unmeasured)
    if reasons:
        return (f"{count(states['unmeasured'], 'row')} unmeasured: {'; '.join(reasons)}.",)
    judged = len(report.judgements) - states["not judged"]
    said = ["Interrupted."] if report.interrupted else []
    said.append(
        f"{count(judged, 'row')} judged: {_held(states['holds'], judged)}." if judged else "No row could be judged."
    )
    said += [f"{j.promise.name} {_trouble(j)}." for j in report.judgements if j.state != "holds"]
    left = report.asked - len(report.judgements)
    return (*said, f"{count(left, 'row')} not measured.") if left else tuple(said)


def _held(holding: int, judged: int) -> str:
    if holding == judged > 1:
        return "all hold"
    return f"{holding or 'none'} {'hold' if holding > 1 else 'holds'}"


def _trouble(judgement: Judgement) -> str:
    if judgement.state == "wrong":
        faults = [f"{r.cell.label} is {r.status}: {r.reason}" for r in judgement.faults]
        return f"has {count(len(faults), 'bad cell')}, {faults[0]}"
    cases = len(judgement.promise.cases)
    if judgement.state == "missed":
        missed = [answer for answer in judgement.answers if answer.holds is False]
        return "misses: " + "; ".join(f"{wording(f.need, cases)} {_miss(f)}" for f in missed)
    reasons = dict.fromkeys(f"{_place(f)}{f.reason}" for f in judgement.answers if f.holds is None)
    return "not judged: " + "; ".join(reasons)


def _miss(answer: Answer) -> str:
    got, needed = reached(answer), figure(answer.need, answer.need.at_least)
    noise = " (within the noise)" if answer.close else ""
    named = isinstance(answer.need, OfYardstick)  # by its size already
    place = f" at {answer.at.label}" if answer.at and not named else ""
    return f"{got} of {needed}{place}{noise}"


def _place(answer: Answer) -> str:
    return f"{answer.at.label}: " if answer.at else ""
