"""matmul up to tiles in shared memory: cuda:naive, cuda:coalesced, cuda:tiled, each whole.

The first two are the same loop, and only which thread computes what differs; in the third, what the threads of a block
have in common is loaded once.

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


def tiled(p, tile):
    """A block loads a tile of A and of B into shared memory and uses each number tile times.

    A block of tile×tile threads walks along k; beyond the edges of A and B its tiles hold zeros. Every number that is
    loaded serves ``tile`` threads. Traffic: 2·s·m·n·k / tile bytes of loads, s·m·n of stores.
    """

    @cuda.jit(cache=True)
    def multiply_tiles(C, A, B):
        a = cuda.shared.array((tile, tile), C.dtype)
        b = cuda.shared.array((tile, tile), C.dtype)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        i = cuda.blockIdx.y * tile + y
        j = cuda.blockIdx.x * tile + x
        zero = C.dtype.type(0)
        total = zero
        depth = A.shape[1]
        for start in range(0, depth, tile):
            a[y, x] = A[i, start + x] if i < A.shape[0] and start + x < depth else zero
            b[y, x] = B[start + y, j] if start + y < depth and j < B.shape[1] else zero
            cuda.syncthreads()
            for k in range(tile):
                total += a[y, k] * b[k, x]
            cuda.syncthreads()
        if i < C.shape[0] and j < C.shape[1]:
            C[i, j] = total

    grid = (-(-p.n // tile), -(-p.m // tile))

    def run(gpu, C, A, B):
        gpu.launch(multiply_tiles, grid, (tile, tile), C, A, B)

    return run
