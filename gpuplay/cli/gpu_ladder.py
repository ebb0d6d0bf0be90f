"""``gpuplay ladder --on cuda``: resources and counters of every rung, times where there is a GPU."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from gpuplay import __version__
from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.analysis.machine_code.inspection import gpu_rows
from gpuplay.cli import inspections
from gpuplay.cli.session import FAILED, OK, Session, exit_code, settings_of
from gpuplay.errors import GpuplayError
from gpuplay.lockstep.record import Report
from gpuplay.machine import describe as machines
from gpuplay.plan.cells import Plan, PlannedCell
from gpuplay.plan.settings import Settings
from gpuplay.results.compiled import Compiled
from gpuplay.results.record import Record
from gpuplay.results.result import Result, Status
from gpuplay.results.turns import Explained
from gpuplay.targets import why_not
from gpuplay.views.ladder import page as view
from gpuplay.views.sweep import export
from gpuplay.views.sweep import plan as plan_view
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY
from gpuplay.workers.process import TaskError

COUNTED_WORK = 3e8  # operations and bytes of a rung that is counted: a few seconds on the lockstep machine
FEWEST = 32  # a size below it says little of tiles


def climb(session: Session, values: Mapping[str, Any], names: Sequence[str], also: Sequence[str]) -> int:
    """Show the rungs with what can be known of them here; the exit code."""
    settings = settings_of(values)
    exporter_paths = tuple(values["export"] or ())
    export.Exporter(exporter_paths)  # refuses at once what cannot be written
    asked = {**values, "baseline": values["baseline"] or "none", "on": ",".join(names)}
    planned, machine = session.planned(asked, settings, checking=True)
    if values["plan"]:
        show(Console(no_color=values["plain"] or None), plan_view.render(planned, Console().width))
        return OK
    absent = why_not("cuda", settings.device) if machine.gpu.modelled else ""
    facts = _facts(session, asked, names, planned, machine.gpu.capability, settings, absent)
    page = view.page(names, also, facts)
    if not machine.gpu.modelled:
        return session.sweep({**values, "on": ",".join(names)}, page)
    record = _untimed(session, planned, facts, names)
    exporter = export.Exporter(exporter_paths, page)
    exporter.write(record, planned)
    stdout = Console(no_color=values["plain"] or None)
    if values["json"]:
        print(json.dumps(export.document(record, planned, page), indent=1, allow_nan=False))
    else:
        show(stdout, page.render(record, planned, stdout.width))
    refused = any(row.failed for rung in facts.rungs.values() for row in rung.rows)
    return FAILED if refused else exit_code(record.results)


# --- resources and counters ---


def _facts(
    session: Session,
    asked: Mapping[str, Any],
    names: Sequence[str],
    planned: Plan,
    capability: tuple[int, int],
    settings: Settings,
    absent: str,
) -> LadderFacts:
    """Compile every rung for the largest problem, and count it at the largest size that takes seconds."""
    on_gpu = [name for name in names if session.kernel.variant(name).target == "cuda"]
    largest = max(planned.rows, key=lambda row: row.problem.n)
    resources: dict[str, Compiled] = {}
    uncompiled = inspections.missing(assemble=True)
    if not uncompiled:
        rows = inspections.planned(session, {**asked, "sizes": str(largest.problem.n)}, on_gpu, capability, settings)
        cells = [(one, capability) for one in _first(rows[0].cells).values()]
        resources = {one.cell.variant: one for one in inspections.compiled(session, cells, "resources", settings)}
    sizes = _halved(largest.problem.n)
    smaller = inspections.planned(session, {**asked, "sizes": ",".join(map(str, sizes))}, on_gpu, capability, settings)
    counted = inspections.soon_done(smaller, COUNTED_WORK)
    rungs = {}
    for name, one in _first(counted.cells).items():
        explained = None if one.skip else _counted(session, one, settings)
        rows_of = gpu_rows([resources[name]]) if name in resources else ()
        rungs[name] = RungFacts(rows_of, explained, one.bytes or one.array_bytes)
    return LadderFacts(inspections.architecture_name(capability), counted.problem.n, absent, uncompiled, rungs)


def _first(cells: Sequence[PlannedCell]) -> dict[str, PlannedCell]:
    """Of each variant the first cell: the first of several knob values."""
    found: dict[str, PlannedCell] = {}
    for one in cells:
        found.setdefault(one.cell.variant, one)
    return found


def _halved(n: int) -> list[int]:
    """A size and its halves, down to `FEWEST`."""
    sizes = [n]
    while sizes[-1] // 2 >= FEWEST:
        sizes.append(sizes[-1] // 2)
    return sizes


def _counted(session: Session, one: PlannedCell, settings: Settings) -> Explained:
    """One run on the lockstep machine; what it refuses is the verdict."""
    limit = settings.cell_timeout_s
    with Console(stderr=True, highlight=False).status(f"counting {one.cell.label}", spinner="line"):
        try:
            found: Explained = session.crew.member(ORDINARY).ask("explain", one, settings.seed, limit, timeout_s=limit)
        except (GpuplayError, TaskError) as error:
            return Explained(one.cell, Report(), "failed", str(error))
    return found


# --- without a GPU ---


def _untimed(session: Session, planned: Plan, facts: LadderFacts, names: Sequence[str]) -> Record:
    """The record of a ladder that nothing here can time: each rung with the verdict of the lockstep machine."""
    known = session.crew.member(ORDINARY).ask("facts")
    return Record(
        version=__version__,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        argv=("gpuplay", *sys.argv[1:]),
        seed=planned.settings.seed,
        machine=machines.facts() | known | {"gpu": None, "gpu_reason": facts.absent},
        roofs=None,
        results=tuple(
            _result(planned, one, facts) for row in planned.rows for one in row.cells if one.cell.variant in names
        ),
    )


def _result(planned: Plan, one: PlannedCell, facts: LadderFacts) -> Result:
    """What the lockstep machine says of a rung, in the place of a time."""
    flynn = planned.kernel.variant(one.cell.variant).flynn
    found = facts.of(one.cell.variant).explained
    if found is None or (one.skip and not one.verified_only):
        return Result(one.cell, flynn, "skipped", one.skip)
    if found.status == "right":
        return Result(one.cell, flynn, "verified", error=found.error, verified_at=(facts.n,), flops=one.flops)
    status: Status = "wrong" if found.status == "wrong" else "failed"
    reason = f"{found.reason} (on the lockstep machine at n = {facts.n})"
    return Result(one.cell, flynn, status, reason, error=found.error)
