"""matmul on the CPU: interpreted loops, textbook loops, and the blocked product on one core and on all."""

import numpy as np
from numba import njit, prange

from .._shared import gemm
from .._shared.blocking import DEFAULTS


def loop(_p):
    """Three nested loops in plain Python, over lists."""

    def run(C, A, B):
        for row, out in zip(A, C, strict=True):
            for j in range(len(out)):
                total = 0.0
                for k, value in enumerate(row):
                    total += value * B[k][j]
                out[j] = total

    return run


@njit(cache=True, fastmath=gemm.FASTMATH)
def _naive(C, A, B):
    m, n = C.shape
    for i in range(m):
        for j in range(n):
            total = C.dtype.type(0)
            for k in range(len(B)):
                total += A[i, k] * B[k, j]
            C[i, j] = total


def naive(_p):
    """Rows of A by columns of B, in the order of the definition."""
    return _naive


def simd(_p, block_m=DEFAULTS["block_m"], block_n=DEFAULTS["block_n"], block_k=DEFAULTS["block_k"]):
    """The blocked product of `gemm` on one thread; with the vectorisers off it is cpu:scalar."""

    @njit(cache=True)
    def run(C, A, B, panels, sums):
        gemm.pack_rows(B, panels, block_n, 0, 1)
        gemm.multiply(C, A, panels, sums[0], block_m, block_n, block_k, 0, 1)

    return run


@njit(cache=True, parallel=True)
def _parallel(C, A, B, panels, sums, blocks, workers):
    block_m, block_n, block_k = blocks
    for share in prange(workers):
        gemm.pack_rows(B, panels, block_n, np.intp(share), workers)
    for share in prange(workers):
        gemm.multiply(C, A, panels, sums[share], block_m, block_n, block_k, np.intp(share), workers)


def parallel(p, block_m, block_n, block_k):
    """The blocked product of `gemm` on all threads: first all pack B, then all multiply."""
    blocks = (block_m, block_n, block_k)
    one_core = simd(p, *blocks)

    def run(C, A, B, panels, sums):
        workers = gemm.workers_for(A.size * B.shape[1], sums)
        if workers == 1:
            one_core(C, A, B, panels, sums)
        else:
            _parallel(C, A, B, panels, sums, blocks, workers)

    return run
