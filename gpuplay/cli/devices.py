"""The GPU behind a command: whether it can be used, its properties, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpuplay.errors import WorkerLost
from gpuplay.machine.model import GpuModel
from gpuplay.measure import diagnosis
from gpuplay.targets import why_not
from gpuplay.workers.crew import ORDINARY, Crew

FIRST_USE_S = 60.0


@dataclass(frozen=True)
class Found:
    """What came of asking for a GPU: an empty ``reason`` and its model, or the reason and the stated model."""

    reason: str
    model: GpuModel = field(default_factory=GpuModel)
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any] | None:
        """What a record says of it; None where there is none."""
        if self.reason:
            return None
        cuda = diagnosis.cuda_facts()
        facts = {
            "name": self.model.name,
            "capability": list(self.model.capability),
            "multiprocessors": self.model.multiprocessors,
        }
        return facts | {name: cuda[name] for name in ("driver", "numba_cuda", "toolkit")} | dict(self.known)


def find(crew: Crew, device: int) -> Found:
    """The GPU of this number: the driver is asked here, and a worker compiles and runs a GPU function on it."""
    if reason := why_not("cuda", device):
        return Found(reason)
    try:
        found = crew.member(ORDINARY).ask("gpu", device, timeout_s=FIRST_USE_S)
    except WorkerLost as error:
        return Found(f"asking for the GPU failed: {error}")
    return Found(found["reason"], found["gpu"] or GpuModel(), found["known"])
