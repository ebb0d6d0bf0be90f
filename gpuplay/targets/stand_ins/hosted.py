"""A GPU in host memory: what targets share that run CUDA variants without a device.

Arrays are NumPy's, 256-byte aligned; the GPU is the stated model of `GpuModel`, and refuses what a
GPU would refuse. Such targets say right or wrong, and are never timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.machine.limits import Dims, dims, refuse_launch
from gpuplay.machine.model import GpuModel
from gpuplay.targets.cuda import tensor_maps
from gpuplay.targets.host import NumpyTarget

if TYPE_CHECKING:
    from gpuplay.targets.base import Call


class HostedTarget(NumpyTarget):
    """A target behind which a model of a GPU stands."""

    def gpu(self) -> GpuModel:
        """The stated model."""
        return GpuModel()

    def use_threads(self, threads: int) -> None:
        """A GPU's threads are not the host's."""

    def seconds(self, call: Call, loops: int) -> float:
        """Refused: the time says nothing about a GPU."""
        raise GpuplayError(f"the target {self.name} is never timed ({loops} calls of {call} were asked for)")


class HostedGpu:
    """What a run launches through: `gpuplay.kernel.Gpu` over arrays in host memory."""

    def __init__(self, properties: GpuModel) -> None:
        self._properties = properties

    @property
    def properties(self) -> GpuModel:
        """Properties of the model."""
        return self._properties

    def launch(
        self, function: Any, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any, shared: int = 0
    ) -> None:
        """Run all threads of all blocks; LaunchError at the limits of a GPU."""
        blocks, threads = dims("grid", grid), dims("block", block)
        refuse_launch(self._properties, function, blocks, threads, shared)
        self._execute(function, blocks, threads, args, shared)

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

    def tensor_map(self, array: Any, box: tensor_maps.Box) -> Any:
        """A description of a matrix, without contents; LaunchError where the matrix cannot be described."""
        tensor_maps.refuse_map(self._properties, array, box, array.ctypes.data)
        return np.zeros(tensor_maps.WORDS, np.uint64)

    def _execute(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        """Run a launch that is within the limits."""
        raise NotImplementedError
