"""Outputs of a dense layer for few rows of X: dot products of the rows of W, at the speed of memory."""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.inner import add_inner, add_inner_first, store_totals
from gpuplay.intrinsics.host.internal import inlined, internal
from gpuplay.intrinsics.tiles import rows_of, vectors_of, with_rows, zero_tile

from .._shared.activations import apply

AHEAD = 16  # vectors of each row that are asked for before they are read


@internal
def _rows_by_vector(Y, y, W, w, X, x, n, shape):
    """Adjacent outputs without their bias, one for each row of the shape: rows at ``W[w]`` with numbers at ``X[x]``."""
    step = vectors_of(shape) * simd.lanes(W)
    whole = n // step * step
    tile = zero_tile(W, shape)
    for k in range(0, whole, step):
        for r in range(rows_of(shape)):
            for v in range(vectors_of(shape)):
                simd.prefetch(W, w + r * n + k + (AHEAD + v) * simd.lanes(W))
        tile = add_inner(tile, W, w + k, n, X, x + k)
    if whole < n:
        tile = add_inner_first(tile, W, w + whole, n, X, x + whole, n - whole)
    store_totals(Y, y, tile)


@inlined
def dots(code, Y, X, W, b, first, last, shape):
    """Outputs ``first`` to ``last`` for every row of X; all of these meet some rows of W while those are in a cache."""
    (batch, n), high = X.shape, rows_of(shape)
    whole = first + (last - first) // high * high
    for j in range(first, whole, high):
        for i in range(batch):
            _rows_by_vector(Y, i * n + j, W, j * n, X, i * n, n, shape)
    for j in range(whole, last):
        for i in range(batch):
            _rows_by_vector(Y, i * n + j, W, j * n, X, i * n, n, with_rows(shape, 1))
    lanes = simd.lanes(Y)
    for i in range(batch):
        for j in range(first, last, lanes):
            sums = simd.load_first(Y, i * n + j, last - j) + simd.load_first(b, j, last - j)
            simd.store_first(Y, i * n + j, apply(code, sums), last - j)
