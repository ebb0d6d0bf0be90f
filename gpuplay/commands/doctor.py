"""``gpuplay doctor``: collect the facts and show them."""

from __future__ import annotations

from rich.console import Console

from gpuplay.catalog.find import bundled_kernels
from gpuplay.commands.steps import diagnosis
from gpuplay.commands.steps.one_problem import working
from gpuplay.errors import GpuplayError
from gpuplay.machine import describe, roofs
from gpuplay.views import doctor as doctor_view
from gpuplay.workers.crew import ORDINARY, Crew
from gpuplay.workers.tasks import TaskError


def doctor(*, plain: bool) -> int:
    """Print what this machine can do; 0 when the CPU side works."""
    machine = describe.facts()
    name = describe.fingerprint(machine)
    kept, worker, trouble = roofs.load(name), None, ""
    console = Console(no_color=plain or None, highlight=False, soft_wrap=True)
    try:
        with Crew(bundled_kernels()[0], threads=machine["cores"]) as crew:
            worker = crew.tasks(ORDINARY, 60.0).facts()
            if kept is None:
                with working("measuring this machine's roofs"):
                    kept = crew.tasks(ORDINARY, 120.0).roofs()
                roofs.save(name, kept)
    except (GpuplayError, TaskError) as error:
        trouble = str(error)
    facts = diagnosis.collect(worker, kept, trouble)
    console.print(doctor_view.table(facts, console.width), end="", markup=False)
    return 0 if doctor_view.works(facts) else 1
