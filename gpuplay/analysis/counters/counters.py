"""Counters of a run by name, and those of two runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gpuplay.lockstep.record import Banks, Counts, Traffic

Unit: TypeAlias = Literal["count", "share", "bytes", "ratio"]
Value: TypeAlias = Callable[[Counts], float | None]


@dataclass(frozen=True)
class Counter:
    """One counter: its name, how to write it, and how to read it; None where it has no meaning."""

    name: str
    unit: Unit
    value: Value


@dataclass(frozen=True)
class Pair:
    """One counter of two runs, and the second over the first; None where the first is 0 or either is unknown."""

    name: str
    unit: Unit
    left: float | None
    right: float | None

    @property
    def ratio(self) -> float | None:
        """The second run's counter as a multiple of the first's."""
        return self.right / self.left if self.left and self.right is not None else None


def _of_traffic(name: str, of: Callable[[Counts], Traffic]) -> tuple[Counter, ...]:
    return (
        Counter(f"{name}: requests", "count", lambda c: of(c).requests),
        Counter(f"{name}: sectors", "count", lambda c: of(c).sectors),
        Counter(f"{name}: sectors a request", "ratio", lambda c: _over(of(c).sectors, of(c).requests)),
        Counter(f"{name}: ideal", "ratio", lambda c: _over(of(c).ideal_sectors, of(c).requests)),
        Counter(f"{name}: bytes asked for", "bytes", lambda c: of(c).bytes_asked),
        Counter(f"{name}: bytes moved", "bytes", lambda c: of(c).bytes_moved),
    )


def _of_banks(name: str, of: Callable[[Counts], Banks]) -> tuple[Counter, ...]:
    return (
        Counter(f"{name}: requests", "count", lambda c: of(c).requests),
        Counter(f"{name}: wavefronts", "count", lambda c: of(c).wavefronts),
        Counter(f"{name}: ideal", "count", lambda c: of(c).ideal_wavefronts),
        Counter(f"{name}: worst conflict, ways", "count", lambda c: of(c).worst_ways),
    )


def _over(amount: float, by: float) -> float | None:
    return amount / by if by else None


COUNTERS = (
    Counter("warp instructions", "count", lambda c: c.warp_instructions),
    Counter("active lanes", "share", lambda c: c.active_share if c.warp_instructions else None),
    Counter("branches", "count", lambda c: c.branches),
    Counter("branches that split a warp", "count", lambda c: c.divergent),
    *_of_traffic("global loads", lambda c: c.global_loads),
    *_of_traffic("global stores", lambda c: c.global_stores),
    *_of_banks("shared loads", lambda c: c.shared_loads),
    *_of_banks("shared stores", lambda c: c.shared_stores),
    Counter("local memory, bytes moved", "bytes", lambda c: c.local_bytes),
    Counter("atomics: operations", "count", lambda c: c.atomics.operations),
    Counter("atomics: most lanes of a warp at one word", "count", lambda c: c.atomics.worst),
    Counter("atomics: most operations on one word", "count", lambda c: c.atomics.hottest),
    Counter("barriers, by warps", "count", lambda c: c.barriers),
    Counter("shuffles and votes", "count", lambda c: c.shuffles),
    Counter("float32 operations", "count", lambda c: c.float32),
    Counter("float64 operations", "count", lambda c: c.float64),
    Counter("integer operations", "count", lambda c: c.integer),
    Counter("special functions", "count", lambda c: c.special),
    Counter("FLOPs for each byte moved", "ratio", lambda c: c.intensity),
)


def pairs(left: Counts, right: Counts) -> tuple[Pair, ...]:
    """All counters of two runs that are not 0 in both."""
    found = (Pair(c.name, c.unit, c.value(left), c.value(right)) for c in COUNTERS)
    return tuple(pair for pair in found if pair.left or pair.right)


def values(counts: Counts) -> tuple[tuple[Counter, float], ...]:
    """All counters of one run that are not 0."""
    found = ((counter, counter.value(counts)) for counter in COUNTERS)
    return tuple((counter, value) for counter, value in found if value)
