"""conv2d as a product of matrices on the GPU, filters by taps times taps by pixels.

The register tile, its strips in shared memory and its epilogue are lifted to `_shared.gpu_gemm`, where matmul and
dense have them from, too; what only a convolution has, patches gathered from images, is in `patches`.
"""

import functools

import numpy as np
from numba import cuda, intp, uint32

from ..._shared.gpu_gemm.epilogue import epilogue
from ..._shared.gpu_gemm.product import first_quad, origin, product, stage_product, zeros
from ..._shared.gpu_gemm.staging import along_span
from ..._shared.gpu_gemm.tiling import pitch
from .patches import copy_ahead, copy_now, padded, patches, rows_of_filters, sink_of
from .sizes import MEDIUM, Geometry, tiling_for, tilings_up_to


def implicit(p):
    """A product of filters and patches: each thread keeps 8×8 outputs in registers, eight fma a number it loads.

    A block multiplies 64 filters by 128 pixels, eight taps at a time; a thread sums up 8×8 outputs in registers. A
    pixel in shared memory serves all filters of the tile, a weight all its pixels, and each number that a thread reads
    from there serves eight fma. Global traffic, in floats: taps·(64 + 128) for every block, where only what lies
    inside the images and the matrix of weights is read; and Y once.
    """
    geometry, tiling = Geometry.of(p), MEDIUM
    filters, pixels, image, taps, row_length = _extents(geometry)
    nothing, corner, place = zeros(tiling), origin(tiling), first_quad(tiling)
    load_filters, load_patches = rows_of_filters(tiling), patches(geometry, tiling, copy_now, padded)
    multiply, finish = stage_product(tiling, tiling.depth), epilogue(tiling, sink_of(geometry))
    depth, second = tiling.depth, tiling.depth * pitch(tiling.rows)
    words = tiling.shared_words // tiling.stages

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply_patches(Y, X, W):
        strips = cuda.shared.array(words, np.float32, alignment=16)
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

    def run(gpu, Y, X, W):
        grid = tiling.grid(filters, pixels)
        gpu.launch(multiply_patches, grid, tiling.threads, Y.reshape(Y.size), X.reshape(X.size), W.reshape(W.size))

    return run


def pipelined(p, tile_filters):
    """The same product: filters and patches of the next steps are on their way while these are multiplied.

    As `implicit`, with three steps on their way. They pass by the registers (``cp.async``). The tile is as large as
    keeps all multiprocessors busy. Global traffic, in floats: taps·(filters + pixels of the tile) for every block, as
    in `implicit`; and Y once.
    """
    geometry = Geometry.of(p)
    filters, pixels = geometry.filters, geometry.pixels

    def run(gpu, Y, X, W):
        tiling = tiling_for(filters, pixels, 1, tilings_up_to(tile_filters), gpu.properties.multiprocessors)
        function, grid = _multiply_coming_patches(geometry, tiling), tiling.grid(filters, pixels)
        arrays = Y.reshape(Y.size), X.reshape(X.size), W.reshape(W.size)
        gpu.launch(function, grid, tiling.threads, *arrays, np.uint32(geometry.taps))

    return run


@functools.cache
def _multiply_coming_patches(geometry, tiling):
    filters, pixels, image, _, row_length = _extents(geometry)
    nothing, corner = zeros(tiling), origin(tiling)
    load_filters = along_span(tiling.rows, tiling, wide=True)
    load_patches = patches(geometry, tiling, copy_ahead, padded)
    multiply, finish = product(tiling, load_filters, load_patches), epilogue(tiling, sink_of(geometry))
    words = tiling.shared_words

    # Told how many taps there are, the compiler would lay out the steps of a short sum flat, and lack registers.
    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply_coming_patches(Y, X, W, taps):
        strips = cuda.shared.array(words, np.float32, alignment=16)
        row, column = corner(uint32(filters), uint32(pixels))
        shape_w, shape_p = (taps, uint32(row_length)), (taps, uint32(pixels))
        tile = multiply(nothing, strips, W, shape_w, X, shape_p, row, column, taps)
        finish(tile, row, column, (Y, filters, image, pixels))

    return multiply_coming_patches


def _extents(geometry):
    return geometry.filters, geometry.pixels, geometry.image, geometry.taps, geometry.row
