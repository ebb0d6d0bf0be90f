"""conv2d as a product of matrices on the GPU: filters by taps, times taps by pixels.

    Y[f, pixel] = Σ_tap W[tap, f]·P[tap, pixel]

A column of P is the patch of the image that an output pixel is made of. P itself is nowhere: a block
gathers from X, for its pixels and eight taps at a time, what it needs, into shared memory. A *tap* is a
position (ki, kj) in the filter and a channel c, with c running fastest: four channels of one position
are read from places a plane apart, and are inside the image or beyond its edge together.
"""

import numpy as np
from numba import cuda

from gpuplay.intrinsics import ptx

from ..layout import out_side
from .registers import NOTHING, add_step, index, place_in_tile, quotient, remainder, store_pixels, store_quads
from .sizes import DEPTH, GROUP, blocks_of, channels_of, depth_of, pixels_of, round_up, threads_of


@cuda.jit(device=True)
def corner(pixel, side, channels, n, stride, padding):
    """Of an output pixel: row and column of its patch's first pixel, and where in X this lies, modulo 2³².

    Rows and columns above or left of the image are negative, so very large as numbers without sign.
    """
    image, within = quotient(pixel, side * side), remainder(pixel, side * side)
    top = index(quotient(within, side) * stride - padding)
    left = index(remainder(within, side) * stride - padding)
    return top, left, index((image * channels * n + top) * n + left)


@cuda.jit(device=True)
def position(tap, channels, size):
    """Row and column in the filter, and the channel, of a tap."""
    place = quotient(tap, channels)
    return quotient(place, size), remainder(place, size), remainder(tap, channels)


def implicit(p, tile_filters, tile_pixels):
    """A block multiplies a tile of filters by a tile of pixels; each thread sums up 8×8 outputs in registers.

    A pixel in shared memory serves all filters of the tile, a weight all its pixels, and each number that a
    thread reads from there eight fma. Global traffic, in floats: for every block depth·(tile_filters +
    tile_pixels), where depth is taps in whole groups and patches count only inside the image; and Y once.
    """
    n, size, stride, padding = p.n, p.kernel_size, p.stride, p.padding
    side, image, pixels = out_side(n, size, stride, padding), pixels_of(p), p.batch * pixels_of(p)
    filters, channels, padded_channels, depth = p.filters, p.channels, channels_of(p), depth_of(p)
    padded_filters = round_up(filters, tile_filters)
    threads = threads_of(tile_filters, tile_pixels)
    weights, patches = DEPTH * tile_filters, DEPTH * tile_pixels
    quads, groups_at_once = weights // (4 * threads), threads // tile_pixels
    groups, whole_quads = DEPTH // GROUP // groups_at_once, image % 4 == 0

    @cuda.jit(cache=True, launch_bounds=threads)
    def multiply_patches(Y, X, W):
        a = cuda.shared.array(weights, np.float32)  # (DEPTH, tile_filters)
        b = cuda.shared.array(patches, np.float32)  # (DEPTH, tile_pixels)
        thread = index(cuda.threadIdx.x)
        first_filter, first_pixel = index(cuda.blockIdx.y * tile_filters), index(cuda.blockIdx.x * tile_pixels)
        pixel, group = remainder(thread, tile_pixels), quotient(thread, tile_pixels)
        top, left, start = corner(first_pixel + pixel, side, channels, n, stride, padding)
        inside = first_pixel + pixel < pixels
        i, j = place_in_tile(thread, tile_pixels)
        tile = NOTHING
        for step in range(0, depth, DEPTH):
            cuda.syncthreads()
            for turn in range(quads):
                at = index(4 * (thread + turn * threads))
                row, column = step + quotient(at, tile_filters), first_filter + remainder(at, tile_filters)
                ptx.store4(a, at, ptx.load4(W, index(row * padded_filters + column)))
            for turn in range(groups):
                row = index(GROUP * (group + turn * groups_at_once))
                ki, kj, c = position(step + row, padded_channels, size)
                here = inside and ki < size and index(top + ki) < n and index(left + kj) < n
                source = index(start + (c * n + ki) * n + kj)
                for k in range(GROUP):
                    value = X[index(source + k * n * n)] if here and c + k < channels else np.float32(0)
                    b[index((row + k) * tile_pixels + pixel)] = value
            cuda.syncthreads()
            tile = add_step(tile, a, b, i, j, tile_filters, tile_pixels)
        f, pixel = index(first_filter + i), index(first_pixel + j)
        if whole_quads:
            store_quads(Y, tile, f, pixel, filters, image, pixels)
        else:
            store_pixels(Y, tile, f, pixel, filters, image, pixels)

    grid = blocks_of(p, tile_filters, tile_pixels)

    def run(gpu, Y, X, W):
        gpu.launch(multiply_patches, grid, threads, Y.reshape(Y.size), X.reshape(X.size), W.reshape(W.size))

    return run
