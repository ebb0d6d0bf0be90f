"""A plan and the results so far as a grid: a line for each problem and thread count, a column a variant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpuplay.analysis.sweep.ratios import seconds, timed
from gpuplay.kernel import Problem, Variant
from gpuplay.plan.cells import Plan, PlannedCell, Row, takes_threads
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result

_RANK = ("wrong", "failed", "verified", "skipped")


@dataclass(frozen=True)
class Slot:
    """One cell of a line and what came of it; None while it is not finished."""

    cell: Cell
    result: Result | None = None


@dataclass(frozen=True)
class Line:
    """All cells of one problem at one thread count. ``axes`` are the values of the varying axes, as text."""

    problem: Problem
    threads: int
    axes: tuple[str, ...]
    slots: Mapping[str, tuple[Slot, ...]]

    @property
    def size(self) -> int:
        """The swept size n."""
        return self.problem.n

    def result(self, variant: str) -> Result | None:
        """The variant's fastest result over its knob values; without a time, the gravest."""
        results = [slot.result for slot in self.slots.get(variant, ()) if slot.result]
        times = [result for result in results if timed(result)]
        if times:
            return min(times, key=seconds)
        return min(results, key=lambda r: _RANK.index(r.status) if r.status in _RANK else 0, default=None)


@dataclass(frozen=True)
class VariantColumn:
    """A variant as a column. ``threads`` is None where they vary from line to line; ``swept`` are its varying knobs."""

    variant: Variant
    threads: int | None
    swept: tuple[str, ...] = ()
    absent: str = ""
    verified_to: int | None = None

    @property
    def timed(self) -> bool:
        """Whether the column has more to show than one reason why it has nothing."""
        return not self.absent and self.verified_to is None

    @property
    def name(self) -> str:
        """The variant's name, ``target:name``."""
        return self.variant.name

    @property
    def interpreted(self) -> bool:
        """Whether the variant runs in the Python interpreter."""
        return self.variant.kind.interpreted


@dataclass(frozen=True)
class Grid:
    """Lines by columns. ``axes`` names the varying axes; ``hidden`` are columns in which nothing was timed.

    A hidden column's ``absent`` says why, and ``verified_to`` up to which size it was found right.
    """

    axes: tuple[str, ...]
    lines: tuple[Line, ...]
    columns: tuple[VariantColumn, ...]
    hidden: tuple[VariantColumn, ...]
    fixed: tuple[tuple[str, str], ...]
    baseline: str | None

    def column(self, name: str) -> VariantColumn | None:
        """The shown column of a variant."""
        return next((column for column in self.columns if column.name == name), None)

    def base(self, line: Line, precision: str = "") -> Result | None:
        """The result under every × of a line; with the baseline ``best`` that of the fastest library of a precision."""
        if self.baseline != "best":
            return line.result(self.baseline) if self.baseline else None
        results = [line.result(column.name) for column in self.libraries]
        alike = (r for r in results if r is not None and timed(r) and r.precision == precision)
        return min(alike, key=seconds, default=None)

    @property
    def libraries(self) -> list[VariantColumn]:
        """The shown columns of library variants."""
        return [column for column in self.columns if column.variant.flynn == "library"]

    def groups(self) -> list[tuple[tuple[str, ...], list[Line]]]:
        """Lines that differ only in size, by their axes, sizes rising."""
        grouped: dict[tuple[str, ...], list[Line]] = {}
        for line in self.lines:
            grouped.setdefault(line.axes, []).append(line)
        return [(axes, sorted(lines, key=lambda line: line.size)) for axes, lines in grouped.items()]


def arrange(results: Iterable[Result], plan: Plan) -> Grid:
    """Results on their places in the plan; what the plan skips is a skipped result already."""
    found = {result.cell: result for result in results}
    varying = _varying(plan)
    counts = _thread_counts(plan)
    several = len(counts) > 1
    lines = tuple(
        Line(
            row.problem,
            threads,
            (*(str(dict(row.problem.params)[name]) for name in varying), *([str(threads)] if several else [])),
            _slots(row, found, plan, threads),
        )
        for row in plan.rows
        for threads in counts
    )
    if several:
        order = {axes: place for place, axes in enumerate(dict.fromkeys(line.axes for line in lines))}
        lines = tuple(sorted(lines, key=lambda line: order[line.axes]))
    columns = [_column(name, plan, lines, several=several) for name in plan.variants]
    shown = [column for column in columns if column.timed or column.name == plan.baseline]
    return Grid(
        axes=(*varying, *(["threads"] if several else [])),
        lines=lines,
        columns=tuple(shown or columns),
        hidden=tuple(column for column in columns if shown and column not in shown),
        fixed=_fixed(plan, varying),
        baseline=plan.baseline,
    )


