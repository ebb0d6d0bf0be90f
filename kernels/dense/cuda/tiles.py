"""dense by tiles in shared memory.

Y is batch×n, X batch×n, W n×n with a row for each output, b has n elements; s is the bytes of an element. Traffic
is what the warps' requests move, in whole sectors of 32 bytes, before any cache.
"""

from numba import cuda

from ..._shared.gpu_activations import activation


def tiled(p, tile):
    """Tiles of X and W in shared memory, loaded along rows; bias and σ before the only store.

    A block of tile×tile threads walks along k; beyond the edges of X and W its tiles hold zeros. Both tiles are loaded
    along rows. The threads of a warp then read a column of W's tile: its rows are one word longer than the tile, so
    that the column is spread over all banks. Traffic: 2·s·batch·n²/tile bytes of loads, s·batch·n/2 of the bias,
    s·batch·n of stores.
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
