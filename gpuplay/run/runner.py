"""Run a plan: supervise the workers, interleave turns in rounds, and yield what happens as it happens."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gpuplay.errors import GpuplayError, KernelFileError, WorkerLost
from gpuplay.machine import quiet
from gpuplay.plan.cells import Plan, PlannedCell, Row
from gpuplay.plan.settings import FEWEST_SAMPLES, Settings
from gpuplay.results.events import Event, Final, Provisional, StateChanged
from gpuplay.results.result import ErrorReport, Result, Status
from gpuplay.results.telemetry import worst
from gpuplay.results.timing import summarize
from gpuplay.run.budget import Budget
from gpuplay.run.casualties import Casualties
from gpuplay.run.host_verdicts import HostVerdicts
from gpuplay.run.job import Job, turns_of
from gpuplay.run.lockstep_verdicts import LockstepVerdicts
from gpuplay.workers.crew import Crew, environment_of
from gpuplay.workers.tasks import TaskError

if TYPE_CHECKING:
    from gpuplay.results.turns import BuiltCell, Turn

BUSY = "another program kept the processor busy: close it and measure again"
LOCKSTEP = "on the lockstep machine"
CROWDED = "more threads than cores: lower --threads"


class Runner:
    """Measures the cells of a plan, row by row; with ``verify_only`` it stops short of the clock.

    CUDA variants run on the lockstep machine, too, where they are only verified: before the GPU where
    there is one, and in a sweep without one, on small problems.
    """

    def __init__(self, plan: Plan, crew: Crew, *, cores: int, verify_only: bool = False) -> None:
        self._plan = plan
        self._crew = crew
        self._cores = cores
        self._verify_only = verify_only
        self._random = random.Random(plan.settings.seed)  # noqa: S311 - an order, not a secret
        self._budget = Budget(plan, crew)
        self._host = HostVerdicts(plan, crew)
        self._lockstep = LockstepVerdicts(plan, crew)
        self._casualties = Casualties(spare_knobs=not verify_only)
        self._built_any = False
        crew.use(plan.settings)

    def events(self) -> Iterator[Event]:
        """Everything that happens, in order; every planned cell ends in one `Final`."""
        for row in self._plan.rows:
            yield from self._row(row)
            self._drop(row)

    def _row(self, row: Row) -> Iterator[Event]:
        jobs: list[Job] = []
        self._budget.begin_row()
        for planned in row.all_cells:
            if reason := self._casualties.objection(planned.cell):
                yield Final(self._result(planned, "skipped", reason))
                continue
            if self._on_lockstep(planned):
                yield StateChanged(planned.cell, "verifying")
                if (ended := self._stepped(planned)) is not None:
                    yield Final(ended)
                    continue
            reason = planned.skip or self._budget.objection(planned)
            if reason:
                yield Final(self._result(planned, "skipped", reason))
                continue
            yield StateChanged(planned.cell, "building")
            outcome = self._build(planned)
            if isinstance(outcome, Result):
                yield Final(outcome)
                continue
            self._budget.learn(planned, outcome.built.call_s)
            jobs.append(outcome)
            yield StateChanged(planned.cell, "waiting")
        if self._verify_only:
            yield from (Final(self._verify_again(job)) for job in jobs)
        else:
            yield from self._rounds(jobs)

    def _rounds(self, jobs: list[Job]) -> Iterator[Event]:
        """Turns in random order, round after round; a cell with long calls takes part in fewer rounds."""
        quiet.other_load(self._crew.pids)
        settings = self._budget.settings
        for job in jobs:
            job.turns = turns_of(job.built.call_s, settings)
        active = list(jobs)
        for number in range(settings.rounds):
            self._random.shuffle(active)
            for job in list(active):
                yield StateChanged(job.planned.cell, "timing")
                last = number == job.turns - 1
                outcome = self._turn(job, settings, last=last)
                if quiet.other_load(self._crew.pids) > max(0.5, 0.25 * self._cores):
                    job.warnings.add(BUSY)
                if isinstance(outcome, Result) or last:
                    active.remove(job)
                    yield Final(outcome if isinstance(outcome, Result) else self._finished(job))
                else:
                    yield Provisional(self._timed(job))

    def _on_lockstep(self, planned: PlannedCell) -> bool:
        """Whether the lockstep machine is asked for a cell."""
        checked = self._verify_only and not planned.skip
        return planned.cell.kind.stepped and (planned.verified_only or checked)

    def _stepped(self, planned: PlannedCell) -> Result | None:
        """What the lockstep machine found, where that is a result; None where the GPU has the last word."""
        try:
            stepped = (self._lockstep.step if self._verify_only else self._lockstep.step_small)(planned.cell)
        except KernelFileError as error:
            if not self._built_any:
                raise  # nothing is lost yet: the file is to be mended first
            return self._result(planned, "failed", str(error))
        except (TaskError, GpuplayError) as error:
            self._casualties.note(planned.cell, error)
            return self._result(planned, "failed", f"{LOCKSTEP}: {error}")
        self._built_any = True
        if stepped.status in ("wrong", "failed"):
            where = LOCKSTEP if self._verify_only else f"{LOCKSTEP} at n = {stepped.sizes[0]}"
            result = self._result(planned, stepped.status, f"{where}: {stepped.reason}")
            return replace(result, error=stepped.error)
        if not planned.verified_only:
            return None
        if stepped.status == "right":
            result = self._result(planned, "verified", planned.skip)
            return replace(result, error=stepped.error, verified_at=stepped.sizes, warnings=stepped.remarks)
        return self._result(planned, "skipped", f"{planned.skip}; {stepped.reason}")

    def _build(self, planned: PlannedCell) -> Job | Result:
        """Build and verify a cell: a job to be timed, or the result where it ends here."""
        if (ended := self._seen_closely(planned)) is not None:
            return ended
        variant = self._plan.kernel.variant(planned.cell.variant)
        environment = environment_of(variant)
        timeout = self._plan.settings.cell_timeout_s
        worker = environment, self._crew.generation(environment)
        self._casualties.admit(planned.cell, worker)
        try:
            built = self._crew.tasks(environment, timeout).build(planned.cell)
        except KernelFileError as error:
            if not self._built_any:
                raise  # nothing is lost yet: the file is to be mended first
            return self._result(planned, "failed", str(error))
        except (TaskError, GpuplayError) as error:
            if self._casualties.innocent(planned.cell, worker, error):
                return self._build(planned)
            return self._failed(planned, error)
        self._built_any = True
        if built.wrong and built.foul:
            self._crew.dismiss(environment)  # who knows what else it wrote on
        if built.wrong:
            return self._described(self._result(planned, "wrong", built.wrong), built)
        return Job(planned, variant, built, self._crew.generation(environment), self._plan.settings.rounds)

    def _seen_closely(self, planned: PlannedCell) -> Result | None:
        """The result of a host variant's cell that is at fault: it is neither let loose on memory nor timed by luck."""
        try:
            fault = (self._host.fault if self._verify_only else self._host.small_fault)(planned.cell)
        except GpuplayError as error:
            return self._failed(planned, error)
        return self._result(planned, "failed", fault) if fault else None

    def _turn(self, job: Job, settings: Settings, *, last: bool) -> Turn | Result:
        """One turn of a cell, once nothing else is running."""
        cell, environment = job.planned.cell, environment_of(job.variant)
        if (ended := self._rebuilt(job)) is not None:
            return ended
        if not quiet.wait_until_quiet(self._crew.pids):
            job.warnings.add(BUSY)
        budget = settings.cell_time_s / settings.rounds
        fewest = 1 if job.built.call_s > budget else math.ceil(FEWEST_SAMPLES / job.turns)
        try:
            turn = self._crew.tasks(environment, settings.cell_timeout_s).turn(cell, budget, fewest, last=last)
        except (TaskError, GpuplayError) as error:
            return self._failed(job.planned, error)
        job.rounds.append(turn.samples)
        job.loops, job.call_s, job.algorithm = turn.loops, turn.call_s, turn.algorithm
        job.readings += [turn.telemetry] if turn.telemetry else []
        job.warnings |= {turn.remark} - {""}
        if turn.wrong:
            return self._wrong_later(job, turn.wrong, turn.error)
        return turn

    def _rebuilt(self, job: Job) -> Result | None:
        """Build a cell anew if its worker was replaced since; the result where the cell ends at that."""
        if self._crew.generation(environment_of(job.variant)) == job.generation:
            return None
        outcome = self._build(job.planned)
        if isinstance(outcome, Result):
            return outcome
        job.generation = outcome.generation
        return None

    def _verify_again(self, job: Job) -> Result:
        """The result of a cell that is only checked: right on a later call, too, but not timed."""
        if (ended := self._rebuilt(job)) is not None:
            return ended
        timeout = self._plan.settings.cell_timeout_s
        try:
            wrong, error = self._crew.tasks(environment_of(job.variant), timeout).verify_again(job.planned.cell)
        except (TaskError, GpuplayError) as lost:
            return self._failed(job.planned, lost)
        if wrong:
            return self._wrong_later(job, wrong, error)
        result = self._described(self._result(job.planned, "verified", ""), job.built)
        return replace(result, verified_at=(job.planned.cell.size,))

    def _wrong_later(self, job: Job, wrong: str, error: ErrorReport | None) -> Result:
        """A cell whose first calls were right."""
        result = self._result(job.planned, "wrong", f"wrong after repeated calls: {wrong}")
        return replace(self._described(result, job.built), error=error)

    def _finished(self, job: Job) -> Result:
        """The result of a cell that had all its turns; its median serves the forecasts of larger sizes."""
        result = self._timed(job)
        if result.call_s is not None:
            self._budget.learn(job.planned, result.call_s)
        return result

    def _timed(self, job: Job) -> Result:
        timing = summarize(job.rounds, job.loops)
        host = not job.planned.cell.kind.on_gpu
        crowded = {CROWDED} if job.planned.cell.threads > self._cores else set()
        return replace(
            self._described(self._result(job.planned, "ok", ""), job.built),
            time=timing,
            call_s=timing.median_s if host else job.call_s,
            verified_at=(job.planned.cell.size,),
            telemetry=worst(job.readings),
            algorithm=job.algorithm,
            warnings=tuple(sorted(job.warnings | crowded | set(job.built.remarks))),
        )

    def _described(self, result: Result, built: BuiltCell) -> Result:
        return replace(
            result,
            library=built.library,
            error=built.error,
            compile_s=built.compile_s,
            compile_cached=built.compile_cached,
            prepare_s=built.prepare_s,
            transfer=built.transfer,
            warnings=built.remarks,
        )

    def _result(self, planned: PlannedCell, status: Status, reason: str) -> Result:
        known = planned.work_flops is not None and planned.work_bytes is not None
        variant = self._plan.kernel.variant(planned.cell.variant)
        return Result(
            cell=planned.cell,
            flynn=variant.flynn,
            formats=variant.formats if variant.formats.text else None,
            status=status,
            reason=reason,
            flops=planned.flops,
            bytes=planned.bytes,
            work={"flops": planned.work_flops or 0.0, "bytes": planned.work_bytes or 0.0} if known else None,
            source=self._crew.source,
        )

    def _failed(self, planned: PlannedCell, error: Exception) -> Result:
        """A failed cell. A GPU function that faults leaves the device unusable to its process, which is replaced."""
        self._casualties.note(planned.cell, error)
        if planned.cell.kind.on_gpu:
            self._crew.dismiss(environment_of(self._plan.kernel.variant(planned.cell.variant)))
        return self._result(planned, "failed", str(error))

    def _drop(self, row: Row) -> None:
        """Let every worker forget the problems whose cells are all done."""
        held = {
            (environment_of(self._plan.kernel.variant(c.cell.variant)), c.cell.problem)
            for c in row.all_cells
            if not c.skip or c.verified_only
        }
        for environment, problem in held:
            if environment in self._crew.started:
                with contextlib.suppress(WorkerLost):  # who is gone has forgotten it
                    self._crew.tasks(environment).drop(problem)
