"""Targets: where variants run. Each says whether it is here, holds arrays, runs, synchronises, tells time.

Only a worker opens a target; the main process asks `why_not`, which imports neither numba nor numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpuplay.errors import UsageError
from gpuplay.kernel import ON_GPU
from gpuplay.targets import presence

if TYPE_CHECKING:
    from gpuplay.targets.base import Target

HOST = ("python", "numpy", "cpu")
CLASSES = {
    "torch": "libraries.torch:TorchTarget",
    "cuda": "cuda.target:CudaTarget",
    "torch_gpu": "libraries.torch_gpu:TorchGpuTarget",
    "cupy": "libraries.cupy:CupyTarget",
    "simulator": "simulator:SimulatorTarget",
    "lockstep": "stand_ins.lockstep:LockstepTarget",
}
REASONS: dict[str, Callable[[], str]] = {"torch": presence.without_torch, "lockstep": presence.simulated}
GPU_REASONS: dict[str, Callable[[int], str]] = {
    "cuda": presence.why_not,
    "torch_gpu": presence.without_torch_gpu,
    "cupy": presence.without_cupy,
}


def open_target(name: str, device: int = 0, *, graph: bool = False) -> Target:
    """The target of this name; ``device`` is the index of the GPU. Opening it does not touch the device yet.

    With ``graph`` a GPU replays runs that were captured.
    """
    if name in HOST:
        from gpuplay.targets import host

        return host.HOST_TARGETS[name]()
    if name not in CLASSES:
        raise UsageError(f"target {name!r}: {_UNKNOWN}")
    module, _, kind = CLASSES[name].partition(":")
    opened: Any = getattr(importlib.import_module(f"gpuplay.targets.{module}"), kind)
    target: Target = opened(device, graph=graph) if name in ON_GPU else opened()
    return target


def why_not(name: str, device: int = 0) -> str:
    """An empty string where the target can run, else one line: why not, and what mends it. Cheap."""
    if name in (*HOST, "simulator"):
        return ""
    if name in GPU_REASONS:
        return GPU_REASONS[name](device)
    return REASONS[name]() if name in REASONS else _UNKNOWN


_UNKNOWN = "this version of gpuplay cannot run it"
