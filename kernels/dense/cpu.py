"""dense on the CPU: interpreted loops, and the blocked product with bias and activation at its end.

The product is computed as Yᵀ = W·Xᵀ: W, the large matrix, is read once and never packed, and vectors
run along the batch. Below 8 rows of X such vectors would be mostly empty: there every output is a
dot product of a row of W, as fast as W comes from memory.
"""

import numpy as np
from numba import njit, prange

from .._shared import quads as gemm
from .._shared.quad_blocking import DEFAULTS
from .._shared.scalar_activations import CODE, apply
from ..activation.cpu import FUNCTIONS

SMALL_BATCH = 8


def loop(p):
    """Three nested loops in plain Python, over lists."""
    function = FUNCTIONS[p.function]

    def run(Y, X, W, b):
        for x, out in zip(X, Y, strict=True):
            for j, weights in enumerate(W):
                total = b[j]
                for value, weight in zip(x, weights, strict=True):
                    total += value * weight
                out[j] = function(total)

    return run


def _by_blocks(code, *, many):
    """The blocked product; ``blocks`` are block_m, block_n, block_k.

    ``many`` is used inside too: Numba's disk cache tells compiled functions apart by what they close
    over, not by their options, and would hand out one form for the other.
    """

    @njit(cache=True, parallel=many, error_model="numpy")
    def run(Y, X, W, b, panels, sums, blocks, wanted):
        workers = wanted if many else 1
        block_m, block_n, block_k = blocks
        batch, n = X.shape
        for share in prange(workers):
            worker = np.intp(share)
            gemm.pack_columns(X, panels, block_n, worker, workers)
        for share in prange(workers):
            worker = np.intp(share)
            unit, end, quads = gemm.units_of(n, batch, block_n, worker, workers)
            while unit < end:
                strip, first, last = gemm.next_block(unit, end, quads, gemm.quads_per_block(n, block_m))
                unit += last - first
                panel, left, columns, width = gemm.panel_of(panels, strip, n, batch, block_n)
                block = sums[worker, : (last - first) * gemm.ROWS * width]
                gemm.fill_rows(block, b, first, last, width)
                depth = gemm.part_depth(width, block_n, block_k)
                gemm.multiply_block(block, W, first, last, gemm.ROWS, 1, panel, width, depth)
                for i in range(len(block)):
                    block[i] = apply(code, block[i])
                gemm.store_transposed(Y, block, first, last, left, columns, width)

    return run


def _by_dots(code, *, many):
    """Four rows of W at a time, for every row of X; ``many`` is used inside as in `_by_blocks`."""

    @njit(cache=True, parallel=many, error_model="numpy")
    def run(Y, X, W, b, wanted):
        workers = wanted if many else 1
        n = len(b)
        quads = (n + 3) // 4
        for share in prange(workers):
            worker = np.intp(share)
            for quad in range(worker * quads // workers, (worker + 1) * quads // workers):
                j0 = quad * 4
                j1, j2, j3 = min(j0 + 1, n - 1), min(j0 + 2, n - 1), min(j0 + 3, n - 1)
                for i in range(len(X)):
                    s0, s1, s2, s3 = gemm.four_dots(W[j0], W[j1], W[j2], W[j3], X[i])
                    Y[i, j0] = apply(code, s0 + b[j0])
                    Y[i, j1] = apply(code, s1 + b[j1])
                    Y[i, j2] = apply(code, s2 + b[j2])
                    Y[i, j3] = apply(code, s3 + b[j3])

    return run


def _build(p, blocks, *, many):
    code = CODE[p.function]
    products = p.batch * p.n * p.n
    form = _by_dots if p.batch < SMALL_BATCH else _by_blocks
    one = form(code, many=False)
    all_cores = form(code, many=True) if many else one

    def run(Y, X, W, b, panels, sums):
        workers = gemm.workers_for(products, sums) if many else 1
        compute = one if workers == 1 else all_cores
        if form is _by_dots:
            compute(Y, X, W, b, workers)
        else:
            compute(Y, X, W, b, panels, sums, blocks, workers)

    return run


def simd(p, **blocks):
    """One thread; with the vectorisers off it is cpu:scalar."""
    return _build(p, tuple((DEFAULTS | blocks).values()), many=False)


def parallel(p, **blocks):
    """All threads: first all pack X, then each takes its share of W."""
    return _build(p, tuple((DEFAULTS | blocks).values()), many=True)
