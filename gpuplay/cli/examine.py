"""``gpuplay doctor``: collect the facts and show them."""

from __future__ import annotations

from rich.console import Console

from gpuplay.catalog.find import bundled_kernels
from gpuplay.errors import GpuplayError
from gpuplay.machine import describe as machines
from gpuplay.machine import roofs
from gpuplay.measure import diagnosis
from gpuplay.views import doctor
from gpuplay.workers.crew import ORDINARY, Crew
from gpuplay.workers.process import TaskError


def examine(*, plain: bool) -> int:
    """Print what this machine can do; 0 when the CPU side works."""
    machine = machines.facts()
    name = machines.fingerprint(machine)
    kept, worker, trouble = roofs.load(name), None, ""
    console = Console(no_color=plain or None, highlight=False, soft_wrap=True)
    try:
        with Crew(bundled_kernels()[0], threads=machine["cores"]) as crew:
            worker = crew.member(ORDINARY).ask("facts", timeout_s=60.0)
            if kept is None:
                with Console(stderr=True).status("measuring this machine's roofs", spinner="line"):
                    kept = crew.member(ORDINARY).ask("roofs", timeout_s=120.0)
                roofs.save(name, kept)
    except (GpuplayError, TaskError) as error:
        trouble = str(error)
    facts = diagnosis.collect(worker, kept, trouble)
    console.print(doctor.table(facts, console.width), end="", markup=False)
    return 0 if doctor.works(facts) else 1
