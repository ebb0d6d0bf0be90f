"""The lines above a table: the kernel and its params, what 1× is, the machine, and what is not here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from gpuplay.analysis.sweep.grid import Grid, VariantColumn
from gpuplay.analysis.sweep.ratios import timed
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.units import count, size_names
from gpuplay.views.text.layout import wrap

_NOISE = re.compile(r"\((?:R|TM|C)\)|\b\d+-Core\b|\bProcessor\b|\bCPU\b|@.*$|\bwith Radeon.*$", re.IGNORECASE)


def lines(
    record: Record, plan: Plan, grid: Grid, width: int, *, final: bool = False, says: str | None = None
) -> list[Text]:
    """All header lines, none wider than ``width`` unless a single word is; ``final`` when no result is to come.

    ``says`` stands to the right in the place of what 1× is.
    """
    head = _title(plan, grid, width, denominator(record, grid, final=final) if says is None else says)
    knobs = _knobs(grid)
    if knobs:
        head += wrap(f"knobs: {knobs}", width)
    for text in _formats(grid):
        head += wrap(text, width)
    machine = machine_text(record.machine)
    if plan.settings.cold:
        machine += " · caches flushed before every call (--cold)"
    if plan.settings.graph and record.machine.get("gpu"):
        machine += " · GPU runs replayed as graphs (--graph)"
    absent = absences(grid)
    joined = f"{machine} · {absent[0]}" if machine and len(absent) == 1 else ""
    if joined and len(joined) <= width:
        return [*head, Text(joined), *_notices(plan, grid, width)]
    for text in (machine, *absent):
        head += wrap(text, width) if text else []
    return [*head, *_notices(plan, grid, width)]


def denominator(record: Record, grid: Grid, *, final: bool = False) -> str:
    """What 1× stands for: the variant, its library, its threads; or that it was not measured."""
    if grid.baseline is None:
        return "times, no baseline"
    if grid.baseline == "best":
        return f"1× = the fastest of {_libraries(record, grid)}"
    column = grid.column(grid.baseline)
    found = [line.result(grid.baseline) for line in grid.lines]
    if not any(map(timed, found)) and (final or None not in found):
        return f"times; the baseline {grid.baseline} was not measured"
    libraries = [r.library for r in record.results if r.cell.variant == grid.baseline and r.library]
    parts = [grid.baseline, *libraries[:1]]
    if column is not None and column.interpreted:
        parts.append("interpreted")
    elif column is not None:
        parts.append(count(column.threads, "thread") if column.threads else "threads as in the row")
    return f"1× = {', '.join(parts)}"


def _libraries(record: Record, grid: Grid) -> str:
    """The library variants that ``best`` chooses from, with what they call as far as that is known."""
    called: dict[str, dict[str, None]] = {}
    for result in record.results:
        if result.library:
            called.setdefault(result.cell.variant, {})[result.library] = None
    names = [c.name + (f" ({' or '.join(called[c.name])})" if c.name in called else "") for c in grid.libraries]
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def machine_text(machine: Mapping[str, Any]) -> str:
    """Processor, cores, vector width and GPU in one line; what is not known is left out."""
    parts = []
    if machine.get("cpu"):
        parts.append(" ".join(_NOISE.sub(" ", str(machine["cpu"])).split()))
    if machine.get("cores"):
        parts.append(count(int(machine["cores"]), "core"))
    if machine.get("threads") and machine.get("threads") != machine.get("cores"):
        parts.append(count(int(machine["threads"]), "thread"))
    if machine.get("vector"):
        parts.append(str(machine["vector"]))
    gpu = machine.get("gpu")
    device = str(gpu.get("name", "GPU")) if isinstance(gpu, Mapping) else str(gpu or "")
    return " · ".join(part for part in (", ".join(parts), device) if part)


def absences(grid: Grid) -> list[str]:
    """One line for each reason why variants have no column."""
    reasons: dict[str, list[str]] = {}
    for column in grid.hidden:
        reasons.setdefault(_absence(column, grid), []).append(column.name)
    return [f"{', '.join(names)} {text}" for text, names in reasons.items()]


def _absence(column: VariantColumn, grid: Grid) -> str:
    if column.verified_to is None:
        return column.absent
    name = size_names(line.size for line in grid.lines)
    return f"verified at n ≤ {name(column.verified_to)}, untimed{': ' if column.absent else ''}{column.absent}"


def _title(plan: Plan, grid: Grid, width: int, base: str) -> list[Text]:
    """Kernel, summary, dtype and params to the left; what 1× is to the right of the first line with room for it."""
    name, fixed = plan.kernel.name, dict(grid.fixed)
    dtype = fixed.pop("dtype", "")
    summary = wrap(plan.kernel.summary + (f", {dtype}" if dtype else ""), width, first=" " * (len(name) + 2))
    params = wrap(", ".join(f"{param} {value}" for param, value in fixed.items()), width)
    lines = [Text(name, style="bold") + Text(summary[0].plain[len(name) :]), *summary[1:], *params]
    for line in lines:
        room = width - line.cell_len - len(base)
        if room >= 3:
            line.append(" " * room + base)
            return lines
    return [*lines, *wrap(base, width)]


def _knobs(grid: Grid) -> str:
    """Knobs that were set to one value other than their default."""
    said: dict[str, list[str]] = {}
    for column in grid.columns:
        slots = [slot for line in grid.lines for slot in line.slots.get(column.name, ())]
        for knob, default in column.variant.default_knobs.items():
            values = {dict(slot.cell.knobs).get(knob) for slot in slots}
            if len(values) == 1 and values != {default}:
                said.setdefault(f"{knob} {values.pop()}", []).append(column.name)
    return "; ".join(f"{setting} ({', '.join(names)})" for setting, names in said.items())


def _formats(grid: Grid) -> list[str]:
    """In what variants store, multiply and add up numbers, where that is not the problem's dtype throughout."""
    said: dict[str, list[str]] = {}
    for column in grid.columns:
        formats = column.variant.formats
        if formats.text:
            apart = ", compared only with its like" if formats.precision else ""
            said.setdefault(formats.text + apart, []).append(column.name)
    return [f"{', '.join(names)}: {text}" for text, names in said.items()]


def _notices(plan: Plan, grid: Grid, width: int) -> list[Text]:
    """The plan's notices that no absence says already."""
    hidden = {column.name for column in grid.hidden}
    rest = [text for text in plan.notices if text.partition(" ")[0] not in hidden]
    return [line for text in rest for line in wrap(text, width)]
