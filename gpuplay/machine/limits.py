"""Launch limits that every GPU shares, so that a refusal names its limit before the driver would.

Dimensions are those of the CUDA C++ Programming Guide, "Technical Specifications per Compute
Capability": the same from capability 3.0 on.
"""

from __future__ import annotations

import math
from typing import Protocol, TypeAlias

from gpuplay.errors import GpuplayError
from gpuplay.machine.model import GpuModel

Dims: TypeAlias = tuple[int, int, int]

MOST_BLOCKS: Dims = (2**31 - 1, 65535, 65535)
MOST_THREADS: Dims = (1024, 1024, 64)


class Shaped(Protocol):
    """What two arrays must have in common for a copy."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Extents."""

    @property
    def dtype(self) -> object:
        """What elements are."""


class LaunchError(GpuplayError):
    """A launch geometry that no GPU, or not this one, can take."""


def dims(what: str, given: int | tuple[int, ...]) -> Dims:
    """One to three extents as three; LaunchError where they are no whole numbers from 1."""
    extents = tuple(given) if isinstance(given, tuple | list) else (given,)
    try:
        whole = tuple(extent.__index__() for extent in extents)
    except AttributeError:
        whole = ()
    if not 1 <= len(whole) <= 3 or min(whole) < 1:
        raise LaunchError(f"{what} {given!r}: give one to three whole numbers, each from 1")
    x, y, z = (*whole, 1, 1)[:3]
    return x, y, z


def refuse_launch(model: GpuModel, function: object, grid: Dims, block: Dims, shared: int, static: int = 0) -> None:
    """LaunchError, naming the GPU function and the limit, where a launch exceeds one.

    ``shared`` is bytes of dynamic shared memory, ``static`` of the arrays that the function declares.
    """
    name = getattr(function, "__name__", "GPU function")
    threads = math.prod(block)
    if threads > model.threads_per_block:
        raise LaunchError(
            f"{name}: block {_shown(block)} is {threads} threads; a block has at most {model.threads_per_block}"
        )
    for what, extents, limits in (("block", block, MOST_THREADS), ("grid", grid, MOST_BLOCKS)):
        for axis, extent, most in zip("xyz", extents, limits, strict=True):
            if extent > most:
                raise LaunchError(f"{name}: {what} {_shown(extents)}: {axis} is at most {most}")
    if static > model.shared_bytes_per_block:
        raise LaunchError(
            f"{name}: {static} bytes of static shared memory; a block has at most {model.shared_bytes_per_block} "
            f"of it, and {model.shared_bytes_opt_in} with dynamic: cuda.shared.array(0, dtype), gpu.launch(…, shared=)"
        )
    if shared < 0 or shared + static > model.shared_bytes_opt_in:
        declared = f"{static} + " if static else ""
        raise LaunchError(
            f"{name}: {declared}{shared} bytes of {'' if static else 'dynamic '}shared memory; "
            f"a block has at most {model.shared_bytes_opt_in}"
        )


def refuse_copy(destination: Shaped, source: Shaped) -> None:
    """GpuplayError where one array cannot be copied into another, for their shapes or their dtypes differ."""
    if destination.shape != source.shape or destination.dtype != source.dtype:
        raise GpuplayError(
            f"copy: destination {destination.dtype} {destination.shape}, source {source.dtype} {source.shape}"
        )


def _shown(extents: Dims) -> str:
    """Three extents as 16×16 or 256: trailing ones say nothing."""
    shown = [extents[0]] + [e for i, e in enumerate(extents[1:], 1) if max(extents[i:]) > 1]
    return "×".join(map(str, shown))
