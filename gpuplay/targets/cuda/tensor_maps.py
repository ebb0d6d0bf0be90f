"""Descriptions of matrices for the tensor memory accelerator (TMA): what can be described, and the driver's words.

A description is 128 bytes that only the driver can write (``cuTensorMapEncodeTiled``) and only the accelerator reads.
GPU functions get it as an array of sixteen uint64. It holds the matrix's address, extents and strides, not its
contents, so one description serves as long as the array stands there. Importing this module imports no numba.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from gpuplay.errors import GpuplayError
from gpuplay.machine.limits import LaunchError
from gpuplay.machine.model import GpuModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Box: TypeAlias = tuple[int, int]

CAPABILITY = (9, 0)
WORDS = 16
ROW_BYTES = 128  # of a box: what 128-byte swizzle arranges
ADDRESS_BYTES = 16  # what the matrix's address and the bytes of its rows are multiples of
MOST_ROWS = 256
KINDS = {"uint16": "UINT16", "float16": "FLOAT16", "float32": "FLOAT32"}


def refuse_map(model: GpuModel, array: Any, box: Box, address: int = 0) -> None:
    """LaunchError in words where this matrix cannot be described, or the GPU has no accelerator.

    The limits are those of the CUDA Driver API, "Tensor Map Object Management".
    """
    shape, dtype, itemsize = tuple(array.shape), str(array.dtype), int(array.dtype.itemsize)
    what = f"tensor_map of {dtype} {'×'.join(map(str, shape))}"
    if model.capability < CAPABILITY:
        raise LaunchError(f"{what}: the {model.name} has no tensor memory accelerator; capability 9.0 and later have")
    if len(shape) != 2 or dtype not in KINDS or not math.prod(shape):
        raise LaunchError(f"{what}: a matrix with elements, one of {', '.join(KINDS)}")
    if shape[1] * itemsize % ADDRESS_BYTES or address % ADDRESS_BYTES:
        raise LaunchError(f"{what}: its rows take {shape[1] * itemsize} bytes; they begin at multiples of 16")
    rows, columns = box
    if columns * itemsize != ROW_BYTES or not 1 <= rows <= MOST_ROWS:
        raise LaunchError(f"{what}: box {rows}×{columns}: {ROW_BYTES // itemsize} columns, 1 to {MOST_ROWS} rows")


def encoded(array: Any, box: Box) -> NDArray[np.uint64]:
    """The description of a device matrix, sixteen words; by the driver."""
    import numpy as np
    from cuda.bindings import driver as cu

    (height, width), itemsize = array.shape, int(array.dtype.itemsize)
    rows, columns = box
    status, described = cu.cuTensorMapEncodeTiled(
        getattr(cu.CUtensorMapDataType, f"CU_TENSOR_MAP_DATA_TYPE_{KINDS[str(array.dtype)]}"),
        2,
        int(array.__cuda_array_interface__["data"][0]),
        [cu.cuuint64_t(width), cu.cuuint64_t(height)],
        [cu.cuuint64_t(width * itemsize)],
        [cu.cuuint32_t(columns), cu.cuuint32_t(rows)],
        [cu.cuuint32_t(1), cu.cuuint32_t(1)],
        cu.CUtensorMapInterleave.CU_TENSOR_MAP_INTERLEAVE_NONE,
        cu.CUtensorMapSwizzle.CU_TENSOR_MAP_SWIZZLE_128B,
        cu.CUtensorMapL2promotion.CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
        cu.CUtensorMapFloatOOBfill.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
    )
    if status != cu.CUresult.CUDA_SUCCESS:
        raise GpuplayError(f"the driver cannot describe {array.dtype} {array.shape} in boxes of {box}: {status.name}")
    return np.array([int(word) for word in described.opaque], np.uint64)