def outcome(planned: PlannedCell, found: Mapping[Cell, Result], plan: Plan) -> Result | None:
    """The result of a planned cell: what was found, what the plan says already, or None."""
    result = found.get(planned.cell)
    if result is None and planned.skip:
        flynn = plan.kernel.variant(planned.cell.variant).flynn
        return Result(planned.cell, flynn, "skipped", planned.skip)
    return result


def _slots(row: Row, found: Mapping[Cell, Result], plan: Plan, threads: int) -> dict[str, tuple[Slot, ...]]:
    slots: dict[str, tuple[Slot, ...]] = {}
    for planned in row.cells:
        cell = planned.cell
        if not takes_threads(plan.kernel.variant(cell.variant)) or cell.threads == threads:
            slots[cell.variant] = (*slots.get(cell.variant, ()), Slot(cell, outcome(planned, found, plan)))
    return slots


def _thread_counts(plan: Plan) -> list[int]:
    """The thread counts of variants that use many, in plan order; at least one entry."""
    cells = (planned.cell for row in plan.rows for planned in row.cells)
    counts = dict.fromkeys(cell.threads for cell in cells if takes_threads(plan.kernel.variant(cell.variant)))
    return list(counts) or [1]


def _varying(plan: Plan) -> tuple[str, ...]:
    """Params that take several values at one size; those that follow n do not count."""
    seen: dict[tuple[str, int], set[object]] = {}
    for row in plan.rows:
        for name, value in row.problem.params:
            seen.setdefault((name, row.problem.n), set()).add(value)
    return tuple(dict.fromkeys(name for (name, _), values in seen.items() if len(values) > 1))


def _fixed(plan: Plan, varying: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Params with one value throughout, without those that follow n."""
    values: dict[str, set[object]] = {}
    follows = {param.name for param in plan.kernel.params if param.default is None}
    for row in plan.rows:
        for name, value in row.problem.params:
            values.setdefault(name, set()).add("n" if name in follows and value == row.problem.n else value)
    return tuple(
        (name, str(next(iter(found))))
        for name, found in values.items()
        if name not in varying and len(found) == 1 and found != {"n"}
    )


def _column(name: str, plan: Plan, lines: Sequence[Line], *, several: bool) -> VariantColumn:
    variant = plan.kernel.variant(name)
    slots = [slot for line in lines for slot in line.slots.get(name, ())]
    values: dict[str, set[int]] = {}
    for slot in slots:
        for knob, value in slot.cell.knobs:
            values.setdefault(knob, set()).add(value)
    swept = tuple(knob for knob, found in values.items() if len(found) > 1)
    threads = None if several and takes_threads(variant) else next((slot.cell.threads for slot in slots), 1)
    absent, verified_to = _absence(slots, plan, name)
    return VariantColumn(variant, threads, swept, absent, verified_to)


def _absence(slots: Sequence[Slot], plan: Plan, name: str) -> tuple[str, int | None]:
    """Why a whole column has nothing to show, and the largest size at which it was found right."""
    results = [slot.result for slot in slots]
    if not results or any(r is None or r.status not in ("skipped", "verified") for r in results):
        return "", None
    known = [r for r in results if r is not None]
    reasons = {r.reason for r in known if r.status == "skipped"}
    if len(reasons) > 1:
        return "", None
    right = [size for r in known for size in (r.verified_at or ())]
    right += [r.cell.size for r in known if r.status == "verified" and not r.verified_at]
    notice = next((notice for notice in plan.notices if notice.startswith(f"{name} not ")), f"{name} skipped:")
    reason = next(iter(reasons), "")
    if right:
        return reason or next((r.reason for r in known if r.reason), ""), max(right)
    return f"{notice.removeprefix(name + ' ').partition(':')[0]}: {reason}", None
