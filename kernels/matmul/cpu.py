"""matmul on the CPU: interpreted loops, three orders of plain loops, each whole, then a tile in registers.

The product by register tiles, from cpu:simd on, is lifted to `_shared.gemm`: dense, conv2d and lstm stand on it, too.
"""

from functools import partial

from numba import njit

from gpuplay.intrinsics.tiles import Shape

from .._shared import gemm
from .._shared.blocking import BLOCK_K, BLOCK_N, ROWS, VECTORS, by_workers

FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
DEEP, WIDE = 64, 1024  # rows and columns of a block of B: 256 KiB of float32, at home in the second cache


def loop(_p):
    """Interpreted: every number is an object.

    Three nested loops in plain Python, over lists.
    """

    def run(C, A, B):
        for row, out in zip(A, C, strict=True):
            for j in range(len(out)):
                total = 0.0
                for k, value in enumerate(row):
                    total += value * B[k][j]
                out[j] = total

    return run


@njit(cache=True, fastmath=FASTMATH)
def _naive(C, A, B):
    m, n = C.shape
    for i in range(m):
        for j in range(n):
            total = C.dtype.type(0)
            for k in range(len(B)):
                total += A[i, k] * B[k, j]
            C[i, j] = total


@njit(cache=True, fastmath=FASTMATH)
def _reordered(C, A, B):
    m, n = C.shape
    for i in range(m):
        C[i] = 0
        for k in range(len(B)):
            a = A[i, k]
            for j in range(n):
                C[i, j] += a * B[k, j]


@njit(cache=True, fastmath=FASTMATH)
def _blocked(C, A, B):
    m, n = C.shape
    C[:] = 0
    for left in range(0, n, WIDE):
        right = min(left + WIDE, n)
        for top in range(0, len(B), DEEP):
            bottom = min(top + DEEP, len(B))
            for i in range(m):
                c = C[i, left:right]
                for k in range(top, bottom):
                    a, b = A[i, k], B[k, left:right]
                    for j in range(len(c)):
                        c[j] += a * b[j]


def naive(_p):
    """Textbook order: the inner loop jumps a whole row of B at every step."""
    return _naive


def reordered(_p):
    """Another order of the same loops: the inner one walks along a row of B and a row of C.

    The loops over k and j exchanged: all that the inner loop touches lies side by side. That makes it cpu:vectorised
    where the compiler may use vectors, and cpu:reordered where it may not.
    """
    return _reordered


def blocked(_p):
    """Block by block: rows of B are used again while they are in the second cache.

    The same loops over one block of B after the other, each for all rows of A.
    """
    return _blocked


def simd(_p, tile_rows=ROWS, tile_vectors=VECTORS, block_n=BLOCK_N, block_k=BLOCK_K):
    """A tile of C stays in registers, and packed panels of B reach it as one plain stream.

    The product of `gemm` on one thread; with vectors of one lane it is cpu:scalar. Only the tile's shape is compiled
    for; numbers are handed over, so that others need no compiling.
    """
    shape = Shape(tile_rows, tile_vectors)

    @njit(cache=True)
    def alone(block_n, block_k, C, A, B, panels):
        gemm.multiply_alone(C, A, B, panels, block_n, block_k, shape)

    return partial(alone, block_n, block_k)


def parallel(p, tile_rows, tile_vectors, block_n, block_k):
    """The same source: every core computes a rectangle of C.

    The product of `gemm` on all threads that it is worth, each of which has a row of ``panels``.
    """
    shape = Shape(tile_rows, tile_vectors)
    alone = simd(p, tile_rows, tile_vectors, block_n, block_k)

    @njit(cache=True)
    def together(block_n, block_k, C, A, B, panels):
        gemm.multiply(C, A, B, panels, block_n, block_k, shape)

    return partial(by_workers, alone, partial(together, block_n, block_k))
