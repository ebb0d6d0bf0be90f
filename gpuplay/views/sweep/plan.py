"""``--plan``: what would run, how much work and memory it is, and what will not run and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.plan.cells import Plan, PlannedCell, Row, held_bytes
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.units import count, nbytes, seconds, size_names
from gpuplay.views.sweep import headings
from gpuplay.views.text import notes
from gpuplay.views.text.layout import Column, Entry, blocks, column, join, pack, stack, wrap

EMPTY = Record(version="", created="", argv=(), seed=0, machine={}, roofs=None)


def render(plan: Plan, width: int) -> Text:
    """The cells of a plan: a line a problem, a column a variant with what its cells are going to be."""
    grid = arrange((), plan)
    name = size_names(row.problem.n for row in plan.rows)
    skips = [_skipped(plan, planned) for row in plan.rows for planned in row.cells if planned.skip]
    shown = {column.name for column in grid.columns}
    explained = notes.collect([skip for skip in skips if skip.cell.variant in shown], name)
    varying = [axis for axis in grid.axes if axis != "threads"]
    leading = [column([axis], [Entry((str(dict(row.problem.params)[axis]),)) for row in plan.rows]) for axis in varying]
    leading.append(column(["n"], [Entry((name(row.problem.n),)) for row in plan.rows]))
    columns = [_work(plan.rows), _memory(plan)]
    columns += [_variant(plan, variant.name, explained) for variant in grid.columns]
    lines = headings.lines(EMPTY, plan, grid, width)
    for block in blocks(leading, columns, width - 2):
        lines += [Text(), *join(block, 2)]
    if explained.texts:
        lines += [Text(), *pack([f"{mark} {text}" for mark, text in explained.texts], width, 2)]
    return stack([*lines, Text(), *wrap(f"{summary(plan)}. {_limits(plan)}", width, first="  ")])


def summary(plan: Plan) -> str:
    """How many cells, how many of them are not timed or skipped, and the memory that the largest row needs."""
    cells = [planned for row in plan.rows for planned in row.all_cells]
    verified = sum(planned.verified_only for planned in cells)
    skipped = sum(bool(planned.skip) for planned in cells) - verified
    parts = [count(len(cells), "cell")]
    if verified:
        parts.append(f"{verified} verified only")
    if skipped:
        parts.append(f"{skipped} skipped")
    memory = max((held_bytes(plan.kernel, row) for row in plan.rows), default=0)
    if memory:
        parts.append(f"at most {nbytes(memory)} of arrays at a time")
    return ", ".join(parts)


def _skipped(plan: Plan, planned: PlannedCell) -> Result:
    return Result(planned.cell, plan.kernel.variant(planned.cell.variant).flynn, "skipped", planned.skip)


def _work(rows: Sequence[Row]) -> Column:
    flops = [next((planned.flops for planned in row.cells if planned.flops), None) for row in rows]
    return column(["work"], [Entry((_scaled(value),)) for value in flops])


def _scaled(flops: float | None) -> str:
    if not flops:
        return ""
    for name, factor in (("TFLOP", 1e12), ("GFLOP", 1e9), ("MFLOP", 1e6), ("kFLOP", 1e3)):
        if flops >= factor:
            return f"{flops / factor:.3g} {name}"
    return f"{flops:.0f} FLOP"


def _memory(plan: Plan) -> Column:
    held = [held_bytes(plan.kernel, row) for row in plan.rows]
    return column(["arrays"], [Entry((nbytes(many) if many else "",)) for many in held])


def _variant(plan: Plan, name: str, explained: notes.Notes) -> Column:
    """Whether a variant runs on each row: how many cells, or the footnote that says why not."""
    entries = []
    for row in plan.rows:
        cells = [planned for planned in row.cells if planned.cell.variant == name]
        running = [planned for planned in cells if not planned.skip]
        marks = "".join(dict.fromkeys(explained.marks.get(p.cell, "") for p in cells if p.skip))
        what = "run" if len(running) == 1 else f"{len(running)} cells" if running else "–"
        entries.append(Entry((f"{what} {marks}".rstrip(),)))
    return column([name], entries)


def _limits(plan: Plan) -> str:
    limits = plan.settings
    running = sum(not planned.skip for row in plan.rows for planned in row.cells)
    sampling = f"Sampling takes about {seconds(running * limits.cell_time_s)}, {limits.cell_time_s:g} s a cell"
    sampling += f" in {count(limits.rounds, 'round')}; building and verifying come on top"
    bounds = f"A cell that would take over {limits.cell_limit_s:g} s is skipped"
    if limits.time_s:
        bounds += f", all ends after {seconds(limits.time_s)}"
    return f"{sampling}. {bounds}. Nothing was run."
