"""conv2d from global memory and by tiles with their halo in shared memory: cuda:naive and cuda:tiled, each whole."""

from numba import cuda

from . import FILTERS


def naive(p, block):
    """One thread an output; adjacent threads read adjacent pixels.

    Outputs are numbered as Y lies in memory; all threads of a warp read the same weight. Every input is read
    kernel_size² times by each filter; what saves the day is the cache. Global traffic, in floats: a weight and a pixel
    for every product inside the images; and Y once.
    """
    stride, padding = p.stride, p.padding

    @cuda.jit(cache=True)
    def one_thread_an_output(Y, X, W):
        index = cuda.grid(1)
        if index >= Y.size:
            return
        filters, side, n = Y.shape[1], Y.shape[2], X.shape[2]
        x, y = index % side, index // side % side
        f, b = index // (side * side) % filters, index // (side * side * filters)
        total = Y.dtype.type(0)
        for c in range(W.shape[1]):
            for ki in range(W.shape[2]):
                i = y * stride + ki - padding
                if 0 <= i < n:
                    for kj in range(W.shape[3]):
                        j = x * stride + kj - padding
                        if 0 <= j < n:
                            total += W[f, c, ki, kj] * X[b, c, i, j]
        Y[b, f, y, x] = total

    def run(gpu, Y, X, W):
        gpu.launch(one_thread_an_output, (Y.size + block - 1) // block, block, Y, X, W)

    return run


def tiled(p, tile):
    """Each input is loaded once a tile and serves four filters from shared memory.

    A block computes tile×tile outputs of four filters; channel after channel passes through shared memory. The inputs
    of a tile, with a halo of kernel_size - stride rows and columns, are loaded once by all threads together, and each
    then serves up to 4·kernel_size² fma. Beyond the image there are zeros, beyond the last filter too. Global traffic,
    in floats: for every block and channel the inputs of its tile, ((tile - 1)·stride + kernel_size)² of which it reads
    those inside the image, and four filters; and Y once.
    """
    stride, padding, size = p.stride, p.padding, p.kernel_size
    reach = (tile - 1) * stride + size
    weights = FILTERS * size * size
    threads = tile * tile

    # Told how many threads there are to be, the compiler leaves each few enough registers, and none too few.
    @cuda.jit(cache=True, launch_bounds=(threads, max(1, 512 // threads)))
    def tiles_with_halo(Y, X, W):
        inputs = cuda.shared.array((reach, reach), Y.dtype)
        w = cuda.shared.array(weights, Y.dtype)
        filters, side, n = Y.shape[1], Y.shape[2], X.shape[2]
        across = (side + tile - 1) // tile
        quads = (filters + FILTERS - 1) // FILTERS
        number = cuda.blockIdx.x
        left, top = number % across * tile, number // across % across * tile
        first, b = number // (across * across) % quads * FILTERS, number // (across * across * quads)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        thread = y * tile + x
        zero = Y.dtype.type(0)
        total0, total1, total2, total3 = zero, zero, zero, zero
        for c in range(W.shape[1]):
            for k in range(thread, reach * reach, threads):
                i, j = top * stride - padding + k // reach, left * stride - padding + k % reach
                inputs[k // reach, k % reach] = X[b, c, i, j] if 0 <= i < n and 0 <= j < n else zero
            for k in range(thread, weights, threads):
                f = first + k // (size * size)
                w[k] = W[f, c, k // size % size, k % size] if f < filters else zero
            cuda.syncthreads()
            for ki in range(size):
                for kj in range(size):
                    value = inputs[y * stride + ki, x * stride + kj]
                    k = ki * size + kj
                    total0 += value * w[k]
                    total1 += value * w[k + size * size]
                    total2 += value * w[k + 2 * size * size]
                    total3 += value * w[k + 3 * size * size]
            cuda.syncthreads()
        if top + y < side and left + x < side:
            Y[b, first, top + y, left + x] = total0
            if first + 1 < filters:
                Y[b, first + 1, top + y, left + x] = total1
            if first + 2 < filters:
                Y[b, first + 2, top + y, left + x] = total2
            if first + 3 < filters:
                Y[b, first + 3, top + y, left + x] = total3

    def run(gpu, Y, X, W):
        across = (Y.shape[2] + tile - 1) // tile
        quads = (Y.shape[1] + FILTERS - 1) // FILTERS
        gpu.launch(tiles_with_halo, across * across * quads * Y.shape[0], (tile, tile), Y, X, W)

    return run
