"""Convolution as a matrix product, Y = W·P, whose matrix P of patches is packed block by block as it is used.

Rows of W are filters, columns are taps; columns of P, and of Y, are the pixels of all output images. The
layering is that of `gemm`: a tile of Y is summed up in registers, a strip of filters goes over the panels
of a block of P, which stays in the second cache. Only packing differs (`patches`), and writing: in
Y (batch, filters, pixels) adjacent columns stand together only as far as they belong to one image.
"""

import numpy as np
from numba import prange

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal, internal_parallel
from gpuplay.intrinsics.tiles import rows_of

from .._shared import gemm
from .._shared.packing import pack_a, panel_width, tile_columns
from .padding import image_elements, pad_share, phase_side, tap_offsets
from .patches import list_copies, pack_patches


@internal
def _spread(Y, sizes, f, rows, first, columns, accumulate, tile, t, t_row):
    """Write, or add, a tile that lies at ``tile[t]`` to the images that its pixels from ``first`` on belong to."""
    (filters, pixels), lanes = sizes, simd.lanes(Y)
    column = 0
    while column < columns:
        pixel = first + column
        run = min(columns - column, pixels - pixel % pixels)
        for r in range(rows):
            y, at = (pixel // pixels * filters + f + r) * pixels + pixel % pixels, t + r * t_row + column
            for v in range(0, run, lanes):
                value = simd.load_first(tile, at + v, run - v)
                if accumulate:
                    value = value + simd.load_first(Y, y + v, run - v)
                simd.store_first(Y, y + v, value, run - v)
        column += run


@internal
def _strip(Y, sizes, f, rows, first, columns, A, a, a_row, a_step, room, b, scratch, depth, accumulate, shape):
    """A strip of filters from ``f`` on over all panels of a block of P, packed from ``room[b]`` on.

    ``sizes`` are Y's filters and pixels of an image. A tile that two images share goes by way of ``room[scratch]``.
    """
    (filters, pixels), wide = sizes, tile_columns(Y, shape)
    for left in range(0, columns, wide):
        here, pixel = min(wide, columns - left), first + left
        width, panel = panel_width(Y, here, shape), b + left * depth
        shared = pixel % pixels + here > pixels
        y = (pixel // pixels * filters + f) * pixels + pixel % pixels
        for r in range(min(rows, rows_of(shape))):
            for v in range(0, width, simd.lanes(Y)):
                simd.prefetch(Y, y + r * pixels + v)
        C, c, c_row = (room, scratch, wide) if shared else (Y, y, pixels)
        gemm.panel_product(
            C, c, c_row, A, a, a_row, a_step, room, panel, width, depth, rows, here, accumulate and not shared, shape
        )
        if shared:
            _spread(Y, sizes, f, min(rows, rows_of(shape)), pixel, here, accumulate, room, scratch, wide)


@internal
def convolve_share(Y, sizes, W, source, offsets, copies, room, geometry, bounds, blocks, shape):
    """Compute the filters and pixels of ``bounds``: first filter and pixel, and those after the last.

    ``W`` is read as it stands; the last filters, where they are fewer than a tile's, are packed with zeros.
    ``geometry`` is the side of an output image, the side and the elements of a padded image, and the first tap
    whose reads must be masked.
    """
    (top, bottom, left, right), (block_n, block_k), (out, side, image, masked) = bounds, blocks, geometry
    taps, high = len(offsets), rows_of(shape)
    b, scratch = high * block_k, len(room) - high * tile_columns(room, shape)
    for first in range(left, right, block_n):
        columns = min(block_n, right - first)
        count = list_copies(copies, source, first, columns, out, side, image, shape)
        for k in range(0, taps, block_k):
            deep = min(block_k, taps - k)
            pack_patches(room, b, source, copies, count, offsets, k, deep, columns, masked, shape)
            for f in range(top, bottom, high):
                rows = bottom - f
                if rows >= high:
                    A, a, a_row, a_step = W, f * taps + k, taps, 1
                else:
                    pack_a(room, 0, W, f * taps + k, taps, rows, deep, shape)
                    A, a, a_row, a_step = room, 0, 1, high
                _strip(Y, sizes, f, rows, first, columns, A, a, a_row, a_step, room, b, scratch, deep, k > 0, shape)


@internal
def _convolve_one(Y, X, W, padded, offsets, copies, room, stride, padding, blocks, share, shares, shape):
    """One worker's rectangle of filters and pixels."""
    (batch, filters, out), taps = Y.shape[:3], len(offsets)
    sizes, side = (filters, out * out), phase_side(X.shape[2], stride, padding)
    in_place = len(padded) == 0
    # A vector reads on beyond its pixels: in the last channel of X, perhaps beyond X.
    masked = taps - W.shape[2] * W.shape[3] if in_place else taps
    source = X.reshape(X.size) if in_place else padded
    geometry = (out, side, image_elements(side, X.shape[1], stride), masked)
    bounds = gemm.bounds_of(filters, batch * out * out, rows_of(shape), tile_columns(Y, shape), share, shares)
    y, w = Y.reshape(Y.size), W.reshape(W.size)
    convolve_share(y, sizes, w, source, offsets, copies, room, geometry, bounds, blocks, shape)


@internal
def convolve_alone(Y, X, W, padded, offsets, copies, rooms, stride, padding, blocks, shape):
    """Y = X ∗ W by one thread."""
    side = phase_side(X.shape[2], stride, padding)
    tap_offsets(offsets, W.shape[1], W.shape[2], side, stride)
    if len(padded):
        pad_share(padded, X, side, stride, padding, 0, 1)
    _convolve_one(Y, X, W, padded, offsets, copies[0], rooms[0], stride, padding, blocks, 0, 1, shape)


@internal_parallel
def convolve(Y, X, W, padded, offsets, copies, rooms, stride, padding, blocks, shape):
    """Y = X ∗ W by as many workers as ``rooms`` has rows: all pad images, then each computes a rectangle of W·P."""
    workers, side = len(rooms), phase_side(X.shape[2], stride, padding)
    tap_offsets(offsets, W.shape[1], W.shape[2], side, stride)
    if len(padded):
        for share in prange(workers):
            pad_share(padded, X, side, stride, padding, np.intp(share), workers)
    for share in prange(workers):
        worker = np.intp(share)
        copy, room = copies[worker], rooms[worker]
        _convolve_one(Y, X, W, padded, offsets, copy, room, stride, padding, blocks, worker, workers, shape)
