"""Packing: operands of a matrix product copied into the order in which a register tile reads them.

A *panel* of B is a strip of columns as wide as a tile, row after row, zeros beyond the matrix. A *panel*
of A is a strip of rows as high as a tile, column after column. What the inner loop then reads is a plain
stream, whatever the shape of the matrix, and neither cache lines nor pages go to waste
(Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).

Where a matrix stands is told by `operands`; other positions are flat indices.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.tiles import load_tile, rows_of, store_columns, vectors_of, with_vectors

from . import blocking

round_up = internal(blocking.round_up)
ROWS_AHEAD = 8  # of B, asked for before they are packed: about as long as memory takes to answer


@internal
def tile_columns(array, shape):
    """Columns of a tile: its vectors times the lanes of the host."""
    return vectors_of(shape) * simd.lanes(array)


@internal
def panel_width(array, columns, shape):
    """Columns of a panel that holds ``columns``, at most a tile's: the last one of a matrix may be narrower."""
    lanes = simd.lanes(array)
    return min(tile_columns(array, shape), (columns + lanes - 1) // lanes * lanes)


@internal
def pack_b(P, p, matrix, depth, columns, shape):
    """Pack ``depth`` rows and ``columns`` of a matrix (`Rows`) into panels, one after the other, at ``P[p]``.

    Reads row by row, since neighbours in memory come together.
    """
    B, b, stride = matrix
    lanes, wide = simd.lanes(B), tile_columns(B, shape)
    whole = columns // wide * wide
    rest = columns - whole
    narrow = panel_width(B, rest, shape)
    for k in range(depth):
        row = b + k * stride
        for left in range(0, whole, wide):
            at = p + left * depth + k * wide
            for v in range(vectors_of(shape)):
                simd.prefetch(B, row + ROWS_AHEAD * stride + left + v * lanes)
                simd.store(P, at + v * lanes, simd.load(B, row + left + v * lanes))
        at = p + whole * depth + k * narrow
        for v in range(0, rest, lanes):
            simd.store(P, at + v, simd.load_first(B, row + whole + v, rest - v))


@internal
def pack_a(P, p, matrix, rows, depth, shape):
    """Pack ``rows`` rows, ``depth`` long, of a matrix (`Rows`) into panels, one after the other, at ``P[p]``.

    A panel has a tile's rows, zeros among them, and room for ``depth`` rounded up to whole vectors: see `depth_of`.
    """
    A, a, stride = matrix
    lanes, high = simd.lanes(A), rows_of(shape)
    deep = depth_of(A, depth)
    for top in range(0, rows, high):
        for k in range(0, depth, lanes):
            tile = load_tile(A, a + top * stride + k, stride, rows - top, depth - k, with_vectors(shape, 1))
            store_columns(P, p + top * deep + k * high, tile)


@internal
def depth_of(array, depth):
    """Columns that a panel of A takes up in memory: ``depth`` rounded up to whole vectors."""
    return round_up(depth, simd.lanes(array))
