"""Convolution with 3×3 filters by Winograd's F(4×4, 3×3): a quarter of the multiplications.

The output is cut into *tiles* of 4×4 pixels, each from 6×6 pixels of the image. Transformed (`transforms`),
a tile and a filter meet element by element; summed over channels, each of the 36 elements is a product of
matrices of its own, filters by channels and channels by tiles. Three steps, block by block of tiles:

1. 36 elements of the tiles of a channel are copied to panels, as taps are in `patches`. The padded images
   are kept as phase planes of stride 4: there, what adjacent tiles need lies side by side. Transformed, they
   make the panels of 36 matrices.
2. 36 products, by register tiles as in `gemm`, for a block of filters.
3. The products are transformed back, and written to the rows of the images that they belong to.
"""

import numpy as np
from numba import prange

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal, internal_parallel
from gpuplay.intrinsics.host.strided import load_every
from gpuplay.intrinsics.tiles import Shape, load_tile, rows_of, store_columns

from .._shared import gemm
from .._shared.operands import Operand, Rows
from .._shared.packing import panel_width, tile_columns
from . import layout
from .layout import OUT, PRODUCTS, TAP, TILE
from .padding import image_elements, pad_share, tap_offsets
from .patches import Images, list_copies, pack_patches
from .transforms import transform_filter, transform_image, transform_outputs

FOUR = Shape(OUT, 1)

tiles_across = internal(layout.tiles_across)
filters_at_a_time = internal(layout.filters_at_a_time)
winograd_room = internal(layout.winograd_room)


