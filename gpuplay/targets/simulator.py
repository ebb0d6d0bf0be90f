"""The target ``simulator``: CUDA variants on Numba's simulator, right or wrong, never timed.

A GPU thread is an operating-system thread there, so arrays must be small. The simulator is on only
where NUMBA_ENABLE_CUDASIM=1 was in the environment before numba was imported: a worker of its own,
which opens the target before it loads a kernel.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.targets.hosted import HostedGpu, HostedTarget

if TYPE_CHECKING:
    from gpuplay.limits import Dims
    from gpuplay.targets.base import Call


COMPILER_OPTIONS = ("forceinline", "inline", "launch_bounds", "lineinfo", "lto", "max_registers", "cache")


class SimulatorTarget(HostedTarget):
    """Numba's simulator of CUDA, block after block."""

    name = "simulator"

    def __init__(self) -> None:
        if not self.why_not():
            _tolerate_compiler_options()

    def why_not(self) -> str:
        """Why this process cannot simulate."""
        on = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")
        return "" if on else "the simulator needs NUMBA_ENABLE_CUDASIM=1 before numba is imported"

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `SimulatedGpu` before its arrays."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        return functools.partial(run, SimulatedGpu(self.gpu()), *arrays)


class SimulatedGpu(HostedGpu):
    """Launches on Numba's simulator."""

    def _execute(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        function[grid, block, 0, shared](*args)


def _tolerate_compiler_options() -> None:
    """Let ``cuda.jit`` ignore options that only a compiler understands, where the simulator would raise."""
    from numba import cuda

    if hasattr(cuda.jit, "__wrapped__"):
        return
    simulated = cuda.jit

    @functools.wraps(simulated)
    def jit(*args: Any, **options: Any) -> Any:
        return simulated(*args, **{name: value for name, value in options.items() if name not in COMPILER_OPTIONS})

    cuda.jit = jit
