"""The table: one line a size, a column a variant, × against the baseline, and what it comes to in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rich.text import Text

from gpuplay.analysis.sweep import verdict, warnings
from gpuplay.analysis.sweep.grid import Column as Variant
from gpuplay.analysis.sweep.grid import Grid, Line, arrange
from gpuplay.analysis.sweep.ratios import fastest, speedup, timed
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.events import State
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.units import count, percent, seconds, size_names
from gpuplay.views.sweep import headings, knobs, scaling
from gpuplay.views.sweep.cells import PENDING, Part, Scene, entry, rate, shows_bytes
from gpuplay.views.text import notes
from gpuplay.views.text.layout import GAP, Column, Entry, blocks, column, join, pack, stack, width_of, wrap

FEW_SAMPLES = 5
INDENT = 2
WIDEST_TEXT = 100
LIVE_WIDTHS: Mapping[Part, int] = {"ratio": 9, "time": 8, "rate": 11}  # of "verifying", "~86.8 ms", "200 GFLOP/s"


@dataclass(frozen=True)
class Table:
    """A table in pieces: header lines, blocks of lines, legend and footnotes, closing sentences."""

    header: list[Text]
    blocks: list[list[Text]]
    foot: list[Text]
    closing: list[Text]


@dataclass(frozen=True)
class Live:
    """What is known only while measuring: provisional results, running cells, and the lines in view."""

    provisional: frozenset[Cell]
    running: Mapping[Cell, State]
    window: tuple[int, int | None] = (0, None)


@dataclass(frozen=True)
class _Fit:
    parts: tuple[Part, ...]
    base: tuple[Part, ...]
    split: bool = False


_RATIOS = (
    _Fit(("ratio", "time", "rate"), ("time", "rate")),
    _Fit(("ratio", "time"), ("time", "rate")),
    _Fit(("ratio",), ("time", "rate")),
    _Fit(("ratio",), ("time",)),
    _Fit(("ratio",), ("time",), split=True),
)
_TIMES = (
    _Fit(("time", "rate"), ("time", "rate")),
    _Fit(("time",), ("time",)),
    _Fit(("time",), ("time",), split=True),
)


def render(
    record: Record, plan: Plan, width: int, *, elapsed_s: float | None = None, interrupted: bool = False
) -> Text:
    """The final table as text, no line wider than ``width`` unless a single word is."""
    table = compose(record, plan, width)
    sentences = list(verdict.sentences(arrange(record.results, plan), interrupted=interrupted))
    if elapsed_s is not None:
        sentences[-1] = f"{sentences[-1].removesuffix('.')} · {seconds(elapsed_s)}"
    closing = wrap(" ".join(sentences), min(width, WIDEST_TEXT), first=" " * INDENT)
    return assemble(replace(table, closing=closing))


def render_warnings(record: Record, width: int) -> Text | None:
    """Warnings with their remedies, for stderr; None where there are none."""
    found = warnings.collect(record)
    if not found:
        return None
    lines = (line for text in found for line in wrap(text, min(width, WIDEST_TEXT), first="  ! ", rest="    "))
    return stack([Text(), *lines])


def assemble(table: Table) -> Text:
    """The pieces of a table one below the other."""
    lines = [*table.header]
    for block in table.blocks:
        lines += [Text(), *block]
    for part in (table.foot, table.closing):
        lines += [Text(), *part] if part else []
    return stack(lines)


def compose(record: Record, plan: Plan, width: int, live: Live | None = None) -> Table:
    """The pieces of a table: of final results, or while measuring."""
    grid = arrange(record.results, plan)
    scene = _scene(grid, record, live)
    lines = grid.lines[slice(*live.window)] if live else grid.lines
    columns = _fitted(scene, lines, width - INDENT, live=live is not None)
    drawn = [_spaced(join(block, INDENT), lines) for block in columns]
    drawn += knobs.draw(scene, lines, width, INDENT)
    if live is None:
        drawn += scaling.draw(grid, record.machine, min(width, WIDEST_TEXT), INDENT)
    explained = [f"{mark} {text}" for mark, text in scene.notes.texts]
    foot = pack([*_legend(scene, lines, live=live is not None), *explained], min(width, WIDEST_TEXT), INDENT)
    full = max([width_of(block) + INDENT for block in columns] + [76])
    head = headings.lines(record, plan, grid, min(width, max(full, WIDEST_TEXT)), final=live is None)
    return Table(head, drawn, foot, [])


def whole(record: Record, plan: Plan) -> tuple[list[Column], Scene]:
    """All columns in one block of any width, ratios and times in each, and what they were drawn from."""
    grid = arrange(record.results, plan)
    scene = _scene(grid, record, None)
    leading, columns = _columns(scene, grid.lines, _RATIOS[1] if grid.baseline else _TIMES[0], live=False)
    return [*leading, *columns], scene


def _scene(grid: Grid, record: Record, live: Live | None) -> Scene:
    shown = [line.result(column.name) for line in grid.lines for column in grid.columns]
    swept = [
        slot.result
        for column in grid.columns
        if column.swept
        for line in grid.lines
        for slot in line.slots.get(column.name, ())
    ]
    name = size_names(line.size for line in grid.lines)
    several = {column.name for column in grid.columns if column.swept}
    found = notes.collect([result for result in [*shown, *swept] if result], name, several)
    timed_results = tuple(result for result in record.results if timed(result))
    provisional, running = (live.provisional, live.running) if live else (frozenset[Cell](), {})
    return Scene(grid, found, shows_bytes(timed_results), provisional, running)


def _fitted(scene: Scene, lines: Sequence[Line], width: int, *, live: bool) -> list[list[Column]]:
    """The columns with as much in each cell as the width allows; several blocks where even the least is too wide."""
    for fit in _RATIOS if scene.grid.baseline else _TIMES:
        leading, columns = _columns(scene, lines, fit, live=live)
        if width_of([*leading, *columns]) <= width:
            return [[*leading, *columns]]
    return blocks(leading, columns, width)


def _columns(scene: Scene, lines: Sequence[Line], fit: _Fit, *, live: bool) -> tuple[list[Column], list[Column]]:
    grid = scene.grid
    name = size_names(line.size for line in grid.lines)
    leading = [column([axis], [Entry((line.axes[i],)) for line in lines]) for i, axis in enumerate(grid.axes)]
    leading.append(column(["n"], [Entry((name(line.size),)) for line in lines]))
    columns = [_best(scene, lines, fit)] if grid.baseline == "best" else []
    for variant in grid.columns:
        is_base = variant.name == grid.baseline
        parts = fit.base if is_base else fit.parts
        least = sum(LIVE_WIDTHS[part] for part in parts) + GAP * (len(parts) - 1) if live else 0
        copied = _copied(grid, variant)
        draw = partial(_column, scene, lines, variant, parts, split=fit.split, least=least)
        columns.append(draw(below=_below(variant, kernel=copied)))
        if copied:
            columns.append(draw(below="with copies", copies=True))
    return leading, [*columns, _spread(scene, lines)]


def _column(
    scene: Scene,
    lines: Sequence[Line],
    variant: Variant,
    parts: tuple[Part, ...],
    *,
    split: bool,
    below: str,
    copies: bool = False,
    least: int = 0,
) -> Column:
    target, _, short = variant.name.partition(":")
    names = [f"{target}:", short] if split else [variant.name]
    details = _narrow(below) if split else [below]
    more = [f"best {', '.join(variant.swept)}"] if variant.swept else []
    if variant.variant.prepare is not None:
        more = ["prepacked", *more]
    if variant.variant.formats.label:
        more = [variant.variant.formats.label, *more]
    entries = [entry(scene, line, variant.name, parts, copies=copies) for line in lines]
    return column([*names, *details, *more], entries, least=least, marks=int(least > 0), bold=len(names))


def _narrow(below: str) -> list[str]:
    """'MIMD, 2 th' and 'with copies' on two lines each; '2 threads' as those of a library."""
    if below.endswith(("thread", "threads")):
        return ["library", f"{below.split(maxsplit=1)[0]} th"]
    return below.split(", ") if ", " in below else below.split()


def _below(variant: Variant, *, kernel: bool) -> str:
    """The header line under a variant's name: its class and threads."""
    flynn, threads = variant.variant.flynn, variant.threads
    if variant.interpreted:
        return "interpreted"
    if variant.variant.kind.on_gpu:
        return f"{flynn}, kernel" if kernel else flynn
    if flynn == "library":
        return count(threads, "thread") if threads else flynn
    return f"{flynn}, {threads} th" if threads else flynn


