"""Transposed copies for Numba on the CPU: squares of a matrix go through vector registers, whole vectors at both ends.

Positions are flat indices, ``row`` and ``stride`` are distances of two rows in elements.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.host.transposition import square, transposed
from gpuplay.intrinsics.tiles import load_tile, store_tile

from .packing import panel_width, tile_columns


@internal
def copy_transposed(T, t, t_row, S, s, s_row, rows, columns):
    """Row r of ``rows`` × ``columns`` numbers at ``S[s]`` becomes column r at ``T[t]``."""
    lanes = simd.lanes(S)
    for top in range(0, rows, lanes):
        for left in range(0, columns, lanes):
            tile = load_tile(S, s + top * s_row + left, s_row, rows - top, columns - left, square(S))
            store_tile(T, t + left * t_row + top, t_row, transposed(tile), columns - left, rows - top)


@internal
def pack_transposed(P, p, X, x, stride, depth, columns, first, last, shape):
    """Pack rows ``first`` to ``last`` of B = Xᵀ, ``depth`` × ``columns``, into panels as `packing.pack_b` does.

    X has ``columns`` rows, ``depth`` long, from ``X[x]`` on; ``first`` is a multiple of the lanes.
    """
    lanes = simd.lanes(X)
    for left in range(0, columns, tile_columns(X, shape)):
        width = panel_width(X, columns - left, shape)
        for k in range(first, last, lanes):
            at = p + left * depth + k * width
            for v in range(0, width, lanes):
                here = x + (left + v) * stride + k
                tile = load_tile(X, here, stride, columns - left - v, last - k, square(X))
                store_tile(P, at + v, width, transposed(tile), last - k, lanes)
