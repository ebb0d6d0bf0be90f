"""Transposed copies for Numba on the CPU: squares of a matrix go through vector registers, whole vectors at both ends.

Where a matrix stands is told by `operands`.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.host.transposition import square, transposed
from gpuplay.intrinsics.tiles import load_tile, store_tile

from .packing import panel_width, tile_columns


@internal
def copy_transposed(target, source, rows, columns):
    """Row r of ``rows`` × ``columns`` numbers of the source becomes column r of the target; both are `Rows`."""
    (T, t, t_row), (S, s, s_row) = target, source
    lanes = simd.lanes(S)
    for top in range(0, rows, lanes):
        for left in range(0, columns, lanes):
            tile = load_tile(S, s + top * s_row + left, s_row, rows - top, columns - left, square(S))
            store_tile(T, t + left * t_row + top, t_row, transposed(tile), columns - left, rows - top)


@internal
def pack_transposed(P, p, matrix, depth, columns, first, last, shape):
    """Pack rows ``first`` to ``last`` of B, ``depth`` × ``columns``, into panels as `packing.pack_b` does.

    The matrix (`Rows`) is Bᵀ: ``columns`` rows, ``depth`` long. ``first`` is a multiple of the lanes.
    """
    X, x, stride = matrix
    lanes = simd.lanes(X)
    for left in range(0, columns, tile_columns(X, shape)):
        width = panel_width(X, columns - left, shape)
        for k in range(first, last, lanes):
            at = p + left * depth + k * width
            for v in range(0, width, lanes):
                here = x + (left + v) * stride + k
                tile = load_tile(X, here, stride, columns - left - v, last - k, square(X))
                store_tile(P, at + v, width, transposed(tile), last - k, lanes)
