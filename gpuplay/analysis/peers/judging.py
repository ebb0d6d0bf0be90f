"""Whether promises hold: pure functions of a row's results.

A ratio is how many times as fast the best of our variants is as the best library variant of the same
problem, the median over interleaved rounds (see `gpuplay.analysis.sweep.ratios`). Where a result is missing a
condition has no answer, unless what was measured breaks it already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from gpuplay.analysis.sweep.ratios import Speedup, seconds, speedup, timed
from gpuplay.kernel import Kernel, Problem
from gpuplay.peers.terms import Case, Condition, Mean, OfRoof, OfYardstick, Promise, Scaling, Worst, within
from gpuplay.results.result import Result
from gpuplay.units import size_names

UNMEASURED = "not measured"

State: TypeAlias = Literal["holds", "missed", "wrong", "not judged", "unmeasured"]


@dataclass(frozen=True)
class Standing:
    """One case: the fastest of ours, the fastest library variant, their ratio, or the ``reason`` why there is none."""

    case: Case
    label: str
    ours: Result | None
    rival: Result | None
    found: Speedup | None
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """One condition: the figure, its interval, the case where it was found; ``holds`` is None where it has no answer.

    ``at`` is the standing that decided, where a single one did, its ``rival`` what ours stood against there.
    """

    need: Condition
    got: float | None = None
    low: float | None = None
    high: float | None = None
    at: Standing | None = None
    reason: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is reached. With cases missing, a figure can only be missed."""
        if self.got is None or (self.reason and self.got >= self.need.at_least):
            return None
        return self.got >= self.need.at_least

    @property
    def close(self) -> bool:
        """Whether the noise of the measurement reaches over the figure asked for: another run may answer otherwise."""
        if self.holds is None or self.low is None or self.high is None:
            return False
        return self.low < self.need.at_least <= self.high


@dataclass(frozen=True)
class Judgement:
    """What came of one row; ``remarks`` are what the reader must know of it, ``unmeasured`` why nothing was run."""

    promise: Promise
    standings: tuple[Standing, ...]
    answers: tuple[Answer, ...]
    results: tuple[Result, ...] = ()
    remarks: tuple[str, ...] = ()
    unmeasured: str = ""

    @property
    def faults(self) -> tuple[Result, ...]:
        """Wrong and failed results."""
        return tuple(result for result in self.results if result.status in ("wrong", "failed"))

    @property
    def state(self) -> State:
        """A wrong cell weighs more than a missed figure, and that more than one without an answer."""
        if self.unmeasured:
            return "unmeasured"
        if self.faults:
            return "wrong"
        answers = {answer.holds for answer in self.answers}
        if False in answers:
            return "missed"
        return "holds" if answers == {True} else "not judged"


def judge(
    promise: Promise,
    kernel: Kernel,
    results: Iterable[Result],
    roofs: Mapping[str, Any] | None,
    remarks: Sequence[str] = (),
) -> Judgement:
    """Hold a row's results against its conditions."""
    row = _Row(promise, kernel, tuple(results), roofs)
    standings = tuple(row.standing(case) for case in promise.cases)
    answers = tuple(row.answer(need, standings) for need in promise.needs)
    return Judgement(promise, standings, answers, row.results, tuple(remarks))


def unmeasured(promise: Promise, reason: str) -> Judgement:
    """A row of which nothing can be run here."""
    label = labels(promise.cases)
    standings = tuple(Standing(case, label(case), None, None, None, reason) for case in promise.cases)
    answers = tuple(Answer(need, reason=f"unmeasured: {reason}") for need in promise.needs)
    return Judgement(promise, standings, answers, unmeasured=reason)


def labels(cases: Sequence[Case]) -> Callable[[Case], str]:
    """How to name these cases: by their label, or by their size."""
    name = size_names(case.size for case in cases)
    return lambda case: case.label or f"n = {name(case.size)}"


