"""The samples of a cell, and what they say."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Samples of one cell, seconds a call; each sample is the mean of ``loops`` calls."""

    median_s: float
    q1_s: float
    q3_s: float
    min_s: float
    loops: int
    rounds: tuple[tuple[float, ...], ...]

    @property
    def samples(self) -> int:
        """Number of samples over all rounds."""
        return sum(len(r) for r in self.rounds)

    @property
    def spread(self) -> float:
        """Quartile spread as a fraction of the median: (q3 − q1) / median."""
        return (self.q3_s - self.q1_s) / self.median_s


def summarize(rounds: Sequence[Sequence[float]], loops: int) -> Timing:
    """Median, quartiles and minimum over the samples of all rounds."""
    samples = sorted(sample for turn in rounds for sample in turn)
    q1, median, q3 = statistics.quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else samples * 3
    return Timing(median, q1, q3, samples[0], loops, tuple(tuple(turn) for turn in rounds))
