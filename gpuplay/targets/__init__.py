"""Targets: where variants run. Each says whether it is here, holds arrays, runs, synchronises, tells time.

Only a worker opens a target; the main process asks `why_not`, which imports neither numba nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.errors import UsageError
from gpuplay.targets import presence

if TYPE_CHECKING:
    from gpuplay.targets.base import Target

HOST = ("python", "numpy", "cpu")


def open_target(name: str, device: int = 0, *, graph: bool = False) -> Target:
    """The target of this name; ``device`` is the index of the GPU. Opening it does not touch the device yet.

    With ``graph`` a GPU replays runs that were captured.
    """
    if name in HOST:
        from gpuplay.targets import host

        return host.HOST_TARGETS[name]()
    if name == "torch":
        from gpuplay.targets.torch import TorchTarget

        return TorchTarget()
    if name == "cuda":
        from gpuplay.targets.cuda import CudaTarget

        return CudaTarget(device, graph=graph)
    if name == "simulator":
        from gpuplay.targets.simulator import SimulatorTarget

        return SimulatorTarget()
    if name == "lockstep":
        from gpuplay.targets.lockstep import LockstepTarget

        return LockstepTarget()
    raise UsageError(f"target {name!r}: {_UNKNOWN}")


def why_not(name: str, device: int = 0) -> str:
    """An empty string where the target can run, else one line: why not, and what mends it. Cheap."""
    if name in (*HOST, "simulator"):
        return ""
    if name == "cuda":
        return presence.why_not(device)
    if name == "torch":
        return presence.without_torch()
    if name == "lockstep":
        return presence.simulated()
    return _UNKNOWN


_UNKNOWN = "this version of gpuplay cannot run it"
