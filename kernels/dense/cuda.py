"""dense as GPU functions: straight from global memory, and by tiles in shared memory."""

from numba import cuda

from .._shared.gpu_activations import activation
from . import NAIVE_BLOCK


def naive(p):
    """One thread an output; at every step the 32 threads of a warp read 32 different rows of W."""
    f = activation(p.function, p.dtype)

    @cuda.jit(cache=True)
    def dense_naive(Y, X, W, b):
        j, i = cuda.grid(2)
        if i < Y.shape[0] and j < Y.shape[1]:
            total = b[j]
            for k in range(X.shape[1]):
                total += X[i, k] * W[j, k]
            Y[i, j] = f(total)

    columns, rows = NAIVE_BLOCK
    grid = (-(-p.n // columns), -(-p.batch // rows))

    def run(gpu, Y, X, W, b):
        gpu.launch(dense_naive, grid, NAIVE_BLOCK, Y, X, W, b)

    return run


def tiled(p, tile):
    """A block of tile×tile threads walks along k; beyond the edges of X and W its tiles hold zeros.

    Both tiles are loaded along rows. The threads of a warp then read a column of W's tile: its rows
    are one word longer than the tile, so that the column is spread over all banks.
    """
    f = activation(p.function, p.dtype)
    padded = tile + 1

    @cuda.jit(cache=True)
    def dense_tiled(Y, X, W, b):
        xs = cuda.shared.array((tile, tile), Y.dtype)
        ws = cuda.shared.array((tile, padded), Y.dtype)
        tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
        i = cuda.blockIdx.y * tile + ty
        left = cuda.blockIdx.x * tile
        zero = Y.dtype.type(0)
        total = zero
        outputs, depth = W.shape
        for start in range(0, depth, tile):
            k = start + tx
            xs[ty, tx] = X[i, k] if i < X.shape[0] and k < depth else zero
            ws[ty, tx] = W[left + ty, k] if left + ty < outputs and k < depth else zero
            cuda.syncthreads()
            for step in range(tile):
                total += xs[ty, step] * ws[tx, step]
            cuda.syncthreads()
        j = left + tx
        if i < Y.shape[0] and j < outputs:
            Y[i, j] = f(total + b[j])

    grid = (-(-p.n // tile), -(-p.batch // tile))

    def run(gpu, Y, X, W, b):
        gpu.launch(dense_tiled, grid, (tile, tile), Y, X, W, b)

    return run
