"""Rungs on a GPU: their resources and counters, which need none, and their verdicts in the place of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.analysis.machine_code.inspection import gpu_rows
from gpuplay.commands.steps import inspecting
from gpuplay.commands.steps.one_problem import explained, soon_done
from gpuplay.commands.steps.opened import Opened
from gpuplay.errors import GpuplayError
from gpuplay.lockstep.record import Report
from gpuplay.machine import describe
from gpuplay.plan.cells import Plan, PlannedCell
from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings
from gpuplay.results.compiled import Compiled
from gpuplay.results.record import Record, begun
from gpuplay.results.result import Result, Status
from gpuplay.results.turns import Explained
from gpuplay.workers.crew import ORDINARY
from gpuplay.workers.tasks import TaskError

COUNTED_WORK = 3e8  # operations and bytes of a rung that is counted: a few seconds on the lockstep machine
FEWEST = 32  # a size below it says little of tiles


def rung_facts(
    opened: Opened, choice: Choice, names: Sequence[str], plan: Plan, capability: tuple[int, int], absent: str
) -> LadderFacts:
    """Compile every rung for the largest problem, and count it at the largest size that takes seconds.

    ``absent`` is why there is no GPU.
    """
    settings = plan.settings
    on_gpu = [name for name in names if opened.kernel.variant(name).kind.stepped]
    largest = max(plan.rows, key=lambda row: row.problem.n)
    resources: dict[str, Compiled] = {}
    uncompiled = inspecting.missing(assemble=True)
    if not uncompiled:
        one_size = replace(choice, sizes=str(largest.problem.n))
        rows = inspecting.planned_for(opened, one_size, on_gpu, capability, settings)
        cells = [(one, capability) for one in _first(rows[0].cells).values()]
        resources = {one.cell.variant: one for one in inspecting.compiled(opened, cells, "resources", settings)}
    halves = replace(choice, sizes=",".join(map(str, _halved(largest.problem.n))))
    counted = soon_done(inspecting.planned_for(opened, halves, on_gpu, capability, settings), COUNTED_WORK)
    rungs = {}
    for name, one in _first(counted.cells).items():
        found = None if one.skip else _counted(opened, one, settings)
        rows_of = gpu_rows([resources[name]]) if name in resources else ()
        rungs[name] = RungFacts(rows_of, found, one.bytes or one.array_bytes)
    return LadderFacts(inspecting.architecture_name(capability), counted.problem.n, absent, uncompiled, rungs)


def untimed(opened: Opened, plan: Plan, facts: LadderFacts, names: Sequence[str]) -> Record:
    """The record of a ladder that nothing here can time: each rung with the verdict of the lockstep machine."""
    known = opened.crew.tasks(ORDINARY).facts()
    machine = describe.facts() | known | {"gpu": None, "gpu_reason": facts.absent}
    cells = (one for row in plan.rows for one in row.cells if one.cell.variant in names)
    return replace(begun(plan.settings.seed, machine), results=tuple(_result(plan, one, facts) for one in cells))


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


def _counted(opened: Opened, one: PlannedCell, settings: Settings) -> Explained:
    """One run on the lockstep machine; what it refuses is the verdict."""
    try:
        return explained(opened, one, settings, f"counting {one.cell.label}")
    except (GpuplayError, TaskError) as error:
        return Explained(one.cell, Report(), "failed", str(error))


def _result(plan: Plan, one: PlannedCell, facts: LadderFacts) -> Result:
    """What the lockstep machine says of a rung, in the place of a time."""
    flynn = plan.kernel.variant(one.cell.variant).flynn
    found = facts.of(one.cell.variant).explained
    if found is None or (one.skip and not one.verified_only):
        return Result(one.cell, flynn, "skipped", one.skip)
    if found.status == "right":
        return Result(one.cell, flynn, "verified", error=found.error, verified_at=(facts.n,), flops=one.flops)
    status: Status = "wrong" if found.status == "wrong" else "failed"
    reason = f"{found.reason} (on the lockstep machine at n = {facts.n})"
    return Result(one.cell, flynn, status, reason, error=found.error)
