"""matmul by tiles in registers: cuda:column and cuda:register, each whole.

What a thread loads from shared memory serves more than one of its results.

C is m×n, A is m×k, B is k×n, row after row; s is the bytes of an element. Traffic is what the warps' requests
move, in whole sectors of 32 bytes, before any cache. A tile is a tuple, which stays in registers as long as its
items are taken by constant indices.
"""

import numpy as np
from numba import cuda

from gpuplay.intrinsics import ptx

DEPTH = 8  # steps of k that a block holds at once
EIGHT = 8  # rows, and in the second rung columns, of a thread


@cuda.jit(device=True)
def _down(tile, i, k):
    """Eight rows of a column of a tile in shared memory."""
    return (
        tile[i, k],
        tile[i + 1, k],
        tile[i + 2, k],
        tile[i + 3, k],
        tile[i + 4, k],
        tile[i + 5, k],
        tile[i + 6, k],
        tile[i + 7, k],
    )


@cuda.jit(device=True)
def _across(tile, k, j):
    """Eight columns of a row of a tile in shared memory."""
    return (
        tile[k, j],
        tile[k, j + 1],
        tile[k, j + 2],
        tile[k, j + 3],
        tile[k, j + 4],
        tile[k, j + 5],
        tile[k, j + 6],
        tile[k, j + 7],
    )


def column(p):
    """A thread computes 8 rows of a column: a number of B in a register is used 8 times.

    A step of k takes 9 loads from shared memory for 8 multiply-adds, where one element a thread takes 16. The block of
    512 threads computes 64×64 elements, so that less is loaded from global memory, too. Traffic: s·m·n·k / 32 bytes of
    loads, s·m·n of stores.
    """
    side = 64
    zero = np.dtype(p.dtype).type(0)
    nothing = (zero,) * EIGHT

    @cuda.jit(cache=True)
    def multiply_columns(C, A, B):
        a = cuda.shared.array((side, DEPTH), C.dtype)
        b = cuda.shared.array((DEPTH, side), C.dtype)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        row, step = (y * side + x) // DEPTH, x % DEPTH
        top, j = cuda.blockIdx.y * side, cuda.blockIdx.x * side + x
        m, depth, n = A.shape[0], A.shape[1], B.shape[1]
        sums = nothing
        for start in range(0, depth, DEPTH):
            a[row, step] = A[top + row, start + step] if top + row < m and start + step < depth else zero
            b[y, x] = B[start + y, j] if start + y < depth and j < n else zero
            cuda.syncthreads()
            for k in range(DEPTH):
                sums = ptx.add_outer(sums, _down(a, y * EIGHT, k), (b[k, x],))
            cuda.syncthreads()
        for r in cuda.literal_unroll((0, 1, 2, 3, 4, 5, 6, 7)):
            i = top + y * EIGHT + r
            if i < m and j < n:
                C[i, j] = sums[r]

    grid = (-(-p.n // side), -(-p.m // side))

    def run(gpu, C, A, B):
        gpu.launch(multiply_columns, grid, (side, side // EIGHT), C, A, B)

    return run


def register(p):
    """A thread computes 8×8 elements in registers: 16 loads from shared memory for 64 multiply-adds.

    The block of 16×16 threads computes 128×128 elements. Loads from shared memory stand in each other's way: threads
    beside each other read columns 8 apart, which lie in 4 of the 32 banks. So do the stores: each number of a warp
    goes to a sector of its own. The next rung mends both. Traffic: s·m·n·k / 64 bytes of loads, 32·m·n of stores.
    """
    side, threads = 128, 256
    zero = np.dtype(p.dtype).type(0)
    nothing = (zero,) * (EIGHT * EIGHT)

    @cuda.jit(cache=True)
    def multiply_register_tiles(C, A, B):
        a = cuda.shared.array((side, DEPTH), C.dtype)
        b = cuda.shared.array((DEPTH, side), C.dtype)
        thread = cuda.threadIdx.x
        top, left = cuda.blockIdx.y * side, cuda.blockIdx.x * side
        y, x = thread // 16 * EIGHT, thread % 16 * EIGHT
        m, depth, n = A.shape[0], A.shape[1], B.shape[1]
        tile = nothing
        for start in range(0, depth, DEPTH):
            for at in range(thread, side * DEPTH, threads):
                i, k = at // DEPTH, at % DEPTH
                a[i, k] = A[top + i, start + k] if top + i < m and start + k < depth else zero
                k, j = at // side, at % side
                b[k, j] = B[start + k, left + j] if start + k < depth and left + j < n else zero
            cuda.syncthreads()
            for k in range(DEPTH):
                tile = ptx.add_outer(tile, _down(a, y, k), _across(b, k, x))
            cuda.syncthreads()
        for r in cuda.literal_unroll((0, 1, 2, 3, 4, 5, 6, 7)):
            for c in cuda.literal_unroll((0, 1, 2, 3, 4, 5, 6, 7)):
                i, j = top + y + r, left + x + c
                if i < m and j < n:
                    C[i, j] = tile[r * EIGHT + c]

    grid = (-(-p.n // side), -(-p.m // side))

    def run(gpu, C, A, B):
        gpu.launch(multiply_register_tiles, grid, threads, C, A, B)

    return run