def _best(scene: Scene, lines: Sequence[Line], fit: _Fit) -> Column:
    """The fastest library of every row, where that is the baseline."""
    entries = []
    for line in lines:
        base = scene.grid.base(line)
        time = base.time if base else None
        values = (seconds(time.median_s), rate(base, by_bytes=scene.by_bytes)) if base and time else (PENDING,)
        entries.append(Entry(values[: len(fit.base)]))
    return column(["fastest", "library"], entries)


def _copied(grid: Grid, variant: Variant) -> bool:
    """Whether a variant's arrays had to be copied to it: then it takes two columns."""
    results = (line.result(variant.name) for line in grid.lines)
    return any(result is not None and timed(result) and result.transfer is not None for result in results)


def _spread(scene: Scene, lines: Sequence[Line]) -> Column:
    entries = []
    for line in lines:
        results = [line.result(column.name) for column in scene.grid.columns]
        times = [r.time for r in results if r is not None and timed(r) and r.time is not None]
        fewest = min((time.samples for time in times), default=FEW_SAMPLES)
        if fewest < FEW_SAMPLES:
            entries.append(Entry((count(fewest, "run"),)))
        else:
            entries.append(Entry((percent(max(time.spread for time in times)) if times else "",)))
    return column(["spread", "(worst)"], entries, units=False)


