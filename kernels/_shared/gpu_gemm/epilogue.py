"""What becomes of a thread's tile: four adjacent elements of a row at a time, given to a sink."""

import functools

from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from .product import first_quad
from .tiling import LANES_ACROSS, LANES_DOWN, QUAD


@functools.cache
def epilogue(tiling, sink):
    """A device function ``(tile, row, column, operands)``: every quad of the tile goes to the sink.

    ``row`` and ``column`` are where the block's tile begins. ``sink(quad, i, j, operands)`` is a device function;
    ``quad`` is the tuple C[i, j], …, C[i, j + 3], and ``operands`` whatever the sink needs, in a tuple.
    """
    place = first_quad(tiling)
    give = rows(tiling.thread_rows, LANES_DOWN * QUAD, LANES_ACROSS * QUAD if tiling.quads_across == 2 else 0, sink)

    @cuda.jit(device=True, forceinline=True)
    def finish(tile, row, column, operands):
        i, j = place()
        give(tile, uint32(row + i), uint32(column + j), operands)

    return finish


@functools.cache
def rows(count, down, across, sink):
    """A device function ``(tile, i, j, operands)``: gives the sink so many rows of a tile, a power of two.

    From a quad to the one below are ``down`` rows, from the left to the right one ``across`` columns; 0 where
    there is none. Two halves make a whole, so that every element has a constant place in the tuple.
    """
    two = across > 0
    if count == 1:

        @cuda.jit(device=True, forceinline=True)
        def one_row(tile, i, j, operands):
            sink(tile[:QUAD], i, j, operands)
            if two:
                sink(tile[QUAD:], i, uint32(j + uint32(across)), operands)

        return one_row

    half = rows(count // 2, down, across, sink)
    cut = count // 2 * QUAD * (2 if two else 1)
    below = count // 2 // QUAD * down or count // 2

    @cuda.jit(device=True, forceinline=True)
    def both_halves(tile, i, j, operands):
        half(tile[:cut], i, j, operands)
        half(tile[cut:], uint32(i + uint32(below)), j, operands)

    return both_halves


@cuda.jit(device=True, forceinline=True)
def store_wide(quad, i, j, operands):
    """A sink for (C, m, n): one 128-bit store, for n a multiple of 4."""
    C, m, n = operands
    if i < m and j < n:
        ptx.store4(C, i * n + j, quad)


@cuda.jit(device=True, forceinline=True)
def store_apart(quad, i, j, operands):
    """A sink for (C, m, n) of any extents: element by element."""
    C, m, n = operands
    if i < m:
        at = i * n + j
        if j < n:
            C[at] = quad[0]
        if uint32(j + uint32(1)) < n:
            C[at + 1] = quad[1]
        if uint32(j + uint32(2)) < n:
            C[at + 2] = quad[2]
        if uint32(j + uint32(3)) < n:
            C[at + 3] = quad[3]
