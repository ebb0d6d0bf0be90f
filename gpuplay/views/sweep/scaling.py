"""Thread scaling: a block for each variant that was measured with several thread counts, below the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from gpuplay.analysis.sweep.grid import Grid, arrange
from gpuplay.analysis.sweep.scaling import AmdahlFit, Point, ThreadScaling, as_json, scalings
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.units import count, percent, ratio
from gpuplay.views.sweep.figures import leading
from gpuplay.views.text import figures
from gpuplay.views.text.layout import Column, Entry, blocks, column, join, wrap

HEAD = "serial part"


def draw(grid: Grid, machine: Mapping[str, Any], width: int, indent: int) -> list[list[Text]]:
    """The lines of every block, the last with what the serial part is; none where the threads did not vary."""
    drawn = []
    found = whole(grid, machine)
    for variant, below, columns in found:
        title = Text.assemble((variant, "bold"), f" by threads, {below}")
        names = len(grid.axes)  # the threads among them are no column here, n is
        for block in blocks(columns[:names], columns[names:], width - indent):
            drawn.append([title, Text(), *join(block, indent)])
            title = Text.assemble((variant, "bold"), " by threads, continued")
    if drawn and any(columns[-1].heads[0] == HEAD for _, _, columns in found):
        drawn.append(wrap(explanation(grid, machine), width, first=" " * indent))
    return drawn


def whole(grid: Grid, machine: Mapping[str, Any]) -> list[tuple[str, str, list[Column]]]:
    """Every block of any width: the variant, what the figures are, the columns."""
    by_variant: dict[str, list[ThreadScaling]] = {}
    for one in scalings(grid, machine.get("cores")):
        by_variant.setdefault(one.variant, []).append(one)
    return [(variant, _below(found), _columns(grid, found)) for variant, found in by_variant.items()]


def explanation(grid: Grid, machine: Mapping[str, Any]) -> str:
    """What the serial part is; an empty string where none was fitted."""
    found = scalings(grid, machine.get("cores"))
    if not any(one.fit for one in found):
        return ""
    text = "serial part: fit of Amdahl's law, the share of the work that more threads do not speed up"
    text += ", with its range over the rounds" if any(one.fit and one.fit.low is not None for one in found) else ""
    cores = machine.get("cores")
    if cores and any(point.threads > cores for one in found for point in one.points):
        text += f"; more threads than {count(cores, 'core')} are left out of it"
    return text


def derived(record: Record, plan: Plan) -> dict[str, Any]:
    """The field ``scaling`` of the JSON document, where threads vary."""
    found = as_json(scalings(arrange(record.results, plan), record.machine.get("cores")))
    return {"scaling": found} if found else {}


def _below(found: Sequence[ThreadScaling]) -> str:
    fewest = {one.fewest for one in found}
    base = count(fewest.pop(), "thread") if len(fewest) == 1 else "the fewest threads of the row"
    return f"speed-up on {base} and efficiency"


def _columns(grid: Grid, found: Sequence[ThreadScaling]) -> list[Column]:
    columns = figures.columns(leading(grid, without="threads"), [one.line for one in found])
    counts = sorted({point.threads for one in found for point in one.points if point.threads != one.fewest})
    columns += [column([f"{threads} th"], [_entry(one, threads) for one in found]) for threads in counts]
    if any(one.fit for one in found):
        columns.append(column([HEAD], [Entry((_fitted(one.fit),)) for one in found], units=False))
    return columns


def _entry(one: ThreadScaling, threads: int) -> Entry:
    point = next((point for point in one.points if point.threads == threads), None)
    return Entry(("–", "")) if point is None else Entry((_ratio(one, point), percent(point.efficiency)))


def _ratio(one: ThreadScaling, point: Point) -> str:
    if point.threads == one.fewest:
        return ratio(1)
    mark = "?" if point.speedup.order == "uncertain" else ""
    return mark + ratio(point.speedup.ratio, tie=point.speedup.order == "tie")


def _fitted(fit: AmdahlFit | None) -> str:
    """'3 % (2–4 %)'; one figure where the range reads the same."""
    if fit is None:
        return ""
    value = _signed(fit.serial)
    if fit.low is None or fit.high is None or _signed(fit.low) == _signed(fit.high) == value:
        return value
    return f"{value} ({_signed(fit.low).removesuffix(' %')} to {_signed(fit.high)})"


def _signed(fraction: float) -> str:
    """A share that noise or caches may bring below 0; rounded, so that 0 is 0."""
    fraction = round(fraction, 4)
    return f"−{percent(-fraction)}" if fraction < 0 else percent(fraction)
