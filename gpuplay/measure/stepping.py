"""CUDA variants on the lockstep machine: right or wrong, never timed.

`Stepper.step` verifies a cell as it is. `Stepper.step_small` verifies small problems in the place of a
cell that no GPU is here to time: the same variant with the same knob values.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gpuplay.errors import GpuplayError, KernelFileError
from gpuplay.lockstep.errors import LockstepFault, Unsupported
from gpuplay.machine.model import Machine
from gpuplay.measure import geometry
from gpuplay.measure.building import Built, build, problem_data
from gpuplay.measure.inspecting import compiled_for
from gpuplay.measure.verify import Verdict
from gpuplay.plan.cells import PlannedCell
from gpuplay.plan.make import make_plan
from gpuplay.plan.request import Request
from gpuplay.plan.small import SMALL_SIZES, small_params
from gpuplay.results.turns import Stepped
from gpuplay.targets import presence
from gpuplay.targets.stand_ins.lockstep import LockstepTarget
from gpuplay.units import count

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Problem, Value
    from gpuplay.lockstep.record import Fault, Place
    from gpuplay.measure.problems import ProblemData
    from gpuplay.plan.settings import Settings
    from gpuplay.results.cell import Cell

NO_LAUNCH = "run asks the GPU for nothing: what it did, Python did; launch through gpu.launch(function, grid, block, …)"
COMPILER = ("numba-cuda", "nvidia-nvvm")  # what compiles without a GPU
MOST_WORK = 1e9  # flops and bytes of a cell: some ten seconds
SMALL_WORK = 3e7  # the same of a small problem


class Stepper:
    """Verifies cells of one kernel on the lockstep machine in this process."""

    def __init__(self, loaded: Loaded, settings: Settings) -> None:
        self._loaded = loaded
        self._settings = settings
        self._target = LockstepTarget(keep_going=settings.keep_going)
        self._data: dict[Problem, ProblemData] = {}

    def step(self, cell: Cell) -> Stepped:
        """Verify a cell on the ordinary inputs and on the probes; at the largest small size beyond its grid, too."""
        [planned] = self._planned(cell, (cell.size,), cell.params)
        stepped = self._stepped(planned, MOST_WORK)
        if stepped.status != "right" or cell.size != SMALL_SIZES[-1]:
            return stepped
        larger = self._step_outgrown(cell, cell.params)
        return replace(larger, reason=f"at n = {larger.sizes[0]}: {larger.reason}") if larger else stepped

    def step_small(self, cell: Cell) -> Stepped:
        """Verify a cell's variant at small sizes; the first that is not right decides."""
        found = Stepped("skipped", "no small problem is one for this variant")
        for planned in self._planned(cell, SMALL_SIZES, small_params(self._loaded.kernel, cell)):
            stepped = self._stepped(planned, SMALL_WORK)
            self._data.clear()
            if stepped.status == "right":
                found = replace(stepped, sizes=(*found.sizes, planned.cell.size))
            elif stepped.status != "skipped":
                return replace(stepped, sizes=(planned.cell.size,))
            elif not found.sizes:
                found = stepped
        larger = self._step_outgrown(cell, small_params(self._loaded.kernel, cell)) if found.sizes else None
        return larger or found

    def refusal(self, cell: Cell) -> str:
        """The limit that a launch of this cell exceeds, or ''; nothing is run."""
        return geometry.refusal(self._loaded, cell)

    def _step_outgrown(self, cell: Cell, params: tuple[tuple[str, Value], ...]) -> Stepped | None:
        """What is wrong at the first size with more outputs than threads, where small sizes have a thread for each."""
        size = geometry.outgrown(self._loaded, cell, SMALL_SIZES[-1], params)
        if size is None:
            return None
        [planned] = self._planned(cell, (size,), params)
        stepped = self._stepped(planned, MOST_WORK)
        self.drop(self._loaded.kernel.problem(size, **dict(planned.cell.params)))
        return replace(stepped, sizes=(size,)) if stepped.status in ("wrong", "failed") else None

    def drop(self, problem: Problem) -> None:
        """Forget a problem's arrays."""
        self._data.pop(problem, None)

    def _planned(self, cell: Cell, sizes: tuple[int, ...], params: tuple[tuple[str, Value], ...]) -> list[PlannedCell]:
        """The cell's variant at these sizes, with what the declaration says of each."""
        request = Request(
            sizes=sizes,
            variants=(cell.variant,),
            baseline=None,
            threads=(1,),
            params={name: (value,) for name, value in params},
            knobs={name: (value,) for name, value in cell.knobs},
            checking=True,
        )
        rows = make_plan(self._loaded, request, Machine(gpu=self._target.gpu())).rows
        return [planned for row in rows for planned in row.cells]

    def _stepped(self, planned: PlannedCell, most_work: float) -> Stepped:
        if planned.skip:
            return Stepped("skipped", planned.skip)
        if (planned.work_flops or 0.0) + (planned.work_bytes or 0.0) > most_work:
            return Stepped("skipped", "too much work for the lockstep machine; choose smaller --sizes")
        problem = self._loaded.kernel.problem(planned.cell.size, **dict(planned.cell.params))
        if problem not in self._data:
            self._data[problem] = problem_data(self._loaded, planned.cell, self._target, self._settings.seed)
        data = self._data[problem]
        data.restore()
        try:
            return self._judged(build(self._loaded, planned.cell, data))
        except KernelFileError:
            raise
        except Unsupported as error:
            return self._uncovered(planned.cell, error)
        except LockstepFault as error:
            return Stepped("failed", faults_text(error.faults))
        except GpuplayError as error:
            return Stepped("failed", str(error))

    def _uncovered(self, cell: Cell, gap: Unsupported) -> Stepped:
        """A construct that the machine does not cover. What the compiler refuses, too, is a mistake and no gap."""
        at = _at(gap.place)
        if all(map(presence.installed, COMPILER)):
            try:
                compiled_for(self._loaded, cell, self._target.gpu().capability, want="ptx")
            except GpuplayError as error:
                return Stepped("failed", f"{error}{at}")
        return Stepped("skipped", f"the lockstep machine does not cover {gap.construct}{at}")

    def _judged(self, built: Built) -> Stepped:
        """The verdict on a run; past a check that fired, where the machine was told to keep going."""
        built.run_once()
        faults = self._target.report.faults
        if self._target.idle:
            return Stepped("failed", NO_LAUNCH)
        printed = self._printed()
        verdict = built.verdict()
        if not (verdict.reason or faults):
            verdict = built.verdict_on_probes() or verdict
            faults = self._target.report.faults
        if faults:
            outputs = f"the outputs are wrong: {verdict.reason}" if verdict.reason else "the outputs are right"
            return Stepped("failed", f"{faults_text(faults)}; {outputs}", verdict.error)
        if not verdict.reason:
            verdict = self._in_other_order(built) or verdict
        if verdict.reason:
            return Stepped("wrong", verdict.reason, verdict.error, (built.cell.size,))
        return Stepped("right", "", verdict.error, (built.cell.size,), (*printed, *built.data.blind_spots()))

    def _printed(self) -> tuple[str, ...]:
        """What the threads of the latest run printed, in a line."""
        report = self._target.report
        if not report.lines_printed:
            return ()
        more = ", …" if report.lines_printed > len(report.printed) else ""
        return (f"prints {count(report.lines_printed, 'line')}: {', '.join(map(repr, report.printed))}{more}",)

    def _in_other_order(self, built: Built) -> Verdict | None:
        """The verdict on a run that serves atomics from the last thread on, where it has any and is wrong so."""
        places = [place for place, counts in self._target.report.lines if counts.atomics.requests]
        if not places:
            return None
        self._target.last_first = True
        try:
            built.run_once()
            verdict = built.verdict()
        finally:
            self._target.last_first = False
        if not verdict.reason:
            return None
        where = " or ".join(_at(place).strip(" ()") for place in places)
        told = f"right only if atomics are served in the order of the threads, which no GPU promises ({where})"
        return Verdict(verdict.error, f"{told}; in the other order {verdict.reason}")


def faults_text(faults: tuple[Fault, ...]) -> str:
    """The first fault with its place and remedy in a line, and how many more there are."""
    first = faults[0]
    place = _at(first.place) if first.place else ""
    remedy = f"; {first.remedy}" if first.remedy else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{first.kind}: {first.message}{place}{remedy}{more}"


def _at(place: Place) -> str:
    """A line of source as messages name it."""
    return f" ({Path(place.file).name}:{place.line})"
