"""One command on one kernel: its declaration, its workers, and the way from arguments to views."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rich.console import Console

from gpuplay import __version__
from gpuplay.analysis.sweep import roofline
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.cli import devices
from gpuplay.errors import KernelFileError, UsageError, WorkerLost
from gpuplay.kernel import ON_GPU, Kernel
from gpuplay.machine import describe as machines
from gpuplay.machine import roofs
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.plan.cells import Plan
from gpuplay.plan.make import make_plan
from gpuplay.plan.request import Request, build_request
from gpuplay.plan.settings import Settings
from gpuplay.results.events import Final
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.run.runner import Runner
from gpuplay.targets import presence, why_not
from gpuplay.units import parse_duration
from gpuplay.views.sweep import detail, export, table
from gpuplay.views.sweep import plan as plan_view
from gpuplay.views.sweep.live import LiveView
from gpuplay.views.sweep.page import SWEEP, Page
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY, Crew
from gpuplay.workers.process import TaskError

OK, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Measured:
    """What came of a plan, in how many seconds; ``lost`` says why an export could not be written."""

    record: Record
    elapsed_s: float
    interrupted: bool
    lost: str


@dataclass
class Session:
    """A kernel and the workers that serve it; for a user's file a worker has already loaded it."""

    origin: Origin
    kernel: Kernel
    crew: Crew
    found: dict[int, devices.Found] = field(default_factory=dict)

    @classmethod
    def of(cls, origin: Origin) -> Self:
        """Load the declaration: a bundled one here, any other in a worker."""
        cores = machines.machine().cores
        crew = Crew(origin, threads=cores)
        if origin.kind == "bundled":
            return cls(origin, load_kernel(origin).kernel, crew)
        try:
            return cls(origin, crew.declaration(), crew)
        except BaseException:
            crew.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.close()

    def sweep(self, values: Mapping[str, Any], page: Page = SWEEP) -> int:
        """Measure what the options ask for, show it as it comes; the exit code. ``page`` lays it out."""
        stdout = Console(no_color=values["plain"] or None)
        exporter = export.Exporter(tuple(values["export"] or ()), page)
        planned, machine = self.planned(values, settings_of(values))
        if values["plan"]:
            show(stdout, plan_view.render(planned, stdout.width))
            return OK
        found = self.measured(planned, machine, exporter, plain=values["plain"], debug=values["debug"])
        record, interrupted = found.record, found.interrupted
        if values["json"]:
            print(json.dumps(export.document(record, planned, page), indent=1, allow_nan=False))
        else:
            show(stdout, page.render(record, planned, stdout.width, elapsed_s=found.elapsed_s, interrupted=interrupted))
            if values["detail"]:
                show(stdout, detail.render(record, stdout.width))
        stdout.file.flush()
        stderr = Console(stderr=True)
        if (remarks := table.render_warnings(record, stderr.width)) is not None:
            show(stderr, remarks)
        return exit_code(record.results, interrupted=interrupted) or (FAILED if found.lost else OK)

    def measured(
        self, planned: Plan, machine: Machine, exporter: export.Exporter, *, plain: bool = False, debug: bool = False
    ) -> Measured:
        """Run a plan with the live view on stderr, and write the exports after every cell; Ctrl-C ends it early."""
        record = self.record(planned, machine)
        view = LiveView(Console(stderr=True, highlight=False), planned, record=record, plain=plain)
        interrupted, lost = False, ""
        view.start()
        try:
            for event in Runner(planned, self.crew, cores=machine.cores).events():
                if isinstance(event, Final):
                    record = with_result(record, planned, event.result)
                    lost = _export(exporter, record, planned, lost)
                view.handle(event)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            view.stop()
            if debug:
                print(self.crew.log_tail(ORDINARY), file=sys.stderr)
        record = record if interrupted else self.with_sound_roofs(record)
        return Measured(record, view.elapsed_s, interrupted, _export(exporter, record, planned, lost))

    def planned(
        self,
        values: Mapping[str, Any],
        settings: Settings,
        default: Sequence[str] | None = None,
        *,
        checking: bool = False,
    ) -> tuple[Plan, Machine]:
        """The plan of a command line, and the machine that it is for; ``default`` replaces the story.

        For ``checking`` neither a missing GPU nor a barred knob value is an error.
        """
        machine = machines.machine()
        reasons: dict[str, str] = {}

        def reason(target: str) -> str:
            nonlocal machine
            if target not in reasons:
                reasons[target] = why_not(target, settings.device)
                if target in ON_GPU and not reasons[target]:
                    found = self.device(settings.device)
                    reasons[target], machine = found.reason, replace(machine, gpu=found.model)
            return reasons[target]

        asked = build_request(
            self.kernel,
            sizes_text=values["sizes"],
            on=values["on"],
            baseline=values["baseline"],
            threads=values["threads"],
            axes={name: text for name, text in values.items() if name in _axes(self.kernel)},
            settings=settings,
            cores=machine.cores,
            why_not=reason,
            default=default,
            checking=checking,
        )
        return self.plan_of(asked, machine), machine

    def plan_of(self, asked: Request, machine: Machine) -> Plan:
        """The plan of a request, made where the kernel was loaded."""
        self.crew.allow_threads(max(asked.threads))
        if self.origin.kind == "bundled":
            return make_plan(load_kernel(self.origin), asked, machine)
        timeout = asked.settings.cell_timeout_s
        try:
            found: Plan = self.crew.member(ORDINARY).ask("plan", asked, machine, timeout_s=timeout)
        except (TaskError, WorkerLost) as error:
            raise KernelFileError(f"{self.origin.name}: planning failed: {error}") from None
        return found

    def record(self, planned: Plan, machine: Machine) -> Record:
        """An empty record of this command on this machine, its roofs measured if they never were."""
        facts = machines.facts() | self.crew.member(ORDINARY).ask("facts")
        gpu = machine.gpu
        facts["gpu"] = None if gpu.modelled else self.device(planned.settings.device).facts
        facts["gpu_reason"] = why_not("cuda", planned.settings.device) if gpu.modelled else ""
        return Record(
            version=__version__,
            created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            argv=("gpuplay", *sys.argv[1:]),
            seed=planned.settings.seed,
            machine=facts,
            roofs=self.roofs(facts, planned.settings.device),
        )

    def roofs(self, facts: Mapping[str, Any], device: int) -> Mapping[str, Any]:
        """The machine's roofs, kept from an earlier command or measured now."""
        name = machines.fingerprint(facts)
        kept = roofs.load(name)
        known = (kept or {}).get("gpu") or {}
        missing_gpu = facts["gpu"] is not None and known.get("name") != facts["gpu"]["name"]
        if kept is not None and not missing_gpu:
            return kept
        print("measuring this machine's roofs, once: a few seconds", file=sys.stderr)
        member = self.crew.member(ORDINARY)
        kept = kept or member.ask("roofs")
        if missing_gpu:
            kept = {**kept, "gpu": member.ask("gpu_roofs", device)}
        roofs.save(name, kept)
        return kept

    def with_sound_roofs(self, record: Record) -> Record:
        """Measure the roofs again if a result beat them: then they were measured while the machine was busy."""
        beaten = [
            result
            for result in record.results
            if result.time
            and (above := roofline.roof(result, record.roofs, record.machine))
            and (above.fraction(result.time.median_s) or 0.0) > 1.0
        ]
        if not beaten or record.roofs is None or all(result.cell.target in ON_GPU for result in beaten):
            return record
        print(f"{beaten[0].cell.label} beat the kept roof: measuring the roofs again", file=sys.stderr)
        better = roofs.merged(record.roofs, self.crew.member(ORDINARY).ask("roofs"))
        roofs.save(machines.fingerprint(record.machine), better)
        return replace(record, roofs=better)

    def gpu_here(self, device: int = 0) -> GpuModel | None:
        """The GPU of this machine, if there is one that can be used."""
        found = self.device(device)
        return None if found.reason else found.model

    def device(self, number: int) -> devices.Found:
        """The GPU of this number, asked for once."""
        if number not in self.found:
            self.found[number] = devices.find(self.crew, number)
        return self.found[number]