@dataclass(frozen=True)
class _Row:
    promise: Promise
    kernel: Kernel
    results: tuple[Result, ...]
    roofs: Mapping[str, Any] | None

    def standing(self, case: Case, only: tuple[str, ...] = ()) -> Standing:
        """How a case stands, with all of our variants or with some of them."""
        label = labels(self.promise.cases)(case)
        problem = self.promise.problem(self.kernel, case)
        names = only or self.promise.ours(self.kernel)
        threads = max(self.promise.threads, default=None)
        ours, why = self._best(problem, names, threads)
        if not self.promise.peers:
            return Standing(case, label, ours, None, None, why)
        rival, lacks = self._best(problem, self.promise.rivals(self.kernel), None)
        found = speedup(ours, rival) if ours and rival else None
        return Standing(case, label, ours, rival, found, why or lacks)

    def answer(self, need: Condition, standings: Sequence[Standing]) -> Answer:
        """The figure of a condition."""
        about = [standing for standing in standings if within(need, standing.case)]
        if isinstance(need, Mean):
            return _mean(need, about)
        if isinstance(need, Worst):
            if need.ours:
                about = [self.standing(standing.case, need.ours) for standing in about]
            return _smallest(need, about)
        if isinstance(need, OfYardstick):
            return _smallest(need, [self._against(need, standing) for standing in about])
        if isinstance(need, Scaling):
            return _smallest(need, [self._scaled(need, standing) for standing in about])
        return _smallest(need, [self._share(need, standing) for standing in about])

    def _best(self, problem: Problem, names: Sequence[str], threads: int | None) -> tuple[Result | None, str]:
        """The fastest timed result of some variants on a problem; else why there is none."""
        found = [
            result
            for result in self.results
            if result.cell.problem == problem
            and result.cell.variant in names
            and threads in (None, result.cell.threads)
        ]
        best = min((result for result in found if timed(result)), key=seconds, default=None)
        if best is not None:
            return best, ""
        reasons = dict.fromkeys(f"{r.cell.variant} {r.status}: {r.reason}".removesuffix(": ") for r in found)
        return None, "; ".join(reasons) or f"{', '.join(names) or 'any library variant'} {UNMEASURED}"

    def _against(self, need: OfYardstick, standing: Standing) -> Standing:
        """Ours against the yardstick."""
        rod, lacks = self._best(self.promise.yardstick(self.kernel, need), (need.variant,), None)
        return _paired(standing, standing.ours, rod, lacks)

    def _scaled(self, need: Scaling, standing: Standing) -> Standing:
        """Ours on several threads against the same variant on one."""
        if standing.ours is None:
            return standing
        problem = self.promise.problem(self.kernel, standing.case)
        many, why = self._best(problem, (standing.ours.cell.variant,), need.threads)
        one, lacks = self._best(problem, (standing.ours.cell.variant,), 1)
        return _paired(standing, many, one, why or lacks)

    def _share(self, need: OfRoof, standing: Standing) -> Standing:
        """The share of a roof that the problem's own operations or bytes a second are."""
        ours = standing.ours
        if ours is None:
            return replace(standing, found=None, rival=None)
        if ours.cell.kind.on_gpu:
            roof = ((self.roofs or {}).get("gpu") or {}).get(need.roof)
        else:
            cores = "one" if ours.cell.threads == 1 else "all"
            roof = ((self.roofs or {}).get(need.roof) or {}).get(cores)
        work = ours.flops if need.roof.startswith("fma") else ours.bytes
        if not roof or not work:
            return replace(standing, found=None, rival=None, reason="the roof is not known")
        return replace(standing, found=Speedup(work / seconds(ours) / roof), rival=None, reason="")


def _paired(standing: Standing, ours: Result | None, rival: Result | None, lacks: str) -> Standing:
    """A case with other results in it; the reason where one of them is missing."""
    found = speedup(ours, rival) if ours and rival else None
    reason = "" if found else (standing.reason if ours is None and standing.reason else lacks)
    return replace(standing, ours=ours, rival=rival, found=found, reason=reason)


def _mean(need: Mean, about: Sequence[Standing]) -> Answer:
    """The geometric mean; its interval is the mean of both ends, which is wider than a joint one would be."""
    found = [standing.found for standing in about if standing.found]
    lacking = next((s for s in about if s.found is None), None)
    if lacking is not None or not found:
        return Answer(need, at=lacking, reason=lacking.reason if lacking else UNMEASURED)
    lows, highs = [f.low for f in found if f.low], [f.high for f in found if f.high]
    whole = len(lows) == len(highs) == len(found)
    low, high = (_geometric(lows), _geometric(highs)) if whole else (None, None)
    return Answer(need, _geometric([f.ratio for f in found]), low, high)


def _smallest(need: Condition, about: Sequence[Standing]) -> Answer:
    """The smallest figure of some cases; a reason where one of them has none."""
    lacking = next((standing for standing in about if standing.found is None), None)
    reason = lacking.reason if lacking else ""
    known = [(standing, standing.found) for standing in about if standing.found is not None]
    if not known:
        return Answer(need, at=lacking, reason=reason or UNMEASURED)
    at, worst = min(known, key=lambda pair: pair[1].ratio)
    if lacking and worst.ratio >= need.at_least:
        return Answer(need, worst.ratio, at=lacking, reason=reason)
    return Answer(need, worst.ratio, worst.low, worst.high, at, reason)


def _geometric(values: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values))
