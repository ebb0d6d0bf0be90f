"""dense on the CPU: interpreted loops, plain loops, and the blocked product with bias and activation at its end.

The product is computed as Yᵀ = W·Xᵀ: W, the large matrix, is read once and where it stands, and vectors
run along the batch. Below 8 rows of X such vectors would be mostly empty: there every output is a
dot product of a row of W, as fast as W comes from memory (`dots`).
"""

from functools import partial

import numpy as np
from numba import njit, prange

from gpuplay.intrinsics import simd as vectors
from gpuplay.intrinsics.host.internal import inlined, internal
from gpuplay.intrinsics.tiles import Shape, rows_of

from .._shared import gemm
from .._shared.activations import CODE, apply
from .._shared.blocking import BLOCK_K, BLOCK_N, ROWS, VECTORS
from .._shared.operands import Operand, Rows
from .._shared.packing import pack_a, round_up, tile_columns
from .._shared.transposed import copy_transposed, pack_transposed
from ..activation.cpu import FUNCTIONS
from . import blocking
from .dots import dots

FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
BLOCK_M = blocking.BLOCK_M
LEAST_REUSE = 8  # panels of X that a strip of W must meet to make packing it pay
DOTS = Shape(4, 2)  # rows of W at a time, and independent sums of each

_width_of, _depth_of_parts = internal(blocking.width_of), internal(blocking.depth_of_parts)


def loop(p):
    """Interpreted: every number is an object.

    Three nested loops in plain Python, over lists.
    """
    function = FUNCTIONS[p.function]

    def run(Y, X, W, b):
        for x, out in zip(X, Y, strict=True):
            for j, weights in enumerate(W):
                total = b[j]
                for value, weight in zip(x, weights, strict=True):
                    total += value * weight
                out[j] = function(total)

    return run


def naive(p):
    """The definition: every row of X reads the whole of W again."""
    code = CODE[p.function]

    @njit(cache=True, fastmath=FASTMATH)
    def run(Y, X, W, b):
        batch, n = Y.shape
        for i in range(batch):
            for j in range(n):
                total = b[j]
                for k in range(n):
                    total += X[i, k] * W[j, k]
                vectors.store_first(Y, i * n + j, apply(code, vectors.broadcast(Y, total)), 1)

    return run


# ---- the blocked product ----


@internal
def _pack_share(panels, X, block_n, block_k, share, shares, shape):
    """Pack one worker's share of Xᵀ: of every part of the depth some rows."""
    (batch, n), lanes = X.shape, vectors.lanes(X)
    deepest = _depth_of_parts(n, _width_of(batch, block_n), block_n, block_k)
    for left in range(0, batch, block_n):
        columns = min(block_n, batch - left)
        width = round_up(columns, lanes)
        for k in range(0, n, deepest):
            deep = min(deepest, n - k)
            steps = (deep + lanes - 1) // lanes
            first, last = share * steps // shares * lanes, min((share + 1) * steps // shares * lanes, deep)
            pack_transposed(panels, left * n + k * width, Rows(X, left * n + k, n), deep, columns, first, last, shape)


@internal
def _sum_block(room, W, n, panels, p, top, bottom, width, deepest, shape):
    """The sums of rows ``top`` to ``bottom`` of W with the panels at ``p``, at the beginning of ``room``.

    A strip of W is copied to the end of the room if enough panels meet it, or if it has too few rows for a tile.
    """
    high = rows_of(shape)
    strip = round_up(BLOCK_M, high) * width
    for k in range(0, n, deepest):
        deep = min(deepest, n - k)
        panel = p + k * width
        for row in range(top, bottom, high):
            rows, weights = bottom - row, Operand(W, row * n + k, n, 1)
            if rows < high or width >= LEAST_REUSE * tile_columns(W, shape):
                pack_a(room, strip, Rows(W, weights.at, n), min(rows, high), deep, shape)
                weights = Operand(room, strip, 1, high)
            sums = Rows(room, (row - top) * width, width)
            gemm.strip_product(sums, weights, panels, panel, deep, high, width, k > 0, shape)


@inlined
def _finish(code, room, b, top, bottom, width):
    """Add a row's bias to its sums and apply the activation, where they lie."""
    lanes = vectors.lanes(room)
    for row in range(top, bottom):
        begin = (row - top) * width
        for i in range(begin, begin + width, lanes):
            vectors.store(room, i, apply(code, vectors.load(room, i) + b[row]))


@inlined
def _multiply_share(code, Y, W, b, panels, room, block_n, block_k, share, shares, shape):
    """Compute one worker's share of the outputs, a run of W's rows in whole tiles: a block of sums at a time."""
    (batch, n), high = Y.shape, rows_of(shape)
    strips = (n + high - 1) // high
    first, last = share * strips // shares * high, min((share + 1) * strips // shares * high, n)
    step = round_up(BLOCK_M, high)
    deepest = _depth_of_parts(n, _width_of(batch, block_n), block_n, block_k)
    for left in range(0, batch, block_n):
        columns = min(block_n, batch - left)
        width = round_up(columns, vectors.lanes(W))
        for top in range(first, last, step):
            bottom = min(top + step, last)
            _sum_block(room, W, n, panels, left * n, top, bottom, width, deepest, shape)
            _finish(code, room, b, top, bottom, width)
            copy_transposed(Rows(Y, left * n + top, n), Rows(room, 0, width), bottom - top, columns)


def _by_blocks(code, block_n, block_k, shape, *, many):
    """The blocked product; ``many`` is closed over too, since Numba's disk cache does not look at options.

    Function and shape are compiled for; numbers are handed over, so that others need no compiling.
    """

    @njit(cache=True, parallel=many)
    def run(block_n, block_k, Y, X, W, b, panels, room):
        workers = len(room) if many else 1
        for share in prange(workers):
            _pack_share(panels, X, block_n, block_k, np.intp(share), workers, shape)
        for share in prange(workers):
            worker = np.intp(share)
            _multiply_share(code, Y, W.reshape(-1), b, panels, room[worker], block_n, block_k, worker, workers, shape)

    return partial(run, block_n, block_k)


# ---- dot products ----


def _by_dots(code, *, many):
    """Dot products for small batches; ``many`` as in `_by_blocks`."""

    @njit(cache=True, parallel=many)
    def run(Y, X, W, b, _panels, room):
        workers = len(room) if many else 1
        for share in prange(workers):
            worker = np.intp(share)
            high = rows_of(DOTS)
            strips = (len(b) + high - 1) // high
            first, last = worker * strips // workers * high, (worker + 1) * strips // workers * high
            dots(code, Y, X, W, b, first, min(last, len(b)), DOTS)

    return run


def _build(p, tile_rows, tile_vectors, block_n, block_k, *, many):
    code = CODE[p.function]
    if p.batch < blocking.SMALL_BATCH:
        return _by_dots(code, many=many)
    return _by_blocks(code, block_n, block_k, Shape(tile_rows, tile_vectors), many=many)


def simd(p, tile_rows=ROWS, tile_vectors=VECTORS, block_n=BLOCK_N, block_k=BLOCK_K):
    """The same source: one instruction serves a vector of the batch.

    One thread; with vectors of one lane it is cpu:scalar.
    """
    return _build(p, tile_rows, tile_vectors, block_n, block_k, many=False)


def parallel(p, tile_rows, tile_vectors, block_n, block_k):
    """The same source: every core takes its share of the rows of W.

    All threads: first all pack X, then each takes its share of the rows of W.
    """
    return _build(p, tile_rows, tile_vectors, block_n, block_k, many=True)
