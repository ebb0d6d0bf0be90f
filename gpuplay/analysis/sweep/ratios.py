"""How many times as fast one result is as another, and whether that can be told from noise.

Rounds are interleaved, so the i-th rounds of two results ran close together: their ratio is free of
slow drift. A speed-up is the median of the per-round ratios of round medians. Its interval is the
95 % percentile bootstrap of that median (Efron and Tibshirani, "An Introduction to the Bootstrap",
chapter 13); with five rounds that is their whole range, which covers the true median in 94 % of cases.
With two to four rounds the range covers it too seldom (two ratios in half of the cases): there an order
needs rounds that all agree on more than 3 %.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from gpuplay.results.result import Result

RESAMPLES = 1000
TIE_WITHIN = 0.01
FEW_ROUNDS = 5  # with fewer, an interval alone gives no order
CLEAR = 1.03  # the factor that few rounds must exceed, all on one side of 1
DECISIVE = 1.5  # without an interval, a factor below this says nothing about the order

Order: TypeAlias = Literal["faster", "slower", "tie", "uncertain"]


@dataclass(frozen=True)
class Speedup:
    """A ratio of times with its interval; ``low`` and ``high`` are None with fewer than two rounds.

    The interval is of 95 %, or with fewer than five ``rounds`` the range of their ratios.
    """

    ratio: float
    low: float | None = None
    high: float | None = None
    rounds: int = 1

    @property
    def order(self) -> Order:
        """``tie`` where the interval contains 1 or lies within ±1 %.

        ``uncertain`` where there is no interval and the ratio is not decisive, or where the interval
        contains 1 although the ratio is far from it: then noise, not likeness, keeps them together;
        and where fewer than five rounds agree on one side of 1, but on no more than 3 %.
        """
        near = 1 / DECISIVE < self.ratio < DECISIVE
        if self.low is None or self.high is None:
            if near:
                return "uncertain"
        elif self.low <= 1 <= self.high:
            return "tie" if near else "uncertain"
        elif self.low >= 1 - TIE_WITHIN and self.high <= 1 + TIE_WITHIN:
            return "tie"
        elif self.rounds < FEW_ROUNDS and 1 / CLEAR <= self.ratio <= CLEAR:
            return "uncertain"
        return "faster" if self.ratio > 1 else "slower"


def timed(result: Result | None) -> bool:
    """Whether a result may show a time: only one that was found right has one."""
    return result is not None and result.status == "ok" and result.time is not None


def overhead_s(result: Result) -> float | None:
    """Seconds that copies and the launch add to the kernel's time; None where nothing was copied."""
    if result.transfer is None or result.time is None:
        return None
    launch = max(0.0, (result.call_s or 0.0) - result.time.median_s)
    return launch + result.transfer.to_device_s + result.transfer.from_device_s


def seconds(result: Result, *, copies: bool = False) -> float:
    """Median seconds of a timed result; with ``copies`` from host memory to host memory."""
    assert result.time is not None
    return result.time.median_s + ((overhead_s(result) or 0.0) if copies else 0.0)


def speedup(result: Result, baseline: Result, *, copies: bool = False) -> Speedup | None:
    """How many times as fast ``result`` is as ``baseline``; None where either has no time, or both differ in precision.

    With ``copies``, a result that has transfers is taken from host memory to host memory.
    """
    if not timed(result) or not timed(baseline) or result.precision != baseline.precision:
        return None
    ours, theirs = _rounds(result, copies=copies), _rounds(baseline, copies=copies)
    ratios = tuple(base / mine for base, mine in zip(theirs, ours, strict=False))
    if len(ratios) < 2:
        return Speedup(seconds(baseline, copies=copies) / seconds(result, copies=copies))
    low, high = _bootstrap(ratios) if len(ratios) >= FEW_ROUNDS else (min(ratios), max(ratios))
    return Speedup(statistics.median(ratios), low, high, len(ratios))


def fastest(results: Iterable[Result | None], *, copies: bool = False) -> tuple[Result, ...]:
    """The fastest of the timed results and all that tie with it, fastest first.

    None of them where the order of the first is uncertain; nor is a result one whose order to any other is. Results
    of a coarser precision than the problem's run out of the race, unless there are no others.
    """
    ranked = sorted((r for r in results if r is not None and timed(r)), key=lambda r: seconds(r, copies=copies))
    if not ranked:
        return ()
    ranked = [r for r in ranked if not r.precision] or [r for r in ranked if r.precision == ranked[0].precision]
    leader, *others = ranked
    if _uncertain(leader, ranked, copies=copies):
        return ()
    tied = (r for r in others if _order(r, leader, copies=copies) != "slower")
    return (leader, *(r for r in tied if not _uncertain(r, ranked, copies=copies)))


def _uncertain(result: Result, rivals: Iterable[Result], *, copies: bool) -> bool:
    return any(r is not result and _order(result, r, copies=copies) == "uncertain" for r in rivals)


def _order(result: Result, rival: Result, *, copies: bool) -> Order | None:
    found = speedup(result, rival, copies=copies)
    return found.order if found else None


def _rounds(result: Result, *, copies: bool) -> Sequence[float]:
    """The median of each round, seconds a call."""
    assert result.time is not None
    extra = (overhead_s(result) or 0.0) if copies else 0.0
    return [statistics.median(samples) + extra for samples in result.time.rounds if samples]


@lru_cache(maxsize=4096)
def _bootstrap(ratios: tuple[float, ...]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of the median of resampled ratios; the same for the same ratios."""
    draw = random.Random(0)  # noqa: S311 - a seeded resampling, no secret
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[int(RESAMPLES * 0.025)], medians[int(RESAMPLES * 0.975) - 1]
