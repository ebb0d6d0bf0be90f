"""A record as a Markdown page: the table, what it comes to, the machine and the command."""

from __future__ import annotations

import shlex

from gpuplay.analysis.sweep import verdict, warnings
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.units import nbytes
from gpuplay.views.sweep import headings, scaling, table
from gpuplay.views.sweep import knobs as sweeps
from gpuplay.views.text.layout import UNBROKEN
from gpuplay.views.text.markdown import escaped, fenced, items, page, pipes


def markdown(record: Record, plan: Plan) -> str:
    """The same content as the table on a terminal, as a page."""
    columns, legend, scene = table.whole(record, plan)
    grid = scene.grid
    head, *lines = [escaped(line.plain) for line in headings.lines(record, plan, grid, UNBROKEN, final=True)]
    parts = [f"# {plan.kernel.name}", escaped(" ".join(head.split()).removeprefix(plan.kernel.name).strip())]
    parts += [*lines, pipes(columns)]
    parts += [f"**{name}** by {knobs}\n\n{pipes(block)}" for name, knobs, block in sweeps.whole(scene, grid.lines)]
    scaled = scaling.whole(grid, record.machine)
    parts += [f"**{name}** by threads, {below}\n\n{pipes(block)}" for name, below, block in scaled]
    parts.append(escaped(scaling.explanation(grid, record.machine)))
    parts.append(items([*legend, *(f"{mark} {text}" for mark, text in scene.notes.texts)]))
    parts.append(" ".join(map(escaped, verdict.sentences(grid))))
    parts.append(items(warnings.collect(record), "warning: "))
    return page([*parts, *provenance(record)])


def provenance(record: Record) -> list[str]:
    """Where the figures come from: the machine, the command, the version, the seed."""
    return [
        "## Machine",
        _machine(record),
        "## Command",
        fenced([shlex.join(record.argv)]),
        f"gpuplay {record.version}, {record.created}, seed {record.seed}",
    ]


def _machine(record: Record) -> str:
    machine = record.machine
    facts = [headings.machine_text(machine)]
    if machine.get("memory_bytes"):
        facts.append(f"{nbytes(machine['memory_bytes'])} of memory")
    facts += [str(machine[key]) for key in ("os",) if machine.get(key)]
    libraries = {"Python": machine.get("python"), **(machine.get("libraries") or {})}
    facts.append(", ".join(f"{name} {value}" for name, value in libraries.items() if value))
    return items(fact for fact in facts if fact)
