"""Variants compiled to be looked at: architectures from words, cells planned for each, workers asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.console import Console

from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import plan_of
from gpuplay.errors import GpuplayError, KernelFileError, UsageError, WorkerLost
from gpuplay.machine import describe
from gpuplay.machine.model import MODELS, model_of
from gpuplay.plan.cells import PlannedCell, Row
from gpuplay.plan.request import Choice, build_request
from gpuplay.plan.settings import Settings
from gpuplay.results.compiled import Compiled
from gpuplay.targets import presence
from gpuplay.targets.stand_ins import offline
from gpuplay.workers.crew import ORDINARY, environment_of
from gpuplay.workers.tasks import TaskError

Capability = tuple[int, int]
DEFAULT: Capability = (9, 0)
_WORD = re.compile(r"(?:sm_?)?(\d{1,2})\.?(\d)(a?)")


def architectures(text: str | None, here: Capability | None = None) -> tuple[Capability, ...]:
    """The compute capabilities of ``--arch``; else of the GPU that is ``here``, else `DEFAULT`."""
    if text is None:
        return (here or DEFAULT,)
    known = [model.capability for model in MODELS]
    found = []
    for word in (w.strip() for w in text.split(",")):
        match = _WORD.fullmatch(word)
        capability = (int(match[1]), int(match[2])) if match else None
        specific = bool(match and match[3])
        if capability not in known or (specific and len(offline.architecture(capability)) == len(capability)):
            names = ", ".join(f"sm_{major}{minor}" for major, minor in known)
            raise UsageError(f"--arch {text}: {word!r} is none of {names}")
        found.append(capability)
    return tuple(dict.fromkeys(found))


def missing(*, assemble: bool) -> str:
    """Why nothing can be compiled for a GPU, or with ``assemble`` not to machine code, and what mends it; else ''."""
    if reason := presence.simulated():
        return reason
    if not presence.installed("numba-cuda"):
        return f"numba-cuda is not installed; {presence.INSTALL}"
    tools = [name for name in offline.TOOLS if assemble and not _is_here(name)]
    if not tools:
        return ""
    verb = "is" if len(tools) == 1 else "are"
    wheels = " ".join(offline.TOOLS[name] for name in tools)
    return f"{' and '.join(tools)} {verb} not installed; pip install {wheels}"


def planned_for(
    opened: Opened, choice: Choice, names: Sequence[str], capability: Capability, settings: Settings
) -> tuple[Row, ...]:
    """The cells of these variants, in this order, as planned for a GPU of this capability."""
    machine = describe.machine()
    chosen = Choice(sizes=choice.sizes, on=",".join(names), baseline="none", axes=choice.axes)
    request = build_request(
        opened.kernel, chosen, settings, cores=machine.cores, why_not=lambda _target: "", checking=True
    )
    rows = plan_of(opened, request, replace(machine, gpu=model_of(capability))).rows
    order = {name: place for place, name in enumerate(names)}
    return tuple(replace(row, cells=tuple(sorted(row.cells, key=lambda c: order[c.cell.variant]))) for row in rows)


def compiled(
    opened: Opened, cells: Iterable[tuple[PlannedCell, Capability]], want: str, settings: Settings
) -> tuple[Compiled, ...]:
    """Every cell compiled, on the GPU target for the capability beside it; the reason where it cannot be."""
    found = []
    with Console(stderr=True, highlight=False).status("compiling", spinner="line") as status:
        for one, capability in cells:
            architecture = architecture_name(capability) if one.cell.kind.on_gpu else ""
            status.update(f"compiling {one.cell.label} {architecture}")
            if one.skip:
                found.append(Compiled(one.cell, architecture, reason=one.skip))
                continue
            try:
                found.append(_asked(opened, one, capability, want, settings))
            except KernelFileError:
                raise
            except (GpuplayError, TaskError) as error:
                if isinstance(error, WorkerLost):
                    error = GpuplayError(f"the worker that compiled it ended: {error}")
                found.append(Compiled(one.cell, architecture, reason=str(error), failed=True))
    return tuple(found)


def architecture_name(capability: Capability) -> str:
    """``sm_90a``: what is compiled for."""
    return "sm_" + "".join(map(str, offline.architecture(capability)))


def tools() -> str:
    """What compiles for a GPU, by name and version."""
    names = {"numba-cuda": "numba-cuda", "ptxas": offline.TOOLS["ptxas"]}
    versions = (f"{name} {presence.installed(wheel)}" for name, wheel in names.items() if presence.installed(wheel))
    return f"compiled without a GPU by {', '.join(versions)}"


def _asked(opened: Opened, one: PlannedCell, capability: Capability, want: str, settings: Settings) -> Compiled:
    limit = settings.cell_timeout_s
    if one.cell.kind.on_gpu:
        return opened.crew.tasks(ORDINARY, limit).inspect_gpu(one.cell, capability, want)
    worker = environment_of(opened.kernel.variant(one.cell.variant))
    opened.crew.dismiss(worker)  # what a worker has compiled before would not come up again
    return opened.crew.tasks(worker, limit).inspect_host(one.cell, settings.seed)


def _is_here(name: str) -> bool:
    try:
        return bool(offline.tool(name))
    except GpuplayError:
        return False
