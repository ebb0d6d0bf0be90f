"""Knob sweeps: a block for each variant that has the knob, rows sizes, columns values."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpuplay.analysis.sweep.grid import Line, Slot, VariantColumn
from gpuplay.analysis.sweep.ratios import fastest, timed
from gpuplay.results.result import Result
from gpuplay.views.sweep.cells import sweep_entry
from gpuplay.views.sweep.figures import SWEPT, Part, Scene, leading
from gpuplay.views.text import figures
from gpuplay.views.text.layout import Column, blocks, column, join, width_of


def draw(scene: Scene, lines: Sequence[Line], width: int, indent: int) -> list[list[Text]]:
    """The lines of every block; none where no knob takes several values."""
    drawn = []
    for variant in scene.grid.columns:
        if variant.swept:
            title = Text.assemble((variant.name, "bold"), f" by {', '.join(variant.swept)}")
            for block in _fitted(scene, variant, lines, width - indent):
                drawn.append([title, Text(), *join(block, indent)])
                title = Text.assemble((variant.name, "bold"), f" by {', '.join(variant.swept)}, continued")
    return drawn


def whole(scene: Scene, lines: Sequence[Line]) -> list[tuple[str, str, list[Column]]]:
    """Every sweep in one block of any width: the variant, its knobs, the columns."""
    swept = [variant for variant in scene.grid.columns if variant.swept]
    drawn = ((variant, *_columns(scene, variant, lines, SWEPT[-1])) for variant in swept)
    return [(variant.name, ", ".join(variant.swept), [*names, *columns]) for variant, names, columns in drawn]


def _fitted(scene: Scene, variant: VariantColumn, lines: Sequence[Line], width: int) -> list[list[Column]]:
    for parts in SWEPT:
        names, columns = _columns(scene, variant, lines, parts)
        if width_of([*names, *columns]) <= width:
            return [[*names, *columns]]
    return blocks(names, columns, width)


def _columns(
    scene: Scene, variant: VariantColumn, lines: Sequence[Line], parts: tuple[Part, ...]
) -> tuple[list[Column], list[Column]]:
    slots = [line.slots.get(variant.name, ()) for line in lines]
    rivals = [_rivals(row) for row in slots]
    values = dict.fromkeys(_value(slot, variant) for row in slots for slot in row)
    columns = []
    for value in values:
        found = [next((s for s in row if _value(s, variant) == value), None) for row in slots]
        entries = [sweep_entry(scene, *one, parts) for one in zip(lines, found, rivals, strict=True)]
        columns.append(column([value], entries))
    return figures.columns(leading(scene.grid), lines), columns


def _rivals(row: Sequence[Slot]) -> tuple[Result, ...]:
    """The fastest knob values of a line; none where only one was timed."""
    results = [slot.result for slot in row]
    return fastest(results) if sum(timed(result) for result in results) > 1 else ()


def _value(slot: Slot, variant: VariantColumn) -> str:
    """'tile 8', or 'tile 8, rows 4' where two knobs vary."""
    return ", ".join(f"{knob} {value}" for knob, value in slot.cell.knobs if knob in variant.swept)
