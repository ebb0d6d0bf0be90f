"""A record as a Markdown page: the table, what it comes to, the machine and the command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpuplay.analysis.sweep import verdict, warnings
from gpuplay.analysis.sweep.grid import arrange
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.units import nbytes
from gpuplay.views.sweep import headings, scaling, table
from gpuplay.views.sweep import knobs as sweeps
from gpuplay.views.text.layout import Column

WIDE = 10_000


def markdown(record: Record, plan: Plan) -> str:
    """The same content as the table on a terminal, as a page."""
    grid = arrange(record.results, plan)
    columns, scene = table.whole(record, plan)
    head, *lines = [escaped(line.plain) for line in headings.lines(record, plan, grid, WIDE, final=True)]
    parts = [f"# {plan.kernel.name}", escaped(" ".join(head.split()).removeprefix(plan.kernel.name).strip())]
    parts += [*lines, pipes(columns)]
    parts += [f"**{name}** by {knobs}\n\n{pipes(block)}" for name, knobs, block in sweeps.whole(scene, grid.lines)]
    scaled = scaling.whole(grid, record.machine)
    parts += [f"**{name}** by threads, {below}\n\n{pipes(block)}" for name, below, block in scaled]
    parts.append(escaped(scaling.explanation(grid, record.machine)))
    legend = "◂ fastest, several in a row: a tie; ≈ tie; ? order uncertain; · not measured"
    parts.append(
        "\n".join([f"- {escaped(legend)}", *(f"- {mark} {escaped(text)}" for mark, text in scene.notes.texts)])
    )
    parts.append(" ".join(map(escaped, verdict.sentences(grid))))
    found = warnings.collect(record)
    if found:
        parts.append("\n".join(f"- warning: {escaped(text)}" for text in found))
    parts += provenance(record)
    return "\n\n".join(part for part in parts if part) + "\n"


def provenance(record: Record) -> list[str]:
    """Where the figures come from: the machine, the command, the version, the seed."""
    return [
        "## Machine",
        _machine(record),
        "## Command",
        f"```\n{shlex.join(record.argv)}\n```",
        f"gpuplay {record.version}, {record.created}, seed {record.seed}",
    ]


def pipes(columns: Sequence[Column]) -> str:
    """Columns as a pipe table, right-aligned."""
    heads = ["<br>".join(map(escaped, column.heads)) for column in columns]
    rows = zip(*([escaped(" ".join(cell.plain.split())) for cell in column.cells] for column in columns), strict=True)
    lines = [heads, ["---:"] * len(columns), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(record: Record) -> str:
    machine = record.machine
    items = [headings.machine_text(machine)]
    if machine.get("memory_bytes"):
        items.append(f"{nbytes(machine['memory_bytes'])} of memory")
    items += [str(machine[key]) for key in ("os",) if machine.get(key)]
    libraries = {"Python": machine.get("python"), **(machine.get("libraries") or {})}
    items.append(", ".join(f"{name} {value}" for name, value in libraries.items() if value))
    return "\n".join(f"- {escaped(item)}" for item in items if item)


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text
