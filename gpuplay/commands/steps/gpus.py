"""The GPU behind a command: asked for, and told in a record."""

from __future__ import annotations

from typing import Any

from gpuplay.commands.steps import diagnosis
from gpuplay.errors import WorkerLost
from gpuplay.machine.gpu import FoundGpu
from gpuplay.targets import why_not
from gpuplay.workers.crew import ORDINARY, Crew

FIRST_USE_S = 60.0


def find_gpu(crew: Crew, device: int) -> FoundGpu:
    """The GPU of this number: the driver is asked here, and a worker compiles and runs a GPU function on it."""
    if reason := why_not("cuda", device):
        return FoundGpu(reason)
    try:
        return crew.tasks(ORDINARY, FIRST_USE_S).gpu(device)
    except WorkerLost as error:
        return FoundGpu(f"asking for the GPU failed: {error}")


def facts_of(gpu: FoundGpu) -> dict[str, Any] | None:
    """What a record says of a GPU; None where there is none."""
    if gpu.reason:
        return None
    cuda = diagnosis.cuda_facts()
    facts = {
        "name": gpu.model.name,
        "capability": list(gpu.model.capability),
        "multiprocessors": gpu.model.multiprocessors,
    }
    return facts | {name: cuda[name] for name in ("driver", "numba_cuda", "toolkit")} | dict(gpu.known)