@internal
def filters_share(U, W, room, share, shares):
    """Transform one worker's share of the filters W (filters, channels, 3, 3) to U (36, filters, channels)."""
    filters, channels, lanes = W.shape[0], W.shape[1], simd.lanes(U)
    w, taps = W.reshape(W.size), TAP * TAP
    for f in range(share * filters // shares, (share + 1) * filters // shares):
        for c in range(0, channels, lanes):
            count = min(lanes, channels - c)
            first = (f * channels + c) * taps
            for t in range(taps):
                simd.store(room, t * lanes, load_every(w, first + t, 9, count))
            transform_filter(U, f * channels + c, filters * channels, count, room, 0, lanes)


@internal
def _transform_tiles(room, patches, images, copies, count, channels, columns, shape):
    """Step 1: all channels of a block of tiles, to panels of 36 matrices from ``room[0]`` on."""
    lanes, wide = simd.lanes(room), tile_columns(room, shape)
    for c in range(channels):
        pack_patches(room, patches, images, copies, count, c * PRODUCTS, PRODUCTS, columns, shape)
        for left in range(0, columns, wide):
            width = panel_width(room, columns - left, shape)
            for v in range(0, width, lanes):
                to, at = left * PRODUCTS * channels + c * width + v, patches + left * PRODUCTS + v
                transform_image(room, to, channels * width, room, at, width)


@internal
def _multiply(room, products, U, filters, channels, first, rows, columns, block, shape):
    """Step 2: the products of ``rows`` filters from ``first`` on, with all panels."""
    high, wide = rows_of(shape), tile_columns(room, shape)
    for e in range(PRODUCTS):
        for f in range(0, rows, high):
            A = Operand(U, (e * filters + first + f) * channels, channels, 1)
            for left in range(0, columns, wide):
                width = panel_width(room, columns - left, shape)
                c, b = products + left * PRODUCTS * block, left * PRODUCTS * channels
                C, panel = Rows(room, c + (e * block + f) * width, width), Rows(room, b + e * channels * width, width)
                gemm.panel_product(C, A, panel, channels, rows - f, width, gemm.WRITTEN, shape)


@internal
def _write(Y, sizes, f, first, count, room, at):
    """Write a vector of tiles from number ``first`` on of filter ``f``; ``room[at]`` has 4 rows of 4 pixels a tile."""
    (filters, out), lanes = sizes, simd.lanes(Y)
    across, done = tiles_across(out), 0
    while done < count:
        tile = first + done
        b, y, x = tile // (across * across), tile // across % across, tile % across
        run = min(count - done, across - x)
        pixels = min(OUT * run, out - OUT * x)
        to = ((b * filters + f) * out + OUT * y) * out + OUT * x
        for i in range(min(OUT, out - OUT * y)):
            row = at + i * OUT * lanes + done * OUT
            for v in range(0, pixels, lanes):
                simd.store_first(Y, to + i * out + v, simd.load_first(room, row + v, pixels - v), pixels - v)
        done += run


@internal
def _transform_back(Y, sizes, room, products, vectors, first, rows, tile, columns, block, shape):
    """Step 3: ``rows`` filters from ``first`` on, tiles from number ``tile`` on."""
    lanes, wide = simd.lanes(Y), tile_columns(Y, shape)
    pixels = vectors + OUT * TILE * lanes
    for left in range(0, columns, wide):
        width = panel_width(Y, columns - left, shape)
        for f in range(rows):
            for v in range(0, min(width, columns - left), lanes):
                m = products + left * PRODUCTS * block + f * width + v
                transform_outputs(room, vectors, lanes, room, m, block * width)
                for i in range(OUT):
                    square = load_tile(room, vectors + i * OUT * lanes, lanes, OUT, lanes, FOUR)
                    store_columns(room, pixels + i * OUT * lanes, square)
                _write(Y, sizes, first + f, tile + left + v, min(lanes, columns - left - v), room, pixels)


@internal
def _convolve_share(Y, U, padded, offsets, copies, room, geometry, bounds, tiles, shape):
    """The filters and tiles of ``bounds``; ``geometry`` is filters and channels, the side of an output image."""
    (top, bottom, left, right), (filters, channels, out) = bounds, geometry
    across = tiles_across(out)
    columns, size = len(copies) // layout.COPY, image_elements(across + 1, channels, OUT)
    images = Images(padded, offsets, across, across + 1, size, len(offsets))
    block = filters_at_a_time(filters, rows_of(shape))
    products, patches, vectors, _ = winograd_room(channels, block, columns)
    for tile in range(left, right, tiles):
        here = min(tiles, right - tile)
        count = list_copies(copies, images, tile, here, shape)
        _transform_tiles(room, patches, images, copies, count, channels, here, shape)
        for first in range(top, bottom, block):
            rows = min(block, bottom - first)
            _multiply(room, products, U, filters, channels, first, rows, here, block, shape)
            _transform_back(Y, (filters, out), room, products, vectors, first, rows, tile, here, block, shape)


@internal
def _lay_out(X, W, padded, U, room, padding, out, share, shares):
    """One worker's share of what all of them read."""
    pad_share(padded, X, tiles_across(out) + 1, OUT, padding, share, shares)
    filters_share(U, W, room, share, shares)


@internal
def _convolve_one(Y, W, U, padded, offsets, copies, room, tiles, share, shares, shape):
    """One worker's rectangle of filters and tiles."""
    (batch, filters, out), channels = Y.shape[:3], W.shape[1]
    count = batch * tiles_across(out) ** 2
    bounds = gemm.bounds_of(filters, count, rows_of(shape), tile_columns(Y, shape), share, shares)
    geometry = (filters, channels, out)
    _convolve_share(Y.reshape(Y.size), U, padded, offsets, copies, room, geometry, bounds, tiles, shape)


@internal
def convolve_alone(Y, X, W, padded, offsets, U, copies, rooms, padding, tiles, shape):
    """Y = X ∗ W by one thread."""
    out = Y.shape[2]
    tap_offsets(offsets, W.shape[1], TILE, tiles_across(out) + 1, OUT)
    _lay_out(X, W, padded, U, rooms[0], padding, out, 0, 1)
    _convolve_one(Y, W, U, padded, offsets, copies[0], rooms[0], tiles, 0, 1, shape)


@internal_parallel
def convolve(Y, X, W, padded, offsets, U, copies, rooms, padding, tiles, shape):
    """Y = X ∗ W by as many workers as ``rooms`` has rows: all lay out, then each computes filters and tiles."""
    workers, out = len(rooms), Y.shape[2]
    tap_offsets(offsets, W.shape[1], TILE, tiles_across(out) + 1, OUT)
    for share in prange(workers):
        worker = np.intp(share)
        _lay_out(X, W, padded, U, rooms[worker], padding, out, worker, workers)
    for share in prange(workers):
        worker = np.intp(share)
        _convolve_one(Y, W, U, padded, offsets, copies[worker], rooms[worker], tiles, worker, workers, shape)
