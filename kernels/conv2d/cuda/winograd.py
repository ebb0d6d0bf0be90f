"""Convolution with 3×3 filters on the GPU by Winograd's F(4×4, 3×3): a quarter of the multiplications.

Three launches: every tile of the image is transformed, to 36 elements (`transforms`); for each of the 36, one
product of matrices sums over the channels; and what comes of them is transformed back to 4×4 pixels a tile.
"""

import functools

import numpy as np
from numba import cuda, uint32

from ..._shared.gpu_gemm.epilogue import epilogue, store_wide
from ..._shared.gpu_gemm.product import origin, product, zeros
from ..._shared.gpu_gemm.staging import along_span
from ..layout import PRODUCTS
from .sizes import Geometry, tile_row_of, tiling_for, tilings_up_to
from .transforms import transform_images, transform_outputs


def winograd(p, tile_filters):
    """36 products in the place of 144 make 16 pixels: filters by channels, times channels by tiles.

    Global traffic of the products, in floats: channels·(filters + columns of the tile) for every block, of
    what lies inside the matrices; and M once. The transforms read X and write V, read M and write Y.
    """
    to_tiles, to_images = transform_images(p), transform_outputs(p)
    multiply = multiply_elements(p, tile_filters)

    def run(gpu, Y, X, U, V, M):
        to_tiles(gpu, V, X)
        multiply(gpu, M, U, V)
        to_images(gpu, Y, M)

    return run


def multiply_elements(p, tile_filters):
    """``run(gpu, M, U, V)``: M[e] = U[e]ᵀ·V[e] of U (36, channels, filters) and V (36, channels, tiles)."""
    geometry, tiles = Geometry.of(p), tile_row_of(p)

    def run(gpu, M, U, V):
        tiling = tiling_for(
            geometry.filters, tiles, PRODUCTS, tilings_up_to(tile_filters), gpu.properties.multiprocessors
        )
        function, grid = (
            _products_of_elements(geometry, tiles, tiling),
            (tiling.grid(geometry.filters, tiles), PRODUCTS),
        )
        gpu.launch(function, grid, tiling.threads, M.reshape(M.size), U.reshape(U.size), V.reshape(V.size))

    return run


@functools.cache
def _products_of_elements(geometry, tiles, tiling):
    filters, channels, row_length = geometry.filters, geometry.channels, geometry.row
    nothing, corner, words = zeros(tiling), origin(tiling), tiling.shared_words
    load_filters, load_tiles = along_span(tiling.rows, tiling, wide=True), along_span(tiling.columns, tiling, wide=True)
    multiply, finish = product(tiling, load_filters, load_tiles), epilogue(tiling, store_wide)

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def products_of_elements(M, U, V):
        strips = cuda.shared.array(words, np.float32, alignment=16)
        element = cuda.blockIdx.y
        row, column = corner(uint32(filters), uint32(tiles))
        u, v = U[element * channels * row_length :], V[element * channels * tiles :]
        shape_u, shape_v = (uint32(channels), uint32(row_length)), (uint32(channels), uint32(tiles))
        tile = multiply(nothing, strips, u, shape_u, v, shape_v, row, column, uint32(channels))
        finish(tile, row, column, (M[element * filters * tiles :], uint32(filters), uint32(tiles)))

    return products_of_elements
