"""The matrix product C = A·B on the CPU, from tiles in registers to all cores.

A *tile* of C, a few rows by a few vectors, is summed up in registers (`tile_product`). A *strip* is a row
of tiles: its rows of A stay in the caches while the panels of B go by (`strip_product`). A *block* of B,
``block_k`` rows by ``block_n`` columns, is packed into panels that stay in the second cache while all
strips go over it (`multiply_share`). Every worker has a rectangle of C of its own and packs its own blocks
of B, so that nobody waits for anybody (`multiply`).

This is the layering of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008),
without their copy of A: a few rows of it are streams that the processor follows by itself, and copying
them costs what it saves.
"""

import numpy as np
from numba import prange

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import inlined, internal, internal_parallel
from gpuplay.intrinsics.tiles import add_outer, add_tile, rows_of, store_tile, vectors_of, with_vectors, zero_tile

from . import blocking
from .operands import Operand, Rows
from .packing import depth_of, pack_a, pack_b, panel_width, tile_columns

bounds_of = internal(blocking.bounds_of)
WRITTEN, ADDED = False, True  # what becomes of a tile of sums: written over what stands in C, or added to it
UNROLLED = 4  # steps of k in one turn of the innermost loop


@inlined
def tile_product(C, A, B, depth, rows, columns, accumulate, shape):
    """One tile of C from ``depth`` columns of A and rows of B, written or, to ``accumulate``, added.

    C and B are `Rows`, A is an `Operand`. Of C only ``rows`` and ``columns`` are touched.
    """
    tile = zero_tile(C.array, shape)
    whole = depth // UNROLLED * UNROLLED
    for k in range(0, whole, UNROLLED):
        for step in range(UNROLLED):  # a compile-time constant, so that nothing is left of this loop
            tile = _add_product(tile, A, B, k + step)
    for k in range(whole, depth):
        tile = _add_product(tile, A, B, k)
    if accumulate:
        add_tile(C.array, C.at, C.row, tile, rows, columns)
    else:
        store_tile(C.array, C.at, C.row, tile, rows, columns)


@inlined
def _add_product(tile, A, B, k):
    """The tile plus the outer product of column k of A and row k of B."""
    return add_outer(tile, A.array, A.at + k * A.step, A.row, B.array, B.at + k * B.row)


@inlined
def panel_product(C, A, panel, depth, rows, columns, accumulate, shape):
    """A tile of C from one panel of B, whose rows are as long as it has columns: one to four vectors."""
    vectors = panel.row // simd.lanes(C.array)
    if vectors == vectors_of(shape):
        tile_product(C, A, panel, depth, rows, columns, accumulate, shape)
    elif vectors == 1:
        tile_product(C, A, panel, depth, rows, columns, accumulate, with_vectors(shape, 1))
    elif vectors == 2:
        tile_product(C, A, panel, depth, rows, columns, accumulate, with_vectors(shape, 2))
    else:
        tile_product(C, A, panel, depth, rows, columns, accumulate, with_vectors(shape, 3))


@internal
def strip_product(C, A, B, b, depth, rows, columns, accumulate, shape):
    """A strip of C as high as a tile, from rows of A and all panels of B, packed from ``B[b]`` on."""
    wide = tile_columns(C.array, shape)
    for left in range(0, columns, wide):
        here = columns - left
        panel = Rows(B, b + left * depth, panel_width(B, here, shape))
        panel_product(Rows(C.array, C.at + left, C.row), A, panel, depth, rows, here, accumulate, shape)


@internal
def multiply_share(C, A, B, room, bounds, block_n, block_k, shape):
    """Compute a rectangle of C; ``bounds`` are its first row and column and those after its last.

    A is read as it stands: its rows are streams of their own. ``room`` takes a panel of the last rows of A,
    which may be fewer than a tile's, then those of one block of B.
    """
    top, bottom, left, right = bounds
    depth, n, high = A.shape[1], B.shape[1], rows_of(shape)
    A = A.reshape(A.size)  # of one type with the room, so that a strip is compiled once
    b = high * block_k
    parts = (depth + block_k - 1) // block_k
    part = depth_of(A, (depth + parts - 1) // parts)
    for column in range(left, right, block_n):
        columns = min(block_n, right - column)
        for k in range(0, depth, part):
            deep = min(part, depth - k)
            pack_b(room, b, Rows(B, k * n + column, n), deep, columns, shape)
            for row in range(top, bottom, high):
                rows, source = bottom - row, Operand(A, row * depth + k, depth, 1)
                if rows < high:
                    pack_a(room, 0, Rows(A, source.at, depth), rows, deep, shape)
                    source = Operand(room, 0, 1, high)
                strip_product(Rows(C, row * n + column, n), source, room, b, deep, rows, columns, k > 0, shape)


@internal
def multiply_alone(C, A, B, panels, block_n, block_k, shape):
    """C = A·B by one thread."""
    multiply_share(C, A, B, panels[0], (0, len(A), 0, B.shape[1]), block_n, block_k, shape)


@internal_parallel
def multiply(C, A, B, panels, block_n, block_k, shape):
    """C = A·B by as many workers as ``panels`` has rows; each computes a rectangle of C."""
    workers = len(panels)
    for share in prange(workers):
        worker = np.intp(share)
        bounds = bounds_of(len(A), B.shape[1], rows_of(shape), tile_columns(C, shape), worker, workers)
        multiply_share(C, A, B, panels[worker], bounds, block_n, block_k, shape)
