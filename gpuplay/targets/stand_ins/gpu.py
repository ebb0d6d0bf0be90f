"""A GPU that is no device: what stands behind a run's launches is a model, whose limits hold as a device's would."""

from __future__ import annotations

from typing import Any

from gpuplay.machine.limits import Dims, dims, refuse_launch
from gpuplay.machine.model import GpuModel


class ModelledGpu:
    """What all `gpuplay.machine.model.Gpu` without a device share; a subclass says what becomes of a launch."""

    def __init__(self, properties: GpuModel | None = None) -> None:
        self._properties = properties or GpuModel()

    @property
    def properties(self) -> GpuModel:
        """Properties of the model."""
        return self._properties

    def launch(
        self, function: Any, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any, shared: int = 0
    ) -> None:
        """Take a launch; LaunchError where its geometry exceeds a limit of the model."""
        blocks, threads = dims("grid", grid), dims("block", block)
        refuse_launch(self._properties, function, blocks, threads, shared)
        self._take(function, blocks, threads, args, shared)

    def _take(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        """What becomes of a launch that is within the limits."""
        raise NotImplementedError
