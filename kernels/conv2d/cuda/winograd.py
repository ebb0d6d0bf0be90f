"""Convolution with 3×3 filters on the GPU by Winograd's F(4×4, 3×3): a quarter of the multiplications.

Three launches: every tile of the image is transformed, to 36 elements (`transforms`); for each of the 36, one
product of matrices sums over the channels; and what comes of them is transformed back to 4×4 pixels a tile.
"""

import functools

import numpy as np
from numba import cuda, intp

from ..._shared.gpu_gemm.epilogue import epilogue, store_wide
from ..._shared.gpu_gemm.product import origin, product, zeros
from ..._shared.gpu_gemm.staging import along_span
from ..layout import PRODUCTS
from .sizes import Geometry, tile_row_of, tiling_for, tilings_up_to
from .transforms import transform_images, transform_outputs


def winograd(p, tile_filters):
    """Other arithmetic for 3×3 filters: 36 products in the place of 144 make 16 pixels, by 36 matrix products.

    Each of the 36 is filters by channels, times channels by tiles. Global traffic of the
    products, in floats: channels·(filters + columns of the tile) for every block, of what lies inside the matrices;
    and M once. The transforms read X and write V, read M and write Y.
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
    filters, channels, row_length, tiles = p.filters, p.channels, Geometry.of(p).row, tile_row_of(p)
    extents = np.uint32(filters), np.uint32(channels), np.uint32(row_length), np.uint32(tiles)

    def run(gpu, M, U, V):
        tiling = tiling_for(filters, tiles, PRODUCTS, tilings_up_to(tile_filters), gpu.properties.multiprocessors)
        function, grid = _products_of_elements(tiling), (tiling.grid(filters, tiles), PRODUCTS)
        arrays = M.reshape(M.size), U.reshape(U.size), V.reshape(V.size)
        gpu.launch(function, grid, tiling.threads, *arrays, *extents)

    return run


@functools.cache
def _products_of_elements(tiling):
    nothing, corner, words = zeros(tiling), origin(tiling), tiling.shared_words
    load_filters, load_tiles = along_span(tiling.rows, tiling, wide=True), along_span(tiling.columns, tiling, wide=True)
    multiply, finish = product(tiling, load_filters, load_tiles), epilogue(tiling, store_wide)

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def products_of_elements(M, U, V, filters, channels, row_length, tiles):
        strips = cuda.shared.array(words, np.float32, alignment=16)
        element = intp(cuda.blockIdx.y)
        row, column = corner(filters, tiles)
        u, v = U[element * channels * row_length :], V[element * channels * tiles :]
        tile = multiply(nothing, strips, u, (channels, row_length), v, (channels, tiles), row, column, channels)
        finish(tile, row, column, (M[element * filters * tiles :], filters, tiles))

    return products_of_elements
