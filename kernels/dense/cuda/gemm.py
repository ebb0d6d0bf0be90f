"""dense on the register-tile GEMM: Y = σ(X·Wᵀ + b), with the bias and σ applied to sums that are still in registers.

Y is batch×n, X batch×n, W n×n with a row for each output, b has n elements; all are float32, and flat. Traffic is
what the warps' requests move, in whole sectors of 32 bytes, before any cache.
"""

import functools

import numpy as np
from numba import cuda, float32, uint32

from gpuplay.intrinsics import ptx

from ..._shared.gpu_activations import activation
from ..._shared.gpu_gemm import epilogue, product
from ..._shared.gpu_gemm.staging import along_depth
from ..._shared.gpu_gemm.tiling import QUAD, Tiling, fitting


@cuda.jit(device=True, forceinline=True)
def _bias_of_quad(b, j, n):
    """b[j:j + 4], for n a multiple of 4; zeros beyond."""
    zero = float32(0)
    return ptx.load4(b, j) if j < n else (zero, zero, zero, zero)


@cuda.jit(device=True, forceinline=True)
def _bias_apart(b, j, n):
    """b[j:j + 4] for any n; zeros beyond."""
    zero = float32(0)
    second, third, fourth = uint32(j + uint32(1)), uint32(j + uint32(2)), uint32(j + uint32(3))
    return (
        b[j] if j < n else zero,
        b[second] if second < n else zero,
        b[third] if third < n else zero,
        b[fourth] if fourth < n else zero,
    )


@functools.cache
def biased(function, wide):
    """A sink for (Y, b, m, n): Y[i, j:j + 4] = σ(quad + b[j:j + 4]); ``wide`` where n is a multiple of 4."""
    f = activation(function, "float32")
    bias, store = (_bias_of_quad, epilogue.store_wide) if wide else (_bias_apart, epilogue.store_apart)

    @cuda.jit(device=True, forceinline=True)
    def activate(quad, i, j, operands):
        Y, b, m, n = operands
        p, q, r, s = quad
        first, second, third, fourth = bias(b, j, n)
        store((f(p + first), f(q + second), f(r + third), f(s + fourth)), i, j, (Y, m, n))

    return activate


@functools.cache
def _layer(tiling, function, wide):
    """The GPU function of `gemm`."""
    stage_x, stage_w = along_depth(tiling.rows, tiling), along_depth(tiling.columns, tiling)
    multiply, origin = product.product(tiling, stage_x, stage_w), product.origin(tiling)
    finish = epilogue.epilogue(tiling, biased(function, wide))
    words, zeros = tiling.shared_words, product.zeros(tiling)

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def dense_gemm(Y, X, W, b, batch, n):
        strips = cuda.shared.array(words, float32, alignment=16)
        row, column = origin(batch, n)
        tile = multiply(zeros, strips, X, (batch, n), W, (n, n), row, column, n)
        finish(tile, row, column, (Y, b, batch, n))

    return dense_gemm


def gemm(p):
    """Tiles of Y in registers while copies fill the next strips; bias and σ on the way out.

    Both have rows along k: their words are turned on the way to shared memory. The bias and σ cost no pass over Y.
    Where tiles of 128×128 would be fewer than the multiprocessors, they are 64×64. Traffic: 8·batch·n²/tile bytes of
    loads, batch·n of the bias, 4·batch·n of stores.
    """
    extents = np.uint32(p.batch), np.uint32(p.n)

    def run(gpu, Y, X, W, b):
        tiling = fitting(Tiling(), p.batch, p.n, gpu.properties.multiprocessors)
        function = _layer(tiling, p.function, wide=p.n % QUAD == 0)
        gpu.launch(function, tiling.grid(p.batch, p.n), tiling.threads, Y.ravel(), X.ravel(), W.ravel(), b, *extents)

    return run
