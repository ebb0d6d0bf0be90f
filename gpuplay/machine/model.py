"""What a kernel may know of the machine that it runs on: its cores, caches and vectors, and the GPU behind `gpu`.

Part of the kernel contract (`gpuplay.kernel`), and like it free of numba and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class GpuModel:
    """The properties of a GPU that a launch geometry and its occupancy depend on; the defaults are a stated model.

    A block has ``shared_bytes_per_block`` by itself. Where dynamic shared memory is part of it, static and
    dynamic together reach up to ``shared_bytes_opt_in``, which the target asks the driver for. Of a multiprocessor's
    ``shared_bytes`` each block takes its own and ``shared_bytes_reserved``.
    """

    name: str = "model GPU"
    capability: tuple[int, int] = (9, 0)
    multiprocessors: int = 132
    threads_per_block: int = 1024
    shared_bytes_per_block: int = 48 * 1024
    shared_bytes_opt_in: int = 227 * 1024
    shared_bytes_reserved: int = 1024
    shared_bytes: int = 228 * 1024
    registers: int = 64 * 1024
    resident_warps: int = 64
    resident_blocks: int = 32
    warp_size: int = 32
    modelled: bool = True


def model_of(capability: tuple[int, int] | tuple[int, int, str]) -> GpuModel:
    """The stated model of a compute capability: the newest one in `MODELS` that is not newer, else the oldest."""
    known = [model for model in MODELS if model.capability <= (capability[0], capability[1])]
    return known[-1] if known else MODELS[0]


@dataclass(frozen=True)
class Machine:
    """What ``applies`` and default knobs may ask of the machine. Cache sizes in bytes."""

    cores: int = 1
    vector_bits: int = 128
    l1_bytes: int = 32 * 1024
    l2_bytes: int = 1024 * 1024
    l3_bytes: int = 8 * 1024 * 1024
    gpu: GpuModel = GpuModel()


# CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; multiprocessors of the products named.
MODELS = (
    GpuModel(
        name="model T4",
        capability=(7, 5),
        multiprocessors=40,
        shared_bytes_opt_in=64 * 1024,
        shared_bytes_reserved=0,
        shared_bytes=64 * 1024,
        resident_warps=32,
        resident_blocks=16,
    ),
    GpuModel(
        name="model A100",
        capability=(8, 0),
        multiprocessors=108,
        shared_bytes_opt_in=163 * 1024,
        shared_bytes=164 * 1024,
    ),
    GpuModel(
        name="model RTX 3090",
        capability=(8, 6),
        multiprocessors=82,
        shared_bytes_opt_in=99 * 1024,
        shared_bytes=100 * 1024,
        resident_warps=48,
        resident_blocks=16,
    ),
    GpuModel(
        name="model RTX 4090",
        capability=(8, 9),
        multiprocessors=128,
        shared_bytes_opt_in=99 * 1024,
        shared_bytes=100 * 1024,
        resident_warps=48,
        resident_blocks=24,
    ),
    GpuModel(),
)


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

    def tensor_map(self, array: Any, box: tuple[int, int]) -> Any:
        """A description of a device matrix for copies of boxes of (rows, columns) by the TMA: an array of uint64.

        A row of a box has 128 bytes, and lies swizzled in shared memory (`gpuplay.intrinsics.ptx.copy_box_async`).
        """
