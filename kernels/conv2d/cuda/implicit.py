"""conv2d as a product of matrices on the GPU, filters by taps times taps by pixels (`patches`)."""

import numpy as np
from numba import cuda, intp, uint32

from gpuplay.intrinsics import ptx

from ..._shared.gpu_gemm.epilogue import epilogue
from ..._shared.gpu_gemm.product import first_quad, origin, product, stage_product, zeros
from ..._shared.gpu_gemm.staging import along_span
from ..._shared.gpu_gemm.tiling import pitch
from .patches import copy, patches, rows_of_filters, store_pixels, store_quads
from .sizes import Geometry, tiling_of


def implicit(p, tile_filters, tile_pixels):
    """A block multiplies a tile of filters by a tile of pixels; each thread sums up 8×8 outputs in registers.

    A pixel in shared memory serves all filters of the tile, a weight all its pixels, and each number that a
    thread reads from there serves eight fma. Global traffic, in floats: taps·(tile_filters + tile_pixels) for
    every block, where only what lies inside the images and the matrix of weights is read; and Y once.
    """
    geometry, tiling = Geometry.of(p), tiling_of(tile_filters, tile_pixels)
    filters, pixels, image, taps, row_length = _extents(geometry)
    nothing, corner, place = zeros(tiling), origin(tiling), first_quad(tiling)
    load_filters, load_patches = rows_of_filters(tiling), patches(geometry, tiling, copy)
    multiply, finish = stage_product(tiling, tiling.depth), epilogue(tiling, _sink(geometry))
    depth, second = tiling.depth, tiling.depth * pitch(tiling.rows)
    words = tiling.shared_words // tiling.stages

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply_patches(Y, X, W):
        strips = cuda.shared.array(words, np.float32)
        row, column = corner(uint32(filters), uint32(pixels))
        i, j = place()
        tile = nothing
        for start in range(0, taps, depth):
            cuda.syncthreads()
            load_filters(strips, uint32(0), W, (taps, row_length), row, uint32(start))
            load_patches(strips, uint32(second), X, (taps, pixels), column, uint32(start))
            cuda.syncthreads()
            tile = multiply(tile, strips, intp(i), intp(j) + second)
        finish(tile, row, column, (Y, filters, image, pixels))

    return _launched(multiply_patches, tiling, geometry)


def pipelined(p, tile_filters, tile_pixels):
    """As `implicit`; while a block multiplies, the filters and patches of its next three steps are on their way.

    They pass by the registers (``cp.async``). Global traffic is that of `implicit`.
    """
    geometry, tiling = Geometry.of(p), tiling_of(tile_filters, tile_pixels)
    filters, pixels, image, taps, row_length = _extents(geometry)
    nothing, corner = zeros(tiling), origin(tiling)
    weights, gather = along_span(tiling.rows, tiling, wide=True), patches(geometry, tiling, ptx.copy1_async)
    multiply, finish = product(tiling, weights, gather), epilogue(tiling, _sink(geometry))
    words = tiling.shared_words

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply_coming_patches(Y, X, W):
        strips = cuda.shared.array(words, np.float32)
        row, column = corner(uint32(filters), uint32(pixels))
        shape_w, shape_p = (uint32(taps), uint32(row_length)), (uint32(taps), uint32(pixels))
        tile = multiply(nothing, strips, W, shape_w, X, shape_p, row, column, uint32(taps))
        finish(tile, row, column, (Y, filters, image, pixels))

    return _launched(multiply_coming_patches, tiling, geometry)


def _extents(geometry):
    return geometry.filters, geometry.pixels, geometry.image, geometry.taps, geometry.row


def _sink(geometry):
    return store_pixels if geometry.image % 4 else store_quads


def _launched(function, tiling, geometry):
    grid = tiling.grid(geometry.filters, geometry.pixels)

    def run(gpu, Y, X, W):
        gpu.launch(function, grid, tiling.threads, Y.reshape(Y.size), X.reshape(X.size), W.reshape(W.size))

    return run
