"""The matrix product C = A·B on the CPU, from tiles in registers to all cores.

A *tile* of C, a few rows by a few vectors, is summed up in registers (`tile_product`). A *strip* is a row
of tiles: its rows of A stay in the first cache while the panels of B go by (`strip_product`). A *block*
of B, ``block_k`` rows by ``block_n`` columns, is packed into panels that stay in the second cache while
all strips go over it (`multiply_share`). Every worker has a rectangle of C of its own and packs its own
blocks of B; the panels of A are packed once, by all of them, and shared (`multiply`).

This is the layering of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008),
with the loops over C's columns outside.
"""

import numpy as np
from numba import njit, prange

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.tiles import add_outer, add_tile, rows_of, store_tile, vectors_of, with_vectors, zero_tile

from . import blocking
from .packing import depth_of, pack_a, pack_b, panel_width, tile_columns

_compiled = njit(cache=True)
round_up = _compiled(blocking.round_up)


@_compiled
def tile_product(C, c, c_row, A, a, a_row, a_step, B, b, b_step, depth, rows, columns, accumulate, shape):
    """One tile of C from ``depth`` columns of A and rows of B, written or, to ``accumulate``, added.

    ``A[a + r·a_row + k·a_step]`` meets ``B[b + k·b_step + j]``. Of C only ``rows`` and ``columns`` are touched.
    """
    for r in range(rows_of(shape)):
        for v in range(vectors_of(shape)):
            simd.prefetch(C, c + r * c_row + v * simd.lanes(C))
    tile = zero_tile(C, shape)
    for k in range(depth):
        tile = add_outer(tile, A, a + k * a_step, a_row, B, b + k * b_step)
    if accumulate:
        add_tile(C, c, c_row, tile, rows, columns)
    else:
        store_tile(C, c, c_row, tile, rows, columns)


@_compiled
def strip_product(C, c, c_row, A, a, a_row, a_step, B, b, depth, rows, columns, accumulate, shape):
    """A strip of C as high as a tile, from rows of A and all panels of B, packed from ``B[b]`` on."""
    wide = tile_columns(C, shape)
    for left in range(0, columns, wide):
        here, panel = columns - left, b + left * depth
        width = panel_width(C, here, shape)
        vectors = width // simd.lanes(C)
        if vectors == vectors_of(shape):
            tile_product(C, c + left, c_row, A, a, a_row, a_step, B, panel, width, depth, rows, here, accumulate, shape)
        elif vectors == 1:
            one = with_vectors(shape, 1)
            tile_product(C, c + left, c_row, A, a, a_row, a_step, B, panel, width, depth, rows, here, accumulate, one)
        elif vectors == 2:
            two = with_vectors(shape, 2)
            tile_product(C, c + left, c_row, A, a, a_row, a_step, B, panel, width, depth, rows, here, accumulate, two)
        else:
            three = with_vectors(shape, 3)
            tile_product(C, c + left, c_row, A, a, a_row, a_step, B, panel, width, depth, rows, here, accumulate, three)


@_compiled
def multiply_share(C, A, B, a_panels, room, bounds, block_n, block_k, shape):
    """Compute a rectangle of C; ``bounds`` are its first row and column and those after its last.

    ``a_panels`` hold the whole of A, or are empty: then a tile reads A as it stands, which is as fast while
    few tiles of C lie side by side. ``room`` takes the panels of one block of B, after those of the last
    rows of A, which may be fewer than a tile's.
    """
    top, bottom, left, right = bounds
    (m, depth), n, high = A.shape, B.shape[1], rows_of(shape)
    b = high * block_k
    for column in range(left, right, block_n):
        columns = min(block_n, right - column)
        for k in range(0, depth, block_k):
            deep = min(block_k, depth - k)
            pack_b(room, b, B, k * n + column, n, deep, columns, shape)
            for row in range(top, bottom, high):
                c, rows = row * n + column, bottom - row
                if len(a_panels):
                    a = k * round_up(m, high) + row * depth_of(A, deep)
                    strip_product(C, c, n, a_panels, a, 1, high, room, b, deep, rows, columns, k > 0, shape)
                elif rows >= high:
                    a = row * depth + k
                    strip_product(C, c, n, A, a, depth, 1, room, b, deep, rows, columns, k > 0, shape)
                else:
                    pack_a(room, 0, A, row * depth + k, depth, rows, deep, shape)
                    strip_product(C, c, n, room, 0, 1, high, room, b, deep, rows, columns, k > 0, shape)


@_compiled
def pack_share_of_a(a_panels, A, block_k, share, shares, shape):
    """Pack one worker's share of the rows of A for all blocks of k."""
    (m, depth), high = A.shape, rows_of(shape)
    strips = (m + high - 1) // high
    top, bottom = share * strips // shares * high, min(m, (share + 1) * strips // shares * high)
    for k in range(0, depth, block_k):
        deep = min(block_k, depth - k)
        at = k * round_up(m, high) + top * depth_of(A, deep)
        pack_a(a_panels, at, A, top * depth + k, depth, bottom - top, deep, shape)


@_compiled
def bounds_of(m, n, high, wide, share, shares):
    """The rectangle of C (m, n) that is one worker's: whole tiles, as alike as may be, cut across the longer way last.

    More columns of workers than rows are preferred: workers in one column pack the same columns of B twice.
    """
    strips, panels = (m + high - 1) // high, (n + wide - 1) // wide
    across, least = 1, strips * panels * shares
    for candidate in range(1, shares + 1):
        if shares % candidate == 0:
            tiles = ((panels + candidate - 1) // candidate) * (
                (strips + shares // candidate - 1) // (shares // candidate)
            )
            if tiles <= least:
                across, least = candidate, tiles
    down, row, column = shares // across, share // across, share % across
    top, bottom = row * strips // down * high, (row + 1) * strips // down * high
    left, right = column * panels // across * wide, (column + 1) * panels // across * wide
    return top, min(bottom, m), left, min(right, n)


@_compiled
def multiply_alone(C, A, B, a_panels, b_panels, block_n, block_k, shape):
    """C = A·B by one thread."""
    if len(a_panels):
        pack_share_of_a(a_panels, A, block_k, 0, 1, shape)
    bounds = (0, len(A), 0, B.shape[1])
    multiply_share(C, A, B, a_panels, b_panels[0], bounds, block_n, block_k, shape)


@njit(cache=True, parallel=True)
def multiply(C, A, B, a_panels, b_panels, block_n, block_k, shape):
    """C = A·B by as many workers as ``b_panels`` has rows: all pack A, then each computes a rectangle of C."""
    workers = len(b_panels)
    if workers == 1:
        multiply_alone(C, A, B, a_panels, b_panels, block_n, block_k, shape)
    else:
        if len(a_panels):
            for share in prange(workers):
                pack_share_of_a(a_panels, A, block_k, np.intp(share), workers, shape)
        for share in prange(workers):
            worker = np.intp(share)
            bounds = bounds_of(len(A), B.shape[1], rows_of(shape), tile_columns(C, shape), worker, workers)
            multiply_share(C, A, B, a_panels, b_panels[worker], bounds, block_n, block_k, shape)
