"""dense with k divided among blocks: enough of them to fill a GPU where the batch is small.

Y is batch×n, X batch×n, W n×n with a row for each output, b has n elements; all are float32, and flat. Traffic is
what the warps' requests move, in whole sectors of 32 bytes, before any cache.
"""

import functools

import numpy as np
from numba import cuda, float32, uint32

from ..._shared.gpu_activations import activation
from ..._shared.gpu_gemm import epilogue, product
from ..._shared.gpu_gemm.staging import along_depth
from ..._shared.gpu_gemm.tiling import QUAD, Tiling
from .gemm import gemm
from .parts import SIDE, division

TILING = Tiling(SIDE, SIDE, quads_across=1)
BLOCK = 256


@functools.cache
def _stage_of_part():
    """A loader for operands with rows along k, from the block's part of k on.

    ``shape`` has a third number, the steps of a part; blockIdx.y says which part.
    """
    stage = along_depth(SIDE, TILING)

    @cuda.jit(device=True, forceinline=True)
    def stage_part(shared, at, matrix, shape, first, start):
        extent, length, share = shape
        if start < share:
            stage(shared, at, matrix, (extent, length), first, uint32(cuda.blockIdx.y * share + start))

    return stage_part


@functools.cache
def _part(wide):
    """A sink for (sums, m, n): a quad of the block's part of the sums, parts one below the other."""
    store = epilogue.store_wide if wide else epilogue.store_apart

    @cuda.jit(device=True, forceinline=True)
    def keep(quad, i, j, operands):
        sums, m, n = operands
        if i < m:
            store(quad, uint32(cuda.blockIdx.y * m + i), j, (sums, uint32(cuda.gridDim.y * m), n))

    return keep


@functools.cache
def _parts_of_sums(wide):
    """A GPU function: the sums of X·Wᵀ over each part of k."""
    stage = _stage_of_part()
    multiply, origin = product.product(TILING, stage, stage), product.origin(TILING)
    finish, words, zeros = epilogue.epilogue(TILING, _part(wide)), TILING.shared_words, product.zeros(TILING)

    @cuda.jit(cache=True, launch_bounds=TILING.launch_bounds)
    def dense_parts(sums, X, W, batch, n, share):
        strips = cuda.shared.array(words, float32, alignment=16)
        row, column = origin(batch, n)
        tile = multiply(zeros, strips, X, (batch, n, share), W, (n, n, share), row, column, share)
        finish(tile, row, column, (sums, batch, n))

    return dense_parts


@functools.cache
def _layer_of_parts(function):
    """A GPU function: Y = σ(the parts of a sum + b), a thread an output."""
    f = activation(function, "float32")

    @cuda.jit(cache=True)
    def dense_of_parts(Y, sums, b, n, parts):
        at = cuda.grid(1)
        if at < Y.size:
            total = b[at % n]
            for part in range(parts):
                total += sums[part * Y.size + at]
            Y[at] = f(total)

    return dense_of_parts


def split_k(p):
    """Where there are few tiles, blocks share the sums of one, and a second launch adds the parts.

    The rung below for many tiles; for few, several blocks share the sums of one, each a part of k. They leave their
    parts in a workspace, and a second launch adds these up, in the same order every time. Traffic: 8·batch·n²/64 bytes
    of loads, and 8 bytes an output for each part, which is written and read.
    """
    parts, share = division(p)
    if parts == 1:
        return gemm(p)
    tiles, adding = TILING.grid(p.batch, p.n), -(-p.batch * p.n // BLOCK)
    multiply, finish = _parts_of_sums(wide=p.n % QUAD == 0), _layer_of_parts(p.function)
    extents = np.uint32(p.batch), np.uint32(p.n), np.uint32(share)

    def run(gpu, Y, X, W, b, sums):
        gpu.launch(multiply, (tiles, parts), TILING.threads, sums, X.ravel(), W.ravel(), *extents)
        gpu.launch(finish, adding, BLOCK, Y.ravel(), sums, b, np.uint32(p.n), np.uint32(parts))

    return run