def _spaced(drawn: list[Text], lines: Sequence[Line]) -> list[Text]:
    """An empty line wherever a param or the threads change."""
    head = len(drawn) - len(lines)
    spaced = drawn[:head]
    for place, line in enumerate(lines):
        if place and line.axes != lines[place - 1].axes:
            spaced.append(Text())
        spaced.append(drawn[head + place])
    return spaced


def _legend(scene: Scene, lines: Sequence[Line], *, live: bool) -> list[str]:
    """What the marks mean, only those that are there."""
    grid = scene.grid
    base = "the fastest library" if grid.baseline == "best" else grid.baseline
    rows = [[line.result(column.name) for column in grid.columns] for line in lines]
    raced = [row for row in rows if sum(timed(result) for result in row) > 1]
    firsts = [len(fastest(row, copies=copies)) for row in raced for copies in (False, True)]
    several = ", several in a row: a tie" if max(firsts, default=0) > 1 else ""
    among = " in full precision" if any(column.variant.precision for column in grid.columns) else ""
    said = [f"◂ fastest{among}{several}"] if any(firsts) else []
    orders = set(_orders(scene, lines))
    if "tie" in orders:
        said.append(f"≈ tie with {base}")
    if "uncertain" in orders:
        said.append("? order uncertain: one round, or too much noise")
    if live:
        return [*said, "~ provisional"]
    if any(result is None for row in rows for result in row):
        said.append(f"{PENDING} not measured")
    bare = [row for line, row in zip(lines, rows, strict=True) if grid.baseline and not timed(grid.base(line))]
    if any(timed(result) for row in bare for result in row):
        said.append(f"times where {base} has none")
    return [*said, *_errors(grid, rows)]


def _errors(grid: Grid, rows: Sequence[Sequence[Result | None]]) -> Iterable[str]:
    """How far off the variants were whose numbers are not all of the problem's dtype."""
    for place, shown in enumerate(grid.columns):
        results = [row[place] for row in rows]
        errors = [r.error.max_abs for r in results if r and timed(r) and r.error and r.error.max_abs is not None]
        if shown.variant.formats.text and errors:
            yield f"{shown.name} ({shown.variant.formats.label}) is off by {max(errors):.2g} at most"


def _orders(scene: Scene, lines: Iterable[Line]) -> Iterable[str]:
    """How results stand to the baseline, where both are final."""
    for line in lines:
        for variant in scene.grid.columns:
            result = line.result(variant.name)
            base = scene.grid.base(line, result.precision if result else "")
            if base is None or result is None or result is base or {base.cell, result.cell} & scene.provisional:
                continue
            found = speedup(result, base)
            if found:
                yield found.order
