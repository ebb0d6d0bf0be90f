"""matmul straight from global memory: the same loop twice, and only which thread computes what differs.

C is m×n, A is m×k, B is k×n, row after row; s is the bytes of an element. Traffic is what the warps' requests
move, in whole sectors of 32 bytes, before any cache.
"""

from numba import cuda

from . import COALESCED_BLOCK, NAIVE_BLOCK


@cuda.jit(cache=True)
def _threads_along_a_column(C, A, B):
    i, j = cuda.grid(2)
    if i < C.shape[0] and j < C.shape[1]:
        total = C.dtype.type(0)
        for k in range(A.shape[1]):
            total += A[i, k] * B[k, j]
        C[i, j] = total


@cuda.jit(cache=True)
def _threads_along_a_row(C, A, B):
    j, i = cuda.grid(2)
    if i < C.shape[0] and j < C.shape[1]:
        total = C.dtype.type(0)
        for k in range(A.shape[1]):
            total += A[i, k] * B[k, j]
        C[i, j] = total


def naive(p):
    """One thread an element of C, adjacent threads along a column: 32 of them read 32 rows of A.

    At every step of k a warp loads one number from each of 32 rows of A, 32 sectors for 32 numbers, and one number of
    B. Traffic: 33·m·n·k bytes of loads, 32·m·n of stores.
    """
    down, across = NAIVE_BLOCK
    grid = (-(-p.m // down), -(-p.n // across))

    def run(gpu, C, A, B):
        gpu.launch(_threads_along_a_column, grid, NAIVE_BLOCK, C, A, B)

    return run


def coalesced(p):
    """The same loop, adjacent threads along a row of C: they load adjacent numbers of B.

    A warp reads 32 adjacent numbers of B, and one of A. Traffic: (1 + s)·m·n·k bytes of loads, s·m·n of stores.
    """
    across, down = COALESCED_BLOCK
    grid = (-(-p.n // across), -(-p.m // down))

    def run(gpu, C, A, B):
        gpu.launch(_threads_along_a_row, grid, COALESCED_BLOCK, C, A, B)

    return run
