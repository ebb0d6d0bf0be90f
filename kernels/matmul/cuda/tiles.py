"""matmul as GPU functions: straight from global memory, and by tiles in shared memory."""

from numba import cuda

from . import NAIVE_BLOCK


@cuda.jit(cache=True)
def _one_thread_an_element(C, A, B):
    j, i = cuda.grid(2)
    if i < C.shape[0] and j < C.shape[1]:
        total = C.dtype.type(0)
        for k in range(A.shape[1]):
            total += A[i, k] * B[k, j]
        C[i, j] = total


def naive(p):
    """One thread an element of C; the threads of a warp share a row of A and load adjacent columns of B."""
    columns, rows = NAIVE_BLOCK
    grid = (-(-p.n // columns), -(-p.m // rows))

    def run(gpu, C, A, B):
        gpu.launch(_one_thread_an_element, grid, NAIVE_BLOCK, C, A, B)

    return run


def tiled(p, tile):
    """A block of tile×tile threads walks along k; beyond the edges of A and B its tiles hold zeros."""

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
