"""A GPU in host memory: what targets share that run CUDA variants without a device.

Arrays are NumPy's, 256-byte aligned; the GPU is the stated model of `GpuModel`, and refuses what a
GPU would refuse. Such targets say right or wrong, and are never timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.machine.limits import refuse_copy
from gpuplay.machine.model import GpuModel
from gpuplay.targets.cuda import tensor_maps
from gpuplay.targets.host import NumpyTarget
from gpuplay.targets.stand_ins.gpu import ModelledGpu

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


class HostedGpu(ModelledGpu):
    """What a run launches through where arrays are in host memory; a subclass runs the launches."""

    def fill(self, array: Any, value: float) -> None:
        """Set every element of an array."""
        array[...] = value

    def copy(self, destination: Any, source: Any) -> None:
        """Copy one array into another of the same shape and dtype."""
        refuse_copy(destination, source)
        destination[...] = source

    def tensor_map(self, array: Any, box: tensor_maps.Box) -> Any:
        """A description of a matrix, without contents; LaunchError where the matrix cannot be described."""
        tensor_maps.refuse_map(self._properties, array, box, array.ctypes.data)
        return np.zeros(tensor_maps.WORDS, np.uint64)
