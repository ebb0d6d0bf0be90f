"""From what is asked to a plan, made where the kernel was loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gpuplay.catalog.load import load_kernel
from gpuplay.commands.steps.opened import Opened
from gpuplay.errors import DeadlinePassed, KernelFileError, WorkerLost
from gpuplay.kinds.known import kind_of
from gpuplay.machine import describe
from gpuplay.machine.model import Machine
from gpuplay.plan.cells import Plan
from gpuplay.plan.make import make_plan
from gpuplay.plan.request import Choice, Request, build_request
from gpuplay.plan.settings import Settings
from gpuplay.targets import why_not
from gpuplay.workers.crew import ORDINARY
from gpuplay.workers.tasks import TaskError


def planned(
    opened: Opened,
    choice: Choice,
    settings: Settings,
    default: Iterable[str] | None = None,
    *,
    checking: bool = False,
) -> tuple[Plan, Machine]:
    """The plan of a choice, and the machine that it is for; ``default`` replaces the story.

    For ``checking`` neither a missing GPU nor a barred knob value is an error.
    """
    machine = describe.machine()
    reasons: dict[str, str] = {}

    def reason(target: str) -> str:
        if target not in reasons:
            reasons[target] = why_not(target, settings.device)
            if kind_of(target).on_gpu and not reasons[target]:
                reasons[target] = opened.gpu(settings.device).reason
        return reasons[target]

    request = build_request(
        opened.kernel, choice, settings, cores=machine.cores, why_not=reason, default=default, checking=checking
    )
    if any(kind_of(target).on_gpu and not reason for target, reason in reasons.items()):
        machine = replace(machine, gpu=opened.gpu(settings.device).model)
    return plan_of(opened, request, machine), machine


def plan_of(opened: Opened, request: Request, machine: Machine) -> Plan:
    """The plan of a request; KernelFileError where the functions of a user's file cannot be evaluated."""
    opened.crew.allow_threads(max(request.threads))
    if opened.origin.kind == "bundled":
        return make_plan(load_kernel(opened.origin), request, machine)
    timeout = request.settings.cell_timeout_s
    try:
        try:
            return opened.crew.tasks(ORDINARY, timeout).plan(request, machine)
        except DeadlinePassed:
            raise
        except WorkerLost:  # perhaps a cell before had broken its memory: once more, in a new one
            return opened.crew.tasks(ORDINARY, timeout).plan(request, machine)
    except (TaskError, WorkerLost) as error:
        raise KernelFileError(f"{opened.origin.name}: planning failed: {error}") from None
