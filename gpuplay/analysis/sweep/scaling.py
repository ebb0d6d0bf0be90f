"""How a variant's time falls with its threads, and the serial part that would explain it.

Amdahl's law, t(p) = t₁·(s + (1 − s)/p), gives s, the share of the work that more threads do not speed up
(G. Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities", 1967).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import Speedup, speedup, timed
from gpuplay.results.result import Result

FEWEST_COUNTS = 3  # two counts fit any serial part exactly


@dataclass(frozen=True)
class Point:
    """One thread count: the speed-up on the fewest threads, and that as a share of what the threads could give."""

    threads: int
    speedup: Speedup
    efficiency: float


@dataclass(frozen=True)
class AmdahlFit:
    """The serial part s by least squares over the medians; ``low`` and ``high`` are its range over the rounds.

    Below 0 the times fall faster than the threads rise. The range is None where there was one round.
    """

    serial: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ThreadScaling:
    """One variant on one problem at several thread counts, rising; ``fewest`` are the threads under every speed-up.

    ``fit`` is None with fewer than three counts of no more threads than the machine has cores.
    """

    variant: str
    line: Line
    fewest: int
    points: tuple[Point, ...]
    fit: AmdahlFit | None = None


def scalings(grid: Grid, cores: int | None) -> tuple[ThreadScaling, ...]:
    """Every variant that was timed at two thread counts or more, problem by problem; ``cores`` bounds the fit."""
    found = []
    for column in grid.columns:
        if column.threads is None:
            for lines in _problems(grid):
                timings = {line.threads: result for line in lines if (result := line.result(column.name)) is not None}
                rising = {count: timings[count] for count in sorted(timings) if timed(timings[count])}
                if len(rising) > 1:
                    found.append(_scaling(column.name, lines[0], rising, cores))
    return tuple(found)


def serial_part(times: Mapping[int, float]) -> float | None:
    """The serial part s that fits seconds by thread count best; None with fewer than three counts.

    t(p) = a + b/p is a line in 1/p, with a = t₁·s and b = t₁·(1 − s), so that s = a/(a + b).
    """
    if len(times) < FEWEST_COUNTS:
        return None
    slope, intercept = statistics.linear_regression([1 / count for count in times], list(times.values()))
    one_thread_s = intercept + slope
    return intercept / one_thread_s if one_thread_s > 0 else None


def as_json(found: Iterable[ThreadScaling]) -> list[dict[str, Any]]:
    """Scalings as records of the ``gpuplay/1`` schema."""
    return [
        {
            "size": one.line.size,
            "params": dict(one.line.problem.params),
            "variant": one.variant,
            "fewest_threads": one.fewest,
            "points": [
                {
                    "threads": point.threads,
                    "speedup": point.speedup.ratio,
                    "speedup_low": point.speedup.low,
                    "speedup_high": point.speedup.high,
                    "efficiency": point.efficiency,
                }
                for point in one.points
            ],
            "serial": {"fit": one.fit.serial, "low": one.fit.low, "high": one.fit.high} if one.fit else None,
        }
        for one in found
    ]


def _problems(grid: Grid) -> list[list[Line]]:
    """Lines that differ only in their threads, in the grid's order."""
    grouped: dict[Any, list[Line]] = {}
    for line in grid.lines:
        grouped.setdefault(line.problem, []).append(line)
    return list(grouped.values())


def _scaling(variant: str, line: Line, rising: Mapping[int, Result], cores: int | None) -> ThreadScaling:
    fewest, base = next(iter(rising.items()))
    points = []
    for count, result in rising.items():
        found = speedup(result, base)
        assert found is not None
        points.append(Point(count, found, found.ratio * fewest / count))
    fitting = {count: result for count, result in rising.items() if cores is None or count <= cores}
    return ThreadScaling(variant, line, fewest, tuple(points), _fit(fitting))


def _fit(rising: Mapping[int, Result]) -> AmdahlFit | None:
    """The fit over medians, and its range over the rounds that every count took part in."""
    serial = serial_part({count: _median(result) for count, result in rising.items()})
    if serial is None:
        return None
    rounds = zip(*([statistics.median(r) for r in _rounds(result)] for result in rising.values()), strict=False)
    tried = [serial_part(dict(zip(rising, times, strict=True))) for times in rounds]
    known = [value for value in tried if value is not None]
    return AmdahlFit(serial, min(known), max(known)) if len(known) > 1 else AmdahlFit(serial)


def _median(result: Result) -> float:
    assert result.time is not None
    return result.time.median_s


def _rounds(result: Result) -> Sequence[Sequence[float]]:
    assert result.time is not None
    return [samples for samples in result.time.rounds if samples]
