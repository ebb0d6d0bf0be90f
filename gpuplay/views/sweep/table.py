"""The table: one line a size, a column a variant, × against the baseline, and what it comes to in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rich.text import Text

from gpuplay.analysis.sweep import verdict, warnings
from gpuplay.analysis.sweep.grid import Grid, Line, VariantColumn, arrange
from gpuplay.analysis.sweep.ratios import timed
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.events import State
from gpuplay.results.record import Record
from gpuplay.units import count, seconds, size_names
from gpuplay.views.sweep import headings, knobs, scaling
from gpuplay.views.sweep.cells import entry
from gpuplay.views.sweep.figures import (
    RATIOS,
    TIMES,
    Contents,
    Part,
    Scene,
    fastest_library,
    leading,
    shows_bytes,
    trailing,
)
from gpuplay.views.sweep.legend import legend
from gpuplay.views.text import figures, notes
from gpuplay.views.text.layout import (
    GAP,
    INDENT,
    WIDEST_TEXT,
    Column,
    blocks,
    column,
    join,
    pack,
    stack,
    width_of,
    wrap,
)


@dataclass(frozen=True)
class Table:
    """A table in pieces: header lines, blocks of lines, legend and footnotes, closing sentences; and its grid."""

    grid: Grid
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


def render(
    record: Record, plan: Plan, width: int, *, elapsed_s: float | None = None, interrupted: bool = False
) -> Text:
    """The final table as text, no line wider than ``width`` unless a single word is."""
    table = compose(record, plan, width)
    sentences = list(verdict.sentences(table.grid, interrupted=interrupted))
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
    shown = [one for block in columns for one in block]
    foot = pack([*legend(scene, lines, shown, live=live is not None), *explained], min(width, WIDEST_TEXT), INDENT)
    full = max([width_of(block) + INDENT for block in columns] + [76])
    head = headings.lines(record, plan, grid, min(width, max(full, WIDEST_TEXT)), final=live is None)
    return Table(grid, head, drawn, foot, [])


def whole(record: Record, plan: Plan) -> tuple[list[Column], list[str], Scene]:
    """All columns in one block of any width, ratios and times in each, their legend, and what they were drawn from."""
    grid = arrange(record.results, plan)
    scene = _scene(grid, record, None)
    names, columns = _columns(scene, grid.lines, RATIOS[1] if grid.baseline else TIMES[0], live=False)
    return [*names, *columns], legend(scene, grid.lines, columns), scene


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
    for fit in RATIOS if scene.grid.baseline else TIMES:
        names, columns = _columns(scene, lines, fit, live=live)
        if width_of([*names, *columns]) <= width:
            return [[*names, *columns]]
    return blocks(names, columns, width)


def _columns(scene: Scene, lines: Sequence[Line], fit: Contents, *, live: bool) -> tuple[list[Column], list[Column]]:
    grid = scene.grid
    columns = [fastest_library(scene, fit.base).column(lines)] if grid.baseline == "best" else []
    for shown in grid.columns:
        parts = fit.base if shown.name == grid.baseline else fit.parts
        least = sum(part.width for part in parts) + GAP * (len(parts) - 1) if live else 0
        copied = _copied(grid, shown)
        draw = partial(_column, scene, lines, shown, parts, split=fit.split, least=least)
        columns.append(draw(below=_below(shown, kernel=copied)))
        if copied:
            columns.append(draw(below="with copies", copies=True))
    return figures.columns(leading(grid), lines), [*columns, *figures.columns(trailing(scene), lines)]


def _column(
    scene: Scene,
    lines: Sequence[Line],
    shown: VariantColumn,
    parts: tuple[Part, ...],
    *,
    split: bool,
    below: str,
    copies: bool = False,
    least: int = 0,
) -> Column:
    target, _, short = shown.name.partition(":")
    names = [f"{target}:", short] if split else [shown.name]
    details = _narrow(below) if split else [below]
    more = [f"best {', '.join(shown.swept)}"] if shown.swept else []
    if shown.variant.prepare is not None:
        more = ["prepacked", *more]
    if shown.variant.formats.label:
        more = [shown.variant.formats.label, *more]
    entries = [entry(scene, line, shown.name, parts, copies=copies) for line in lines]
    return column([*names, *details, *more], entries, least=least, marks=int(least > 0), bold=len(names))


def _narrow(below: str) -> list[str]:
    """'MIMD, 2 th' and 'with copies' on two lines each; '2 threads' as those of a library."""
    if below.endswith(("thread", "threads")):
        return ["library", f"{below.split(maxsplit=1)[0]} th"]
    return below.split(", ") if ", " in below else below.split()


def _below(shown: VariantColumn, *, kernel: bool) -> str:
    """The header line under a variant's name: its class and threads."""
    flynn, threads = shown.variant.flynn, shown.threads
    if shown.interpreted:
        return "interpreted"
    if shown.variant.kind.on_gpu:
        return f"{flynn}, kernel" if kernel else flynn
    if flynn == "library":
        return count(threads, "thread") if threads else flynn
    return f"{flynn}, {threads} th" if threads else flynn


def _copied(grid: Grid, shown: VariantColumn) -> bool:
    """Whether a variant's arrays had to be copied to it: then it takes two columns."""
    results = (line.result(shown.name) for line in grid.lines)
    return any(result is not None and timed(result) and result.transfer is not None for result in results)


def _spaced(drawn: list[Text], lines: Sequence[Line]) -> list[Text]:
    """An empty line wherever a param or the threads change."""
    head = len(drawn) - len(lines)
    spaced = drawn[:head]
    for place, line in enumerate(lines):
        if place and line.axes != lines[place - 1].axes:
            spaced.append(Text())
        spaced.append(drawn[head + place])
    return spaced
