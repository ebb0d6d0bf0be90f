"""One run of a CUDA variant on the lockstep machine, for its counters: right, wrong or stopped by a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.errors import GpuplayError, KernelFileError, UsageError
from gpuplay.measure.building import build, problem_data
from gpuplay.measure.stepping import MOST_WORK, faults_text
from gpuplay.results.turns import Explained
from gpuplay.targets.stand_ins.lockstep import LockstepTarget
from gpuplay.units import seconds

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.plan.cells import PlannedCell

MOST_WORK_S = 10.0  # what the most work that is verified takes, roughly


def explain(loaded: Loaded, planned: PlannedCell, seed: int, limit_s: float) -> Explained:
    """Run once on the ordinary inputs, past every check that fires, and judge the outputs.

    A refused launch, a construct that the machine does not cover and what Numba cannot type end the
    run: the report then holds what was seen before. What a kernel's own Python raises is not caught.
    UsageError where the run would take longer than ``limit_s``.
    """
    cell = planned.cell
    if not cell.kind.stepped:
        raise UsageError(f"{cell.variant}: the lockstep machine runs CUDA variants only")
    _refuse_long(planned, limit_s)
    target = LockstepTarget(keep_going=True)
    built = build(loaded, cell, problem_data(loaded, cell, target, seed))
    try:
        built.run_once()
    except KernelFileError:
        raise
    except GpuplayError as error:
        return Explained(cell, target.report, "failed", str(error))
    verdict = built.verdict()
    report = target.report
    if report.faults:
        return Explained(cell, report, "failed", faults_text(report.faults), verdict.error)
    return Explained(cell, report, "wrong" if verdict.reason else "right", verdict.reason, verdict.error)


def _refuse_long(planned: PlannedCell, limit_s: float) -> None:
    """UsageError, before any array is made, where the declared work forecasts a time beyond the limit."""
    work = (planned.work_flops or 0.0) + (planned.work_bytes or planned.array_bytes or 0.0)
    forecast_s = work / MOST_WORK * MOST_WORK_S
    if forecast_s > limit_s:
        raise UsageError(
            f"explain: {planned.cell.label}: would take about {seconds(forecast_s)} on the lockstep machine, more than "
            f"--cell-timeout {seconds(limit_s)}; choose a smaller --sizes, or a longer --cell-timeout"
        )
