"""One run of a CUDA variant on the lockstep machine, for its counters: right, wrong or stopped by a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.errors import GpuplayError, KernelFileError, UsageError
from gpuplay.measure.building import build, problem_data
from gpuplay.measure.outcomes import Explained
from gpuplay.measure.stepping import faults_text
from gpuplay.targets.lockstep import LockstepTarget

if TYPE_CHECKING:
    from gpuplay.catalog import Loaded
    from gpuplay.results import Cell


def explain(loaded: Loaded, cell: Cell, seed: int = 0) -> Explained:
    """Run once on the ordinary inputs, past every check that fires, and judge the outputs.

    A refused launch, a construct that the machine does not cover and what Numba cannot type end the
    run: the report then holds what was seen before. What a kernel's own Python raises is not caught.
    """
    if cell.target != "cuda":
        raise UsageError(f"{cell.variant}: the lockstep machine runs CUDA variants only")
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
