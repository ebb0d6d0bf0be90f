"""The closing sentences: what each class gains, who leads from which size on, and what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import geometric_mean

from gpuplay.analysis.sweep.gains import Gain, Steps, steps
from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.leads import leads
from gpuplay.analysis.sweep.ratios import fastest, seconds, speedup, timed
from gpuplay.results.result import Result
from gpuplay.units import count, gain, size_names


def sentences(grid: Grid, *, interrupted: bool = False) -> tuple[str, ...]:
    """Every sentence the results support, in the order to be read."""
    name = size_names(line.size for line in grid.lines)
    head = "Interrupted: " if interrupted else ""
    return (*_gains(steps(grid)), *leads(grid, name), *_against_best(grid, name), *sweeps(grid), head + tally(grid))


def tally(grid: Grid) -> str:
    """How many cells were measured, and what came of the others."""
    counted = {
        slot.cell: slot.result
        for line in grid.lines
        for column in grid.columns
        for slot in line.slots.get(column.name, ())
    }
    states = Counter(result.status if result else "not measured" for result in counted.values())
    ok, total = states.pop("ok", 0), len(counted)
    text = f"{ok} of {count(total, 'cell')} measured" if ok < total else f"{count(total, 'cell')} measured"
    order = ("wrong", "failed", "verified", "skipped", "not measured")
    words = {"verified": "verified but not timed"}
    rest = [f"{states[state]} {words.get(state, state)}" for state in order if states[state]]
    troubled = states["wrong"] or states["failed"]
    if troubled:
        return f"{text}; {', '.join(rest)}."
    if not ok:
        return f"{text}: {', '.join(rest)}."
    return f"{text}, {'all ' if ok > 1 else ''}verified{'; ' + ', '.join(rest) if rest else ''}."


def _gains(found: Steps) -> list[str]:
    said = []
    if found.compiled:
        said.append(f"Compiled scalar code is {_times(found.compiled)} interpreted Python.")
    clauses = []
    if found.simd:
        clauses.append(f"SIMD is {_times(found.simd)} scalar")
    cores = [pair for pair in found.cores if pair[0] > 1 or len(found.cores) == 1]
    for threads, value in cores:
        word = "is" if threads == 1 else "are"
        clauses.append(
            f"{count(threads, 'thread')} {word if not clauses else ''} {_times(value)} one".replace("  ", " ")
        )
    if clauses:
        many = ", ".join(
            (f"{_times(value)}" if len(cores) == 1 else f"{_times(value)} with {threads}")
            for threads, value in found.together
            if threads > 1 or len(found.together) == 1
        )
        together = f": together {many}" if found.simd and found.cores and many else ""
        said.append(", ".join(clauses) + together + ".")
    elif found.together:
        threads, value = found.together[-1]
        said.append(f"{count(threads, 'thread')} with SIMD are {_times(value)} scalar.")
    if found.simt and found.simt_over:
        below = {"MIMD": "all cores", "SIMD": "one core's SIMD", "SISD": "scalar"}[found.simt_over]
        copies = f", {_times(found.simt_copies)} with copies" if found.simt_copies else ""
        said.append(f"SIMT is {_times(found.simt)} {below}{copies}.")
    return said


def _times(value: Gain) -> str:
    return gain(value.low, value.high)


def _against_best(grid: Grid, name: Callable[[int], str]) -> list[str]:
    """How our fastest variants stand against the fastest libraries, where those are the baseline."""
    found = _standing(grid)
    if found is None:
        return []
    head = f"Our fastest variant is {found.mean:.2f}× the fastest library"
    if found.rows == 1:
        return [f"{head}."]
    values = (f"{axis} {value}" for axis, value in zip(grid.axes, found.worst_at.axes, strict=True))
    where = ", ".join([*values, f"n = {name(found.worst_at.size)}"])
    return [f"{head} in the geometric mean of {found.rows} rows, {found.worst:.2f}× at worst ({where})."]


@dataclass(frozen=True)
class AgainstBest:
    """The ratios of our fastest variant to the fastest library, row by row: above 1 where ours is faster."""

    mean: float
    worst: float
    worst_at: Line
    rows: int


def _standing(grid: Grid) -> AgainstBest | None:
    """Over all rows where both were timed; None where there are none, or ``best`` is not the baseline.

    A library on the host's cores is no rival of GPU variants, nor one on the GPU of the host's.
    """
    if grid.baseline != "best":
        return None
    found = [(ratio, line) for line in grid.lines if (ratio := _ratio(grid, line)) is not None]
    if not found:
        return None
    worst, where = min(found, key=lambda pair: pair[0])
    return AgainstBest(geometric_mean(ratio for ratio, _ in found), worst, where, len(found))


def _ratio(grid: Grid, line: Line) -> float | None:
    base = grid.base(line)
    on_gpu = base is not None and base.cell.kind.on_gpu
    ours = [c.name for c in grid.columns if c not in grid.libraries and c.variant.kind.on_gpu == on_gpu]
    known = [result for name in ours if (result := line.result(name)) is not None and timed(result)]
    times = [result for result in known if not result.precision]
    if base is None or not times:
        return None
    compared = speedup(min(times, key=seconds), base)
    return compared.ratio if compared else None


def sweeps(grid: Grid) -> list[str]:
    """Which knob values are the fastest, or tied for it, at every size."""
    said = []
    for column in grid.columns:
        rows = [[slot.result for slot in line.slots.get(column.name, ())] for line in grid.lines]
        rows = [row for row in rows if sum(timed(result) for result in row) > 1]
        if not column.swept or not rows:
            continue
        best = [found for row in rows if (found := {_knobs(result, column.swept) for result in fastest(row)})]
        if not best:
            said.append(f"Which {', '.join(column.swept)} is the fastest of {column.name} is uncertain.")
            continue
        always = [
            value
            for value in dict.fromkeys(v for found in best for v in sorted(found))
            if all(value in b for b in best)
        ]
        where = "at every size" if len(rows) > 1 else "here"
        where = where if len(best) == len(rows) else "wherever the order is certain"
        if always:
            tied = " or tied for it" if any(len(found) > 1 for found in best) else ""
            said.append(f"{column.name} is fastest{tied} with {' and '.join(always)} {where}.")
        else:
            said.append(f"No one {', '.join(column.swept)} is the fastest of {column.name} {where}.")
    return said


def _knobs(result: Result, swept: tuple[str, ...]) -> str:
    return ", ".join(f"{knob} {value}" for knob, value in result.cell.knobs if knob in swept)
