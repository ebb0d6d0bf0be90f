"""conv2d on the CPU: interpreted loops and plain loops, whole; then products of filters and patches.

The product is lifted to `implicit`, its register tile to `_shared.gemm`; Winograd's is in `fewer_products`.
"""

from functools import partial

import numpy as np
from numba import njit

from gpuplay.intrinsics.tiles import Shape

from .._shared.blocking import by_workers
from . import fewer_products, implicit
from .layout import BLOCK_K, BLOCK_N, ROWS, VECTORS

FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}


# ---- python:loop ----


def loop(p):
    """Seven interpreted loops over nested lists."""
    stride, padding, n = p.stride, p.padding, p.n

    def pixel(image, weights, y, x):
        total = 0.0
        for plane, kernel in zip(image, weights, strict=True):
            for i, row in enumerate(kernel, y * stride - padding):
                if 0 <= i < n:
                    for j, weight in enumerate(row, x * stride - padding):
                        if 0 <= j < n:
                            total += weight * plane[i][j]
        return total

    def run(Y, X, W):
        for image, out in zip(X, Y, strict=True):
            for weights, plane in zip(W, out, strict=True):
                for y, row in enumerate(plane):
                    for x in range(len(row)):
                        row[x] = pixel(image, weights, y, x)

    return run


# ---- cpu:naive ----


def naive(p):
    """Seven compiled loops; one long sum an output, edges asked about."""
    stride, padding = p.stride, p.padding

    @njit(cache=True, fastmath=FASTMATH)
    def run(Y, X, W):
        n = X.shape[2]
        for b, f, y, x in np.ndindex(Y.shape):
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

    return run


# ---- cpu:scalar, cpu:simd, cpu:parallel ----


def simd(p, tile_rows=ROWS, tile_vectors=VECTORS, block_n=BLOCK_N, block_k=BLOCK_K):
    """The same source: one instruction multiplies a weight by a whole vector of pixels.

    The product of `implicit` on one thread; with vectors of one lane it is cpu:scalar. The tile's shape is compiled
    for, and the stride, by which positions are divided; other numbers are handed over, so that others need no
    compiling.
    """
    shape, stride = Shape(tile_rows, tile_vectors), p.stride

    @njit(cache=True)
    def alone(padding, blocks, Y, X, W, padded, offsets, copies, rooms):
        implicit.convolve_alone(Y, X, W, padded, offsets, copies, rooms, stride, padding, blocks, shape)

    return partial(alone, p.padding, (block_n, block_k))


def parallel(p, tile_rows, tile_vectors, block_n, block_k):
    """The same source: every core computes a rectangle of filters and pixels.

    The product of `implicit` on all threads that it is worth, each of which has a row of ``rooms``.
    """
    shape, stride = Shape(tile_rows, tile_vectors), p.stride
    alone = simd(p, tile_rows, tile_vectors, block_n, block_k)

    @njit(cache=True)
    def together(padding, blocks, Y, X, W, padded, offsets, copies, rooms):
        implicit.convolve(Y, X, W, padded, offsets, copies, rooms, stride, padding, blocks, shape)

    return partial(by_workers, alone, partial(together, p.padding, (block_n, block_k)))


# ---- cpu:winograd ----


def winograd(p, tile_rows, tile_vectors, tiles):
    """Other arithmetic for 3×3 filters: 36 products in the place of 144 make 16 pixels.

    The tiles of `fewer_products` on all threads that they are worth, each of which has a row of ``rooms``.
    """
    shape = Shape(tile_rows, tile_vectors)

    @njit(cache=True)
    def alone(padding, tiles, Y, X, W, padded, offsets, transformed, copies, rooms):
        fewer_products.convolve_alone(Y, X, W, padded, offsets, transformed, copies, rooms, padding, tiles, shape)

    @njit(cache=True)
    def together(padding, tiles, Y, X, W, padded, offsets, transformed, copies, rooms):
        fewer_products.convolve(Y, X, W, padded, offsets, transformed, copies, rooms, padding, tiles, shape)

    return partial(by_workers, partial(alone, p.padding, tiles), partial(together, p.padding, tiles))
