"""What a kernel may know of the machine that it runs on: its cores, caches and vectors, and the GPU behind `gpu`.

Part of the kernel contract (`gpuplay.kernel`), and like it free of numba and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class GpuModel:
    """The properties of a GPU that a launch geometry depends on; the defaults are a stated model."""

    name: str = "model GPU"
    capability: tuple[int, int] = (9, 0)
    multiprocessors: int = 132
    threads_per_block: int = 1024
    shared_bytes_per_block: int = 48 * 1024
    warp_size: int = 32
    modelled: bool = True


@dataclass(frozen=True)
class Machine:
    """What ``applies`` and default knobs may ask of the machine. Cache sizes in bytes."""

    cores: int = 1
    vector_bits: int = 128
    l1_bytes: int = 32 * 1024
    l2_bytes: int = 1024 * 1024
    l3_bytes: int = 8 * 1024 * 1024
    gpu: GpuModel = GpuModel()


class Gpu(Protocol):
    """What a CUDA variant's ``run`` gets first: the only way to launch a GPU function.

    Behind it stands a device, a simulator, or an inspector that compiles without a device.
    """

    @property
    def properties(self) -> GpuModel:
        """Properties of the device, or of the model where there is none."""

    def launch(
        self, function: Any, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any, shared: int = 0
    ) -> None:
        """Launch ``function`` on the target's stream with ``shared`` bytes of dynamic shared memory."""

    def fill(self, array: Any, value: float) -> None:
        """Set every element of a device array."""

    def copy(self, destination: Any, source: Any) -> None:
        """Copy one device array into another of the same shape and dtype."""
