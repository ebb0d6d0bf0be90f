"""The ladder: a table for each problem, a line for each rung, and what the climb comes to in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rich.text import Text

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts
from gpuplay.analysis.ladder.gpu_rungs import as_json as facts_json
from gpuplay.analysis.ladder.rungs import Ladder, Rung, as_json, ladders
from gpuplay.analysis.sweep import verdict, warnings
from gpuplay.analysis.sweep.grid import Grid
from gpuplay.analysis.sweep.ratios import Speedup, speedup
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.units import gain, size_names
from gpuplay.units import seconds as time_text
from gpuplay.views.ladder import gpu_rungs
from gpuplay.views.ladder.figures import Drawn, columns, idea_column
from gpuplay.views.sweep import headings, scaling
from gpuplay.views.sweep.legend import UNCERTAIN
from gpuplay.views.sweep.markdown import provenance
from gpuplay.views.sweep.page import Page
from gpuplay.views.text import notes
from gpuplay.views.text.figures import legends
from gpuplay.views.text.layout import (
    INDENT,
    UNBROKEN,
    WIDEST_TEXT,
    blocks,
    join,
    pack,
    stack,
    width_of,
    wrap,
)
from gpuplay.views.text.markdown import escaped, items, pipes
from gpuplay.views.text.markdown import page as paragraphs

SAYS = "gain = times as fast"


def page(names: Sequence[str], also: Sequence[str] = (), facts: LadderFacts | None = None) -> Page:
    """The page of a ladder with these rungs; ``also`` names the tops of other ladders.

    ``facts`` are what is known of rungs on a GPU besides their times; they have columns of their own.
    """
    return Page(
        partial(render, names=names, also=also, facts=facts),
        partial(markdown, names=names, also=also, facts=facts),
        partial(derived, names=names, facts=facts),
    )


def render(
    record: Record,
    plan: Plan,
    width: int,
    *,
    names: Sequence[str],
    also: Sequence[str] = (),
    facts: LadderFacts | None = None,
    elapsed_s: float | None = None,
    interrupted: bool = False,
) -> Text:
    """The ladders as text, no line wider than ``width`` unless a single word is."""
    drawn = _drawn(record, plan, names, also, facts)
    lines = _heading(record, plan, drawn, min(width, WIDEST_TEXT))
    if facts is not None:
        lines += [line for text in gpu_rungs.heading(facts) for line in wrap(text, min(width, WIDEST_TEXT))]
    for one in drawn.ladders:
        lines += [Text(), Text(_title(drawn.grid, one), style="bold"), Text(), *_table(drawn, one, width)]
    for block in scaling.draw(drawn.grid, record.machine, min(width, WIDEST_TEXT), INDENT):
        lines += [Text(), *block]
    if drawn.foot:
        lines += [Text(), *pack(drawn.foot, min(width, WIDEST_TEXT), INDENT)]
    said = _sentences(drawn, interrupted=interrupted)
    if elapsed_s is not None:
        said[-1] = f"{said[-1].removesuffix('.')} · {time_text(elapsed_s)}"
    closing = said if len(drawn.ladders) > 1 else [" ".join(said)]
    wrapped = (wrap(text, min(width, WIDEST_TEXT), first=" " * INDENT) for text in closing)
    return stack([*lines, Text(), *(line for paragraph in wrapped for line in paragraph)])


def markdown(
    record: Record, plan: Plan, *, names: Sequence[str], also: Sequence[str] = (), facts: LadderFacts | None = None
) -> str:
    """The same content as a page of Markdown."""
    drawn = _drawn(record, plan, names, also, facts)
    head, *lines = _heading(record, plan, drawn, UNBROKEN, says="")
    parts = [f"# Ladder of {plan.kernel.name}", escaped(head.plain.removeprefix(plan.kernel.name).strip())]
    parts += [escaped(line.plain) for line in lines]
    parts += map(escaped, gpu_rungs.heading(facts) if facts is not None else [])
    for one in drawn.ladders:
        parts += [f"**{escaped(_title(drawn.grid, one))}**", pipes([*columns(drawn, one), idea_column(one)])]
    scaled = scaling.whole(drawn.grid, record.machine)
    parts += [f"**{name}** by threads, {below}\n\n{pipes(block)}" for name, below, block in scaled]
    parts.append(escaped(scaling.explanation(drawn.grid, record.machine)))
    parts += [items(drawn.foot), *map(escaped, _sentences(drawn)), items(warnings.collect(record), "warning: ")]
    return paragraphs([*parts, *provenance(record)])


def derived(record: Record, plan: Plan, *, names: Sequence[str], facts: LadderFacts | None = None) -> dict[str, Any]:
    """The field ``ladder`` of the JSON document, ``gpu_rungs`` of a CUDA ladder, and ``scaling`` where threads vary."""
    found: dict[str, Any] = {"ladder": as_json(ladders(record, plan, names)[1])}
    found |= {"gpu_rungs": facts_json(facts)} if facts is not None else {}
    return found | scaling.derived(record, plan)


def _heading(record: Record, plan: Plan, drawn: Drawn, width: int, says: str = SAYS) -> list[Text]:
    """The kernel and the machine; where nothing is timed, that is said once, not for every rung."""
    if drawn.untimed:
        plan, says = replace(plan, notices=()), ""
    lines = headings.lines(record, plan, drawn.grid, width, final=True, says=says)
    for line in lines:
        line.rstrip()
    return lines


# --- one table ---


def _drawn(
    record: Record, plan: Plan, names: Sequence[str], also: Sequence[str], facts: LadderFacts | None = None
) -> Drawn:
    grid, found = ladders(record, plan, names)
    name = size_names(line.size for line in grid.lines)
    rows = [rung.result for one in found for rung in (*one.rungs, *one.beside) if rung.result is not None]
    untimed = facts is not None and bool(facts.absent)
    explained = notes.collect([r for r in rows if not (untimed and r.status == "verified")], name)
    marks: dict[Cell, str] = {}
    numbers: dict[str, str] = {}
    for one in found:
        for rung in one.rungs:
            if rung.result and one.skips(rung):
                text = f"gain on {rung.below}, the nearest rung below that was timed"
                numbers.setdefault(text, notes.superscript(len(explained.texts) + len(numbers) + 1))
                marks[rung.result.cell] = numbers[text]
    drawn = Drawn(grid, found, explained, marks, facts)
    shown = [column for one in found for column in columns(drawn, one)]
    foot = legends((UNCERTAIN,), shown)
    foot += [f"{mark} {text}" for mark, text in explained.texts]
    foot += [f"{mark} {text}" for text, mark in numbers.items()]
    if also:
        foot.append(f"another ladder: --on {', --on '.join(also)}")
    if facts is not None:
        foot.append(gpu_rungs.LEGEND)
    return replace(drawn, foot=tuple(foot))


def _title(grid: Grid, one: Ladder) -> str:
    """'function relu, threads 2, n = 2^24'."""
    name = size_names(line.size for line in grid.lines)
    axes = [f"{axis} {value}" for axis, value in zip(grid.axes, one.line.axes, strict=True)]
    return ", ".join([*axes, f"n = {name(one.line.size)}"])


def _table(drawn: Drawn, one: Ladder, width: int) -> list[Text]:
    """The ideas as a column where they fit, else each under its rung."""
    shown, ideas = columns(drawn, one), idea_column(one)
    if width_of([*shown, ideas]) + INDENT <= width:
        lines = join([*shown, ideas], INDENT)
        return _apart(lines, len(one.beside))
    fits = width_of(shown) + INDENT <= width
    split = [shown] if fits else blocks(shown[:1], shown[1:], width - INDENT)
    first, *rest = [join(block, INDENT) for block in split]
    rows = len(one.rungs) + len(one.beside)
    lines = first[:-rows]
    for place, (row, idea) in enumerate(zip(first[-rows:], ideas.cells, strict=True)):
        said = wrap(idea.plain.rstrip(), width, first=" " * (INDENT + 4))
        for line in said:
            line.stylize("dim")
        lines += [*([Text()] if place == len(one.rungs) else []), row, *said]
    for block in rest:
        lines += [Text(), *_apart(block, len(one.beside))]
    return lines


def _apart(lines: list[Text], beside: int) -> list[Text]:
    """An empty line between the rungs and what stands beside them."""
    return [*lines[:-beside], Text(), *lines[-beside:]] if beside else lines


# --- in words ---


def _sentences(drawn: Drawn, *, interrupted: bool = False) -> list[str]:
    """What each climb comes to, and how many cells were measured."""
    several = len(drawn.ladders) > 1
    said = [text for one in drawn.ladders if (text := _climb(drawn, one, several=several))]
    said += verdict.sweeps(drawn.grid)
    return [*said, ("Interrupted: " if interrupted else "") + verdict.tally(drawn.grid)]


def _climb(drawn: Drawn, one: Ladder, *, several: bool) -> str:
    """'From cpu:naive to cpu:parallel: 812×, of which scalar 13×, simd 6.4×, parallel 9.8×', and beside a library."""
    known = one.climbed
    if len(known) < 2:
        return ""
    top = known[-1]
    assert top.total is not None
    steps = [f"{_short(rung)} {_times(rung.gain)}" for rung in known[1:] if rung.gain]
    where = f"{_title(drawn.grid, one)}: from" if several else "From"
    parts = f", of which {', '.join(steps)}" if len(steps) > 1 else ""
    text = f"{where} {one.first} to {top.variant.name}: {_times(top.total)}{parts}."
    for rung in one.beside:
        found = speedup(top.result, rung.result) if top.result and rung.result else None
        if found:
            text += f" {top.variant.name} is {_times(found)} {rung.variant.name}."
    return text


def _short(rung: Rung) -> str:
    return rung.variant.name.partition(":")[2]


def _times(found: Speedup) -> str:
    return ("?" if found.order == "uncertain" else "") + gain(found.ratio, found.ratio)
