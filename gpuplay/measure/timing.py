"""Samples, when there are enough of them, and what they say. Times in seconds a call."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gpuplay.plan.settings import FEWEST_SAMPLES

SHORTEST_SAMPLE_S = 1e-3
PRECISE = 0.005
WARM_AGREEMENT = 0.10
WARM_LIMIT_S = 0.1
MOST_LOOPS = 10_000_000

Clock = Callable[[int], float]


def median_precision(samples: Sequence[float]) -> float:
    """Half the 95 % order-statistic interval of the median, as a fraction of the median.

    The ranks are n/2 ± 0.98·√n (the normal approximation of the binomial distribution;
    Le Boudec, "Performance Evaluation of Computer and Communication Systems", table A.1).
    Infinite for fewer than six samples, which give no such interval.
    """
    n = len(samples)
    if n < 6:
        return float("inf")
    ranked = sorted(samples)
    reach = 0.98 * n**0.5
    low, high = max(0, int(n / 2 - reach)), min(n - 1, int(n / 2 + reach))
    return (ranked[high] - ranked[low]) / 2 / statistics.median(ranked)


def calibrate(clock: Clock) -> int:
    """Loops for which one sample lasts at least a millisecond. ``clock(loops)`` is seconds for them all.

    The fastest of three decides: a single call that was interrupted would pass for a long one.
    """
    loops = 1
    while (spent := min(clock(loops) for _ in range(3))) < SHORTEST_SAMPLE_S and loops < MOST_LOOPS:
        wanted = SHORTEST_SAMPLE_S / max(spent, 1e-9) * 1.2
        loops = min(max(loops * 2, int(loops * min(wanted, 100))), MOST_LOOPS)
    return loops


def warm_up(clock: Clock, loops: int) -> float:
    """Discard samples until two in a row agree within 10 %, or 0.1 s has passed; seconds of the last one."""
    deadline = time.perf_counter() + WARM_LIMIT_S
    current = clock(loops)
    agreed = False
    while not agreed and time.perf_counter() < deadline:
        previous, current = current, clock(loops)
        agreed = abs(current - previous) <= WARM_AGREEMENT * previous
    return current


def sample(clock: Clock, loops: int, budget_s: float, fewest: int) -> list[float]:
    """Seconds a call, sample by sample, until the median is known to 0.5 % or the budget is spent."""
    samples: list[float] = []
    deadline = time.perf_counter() + budget_s
    with collector_off():
        while True:
            samples.append(clock(loops) / loops)
            if len(samples) < fewest:
                continue
            if time.perf_counter() >= deadline:
                return samples
            if len(samples) >= FEWEST_SAMPLES and median_precision(samples) < PRECISE:
                return samples


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep Python's garbage collector from running inside a sample."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
