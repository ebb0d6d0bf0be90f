"""Measure a plan: events become a live view, a record and exports."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from gpuplay.commands.asked import Output
from gpuplay.commands.steps.exporting import Exports
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.present import show_log
from gpuplay.commands.steps.recording import begun_here, with_sound_roofs
from gpuplay.machine.model import Machine
from gpuplay.plan.cells import Plan
from gpuplay.results.events import Final
from gpuplay.results.record import Record
from gpuplay.run.gathered import Gathered
from gpuplay.run.runner import Runner
from gpuplay.views.sweep.live import LiveView
from gpuplay.views.text.files import Exporter


@dataclass(frozen=True)
class Measured:
    """What came of a plan, in how many seconds; ``lost`` says why an export could not be written."""

    record: Record
    elapsed_s: float
    interrupted: bool
    lost: str


def measure(
    opened: Opened, plan: Plan, machine: Machine, exporter: Exporter[[Record, Plan]], output: Output
) -> Measured:
    """Run a plan with the live view on stderr, and write the exports as results come; Ctrl-C ends it early.

    Whatever else ends it, what was measured until then is in the files.
    """
    gathered = Gathered(begun_here(opened, plan.settings, machine), plan)
    stderr = Console(stderr=True, highlight=False)
    view = LiveView(stderr, plan, record=gathered.record, plain=output.plain)
    exports, interrupted = Exports(), False
    view.start()
    try:
        for event in Runner(plan, opened.crew, cores=machine.cores).events():
            if isinstance(event, Final):
                gathered.add(event.result)
                exports.offer(lambda: exporter.write(gathered.record, plan))
            view.handle(event)
    except KeyboardInterrupt:
        interrupted = True
    except BaseException:
        exports.finish(lambda: exporter.write(gathered.record, plan))  # what was measured outlives what went wrong
        raise
    finally:
        view.stop()
        show_log(output, opened.crew)
    record = gathered.record if interrupted else with_sound_roofs(gathered.record, opened.crew)
    exports.finish(lambda: exporter.write(record, plan))
    return Measured(record, view.elapsed_s, interrupted, exports.lost)
