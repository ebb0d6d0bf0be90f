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
from gpuplay.kernel import GpuModel
from gpuplay.targets.host import NumpyTarget
from gpuplay.targets.limits import dims, refuse_launch

if TYPE_CHECKING:
    from gpuplay.targets.base import Call


COMPILER_OPTIONS = ("forceinline", "inline", "launch_bounds", "lineinfo", "lto", "max_registers", "cache")


class SimulatorTarget(NumpyTarget):
    """Arrays are NumPy's, 256-byte aligned; the GPU is the stated model of `GpuModel`."""

    name = "simulator"

    def __init__(self) -> None:
        if not self.why_not():
            _tolerate_compiler_options()

    def why_not(self) -> str:
        """Why this process cannot simulate."""
        on = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")
        return "" if on else "the simulator needs NUMBA_ENABLE_CUDASIM=1 before numba is imported"

    def gpu(self) -> GpuModel:
        """The stated model."""
        return GpuModel()

    def use_threads(self, threads: int) -> None:
        """The simulator starts the threads that it needs."""

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `SimulatedGpu` before its arrays."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        return functools.partial(run, SimulatedGpu(self.gpu()), *arrays)

    def seconds(self, call: Call, loops: int) -> float:
        """Refused: a simulator's time says nothing about a GPU."""
        raise GpuplayError(f"the simulator is never timed ({loops} calls of {call} were asked for)")


class SimulatedGpu:
    """What a run launches through: `gpuplay.kernel.Gpu` on Numba's simulator."""

    def __init__(self, properties: GpuModel) -> None:
        self._properties = properties

    @property
    def properties(self) -> GpuModel:
        """Properties of the model."""
        return self._properties

    def launch(
        self, function: Any, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any, shared: int = 0
    ) -> None:
        """Run all threads of all blocks, block after block; LaunchError at the limits of a GPU."""
        blocks, threads = dims("grid", grid), dims("block", block)
        refuse_launch(self._properties, function, blocks, threads, shared)
        function[blocks, threads, 0, shared](*args)

    def fill(self, array: Any, value: float) -> None:
        """Set every element of an array."""
        array[...] = value

    def copy(self, destination: Any, source: Any) -> None:
        """Copy one array into another of the same shape and dtype."""
        if destination.shape != source.shape or destination.dtype != source.dtype:
            raise GpuplayError(
                f"copy: destination {destination.dtype} {destination.shape}, source {source.dtype} {source.shape}"
            )
        destination[...] = source


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