def _export(exporter: export.Exporter, record: Record, planned: Plan, lost: str) -> str:
    """Write the exports; the reason, said once, where a file that could be written no longer can."""
    try:
        exporter.write(record, planned)
    except OSError as error:
        if not lost:
            print(f"gpuplay: the export is lost: {error}; measuring goes on", file=sys.stderr)
        return str(error)
    return ""


def settings_of(values: Mapping[str, Any]) -> Settings:
    """The measuring options as settings; UsageError for what cannot be."""
    rounds = values["rounds"]
    if not 1 <= rounds <= 100:
        raise UsageError(f"--rounds {rounds}: give 1 to 100")
    refuse_negative(values)
    return Settings(
        time_s=parse_duration(values["time"], "--time") if values["time"] is not None else None,
        cell_time_s=parse_duration(values["cell_time"], "--cell-time"),
        cell_limit_s=parse_duration(values["cell_limit"], "--cell-limit"),
        cell_timeout_s=parse_duration(values["cell_timeout"], "--cell-timeout"),
        rounds=rounds,
        seed=values["seed"],
        cold=values["cold"],
        graph=values["graph"],
        device=presence.find_device(values["device"]),
    )


def refuse_negative(values: Mapping[str, Any]) -> None:
    """UsageError for a seed below 0."""
    if values["seed"] < 0:
        raise UsageError(f"--seed {values['seed']}: give a whole number from 0")


def with_result(record: Record, planned: Plan, result: Result) -> Record:
    """The record with one more result, in the plan's order."""
    order = {c.cell: number for number, c in enumerate(c for row in planned.rows for c in row.all_cells)}
    results = sorted((*record.results, result), key=lambda r: order[r.cell])
    return replace(record, results=tuple(results))


def exit_code(results: tuple[Result, ...], *, interrupted: bool = False) -> int:
    """0 where every cell was measured, verified or skipped with a reason; 1 where one is wrong or failed."""
    if interrupted:
        return INTERRUPTED
    return FAILED if any(result.status in ("wrong", "failed") for result in results) else OK


def _axes(kernel: Kernel) -> set[str]:
    return {axis.name for axis in kernel.axes} | {knob for variant in kernel.variants for knob in variant.knobs}
