"""Convolution as a matrix product, Y = W·P, whose matrix P of patches is packed block by block as it is used.

Rows of W are filters, columns are taps; columns of P, and of Y, are the pixels of all output images. The
layering is that of `gemm`: a tile of Y is summed up in registers, a strip of filters goes over the panels
of a block of P, which stays in the second cache. Only packing differs (`patches`), and writing: in
Y (batch, filters, pixels) adjacent columns stand together only as far as they belong to one image.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import prange

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal, internal_parallel
from gpuplay.intrinsics.tiles import rows_of

from .._shared import gemm
from .._shared.operands import Operand, Rows
from .._shared.packing import pack_a, panel_width, tile_columns
from .padding import image_elements, pad_share, phase_side, tap_offsets
from .patches import Images, list_copies, pack_patches


class Outputs(NamedTuple):
    """Y (batch, filters, pixels): its elements, flat, its filters, and the pixels of an image."""

    array: Any
    filters: int
    pixels: int


@internal
def _spread(outputs, f, rows, first, columns, accumulate, sums):
    """Write, or add, a tile (`Rows`) to the images that its pixels from ``first`` on belong to."""
    (Y, filters, pixels), (tile, t, t_row) = outputs, sums
    lanes = simd.lanes(Y)
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
def _strip(outputs, f, rows, first, columns, weights, room, b, depth, accumulate, shape):
    """A strip of filters from ``f`` on over all panels of a block of P, packed from ``room[b]`` on.

    A tile that two images share goes by way of the end of the room.
    """
    (Y, filters, pixels), wide = outputs, tile_columns(room, shape)
    high = min(rows, rows_of(shape))
    for left in range(0, columns, wide):
        here, pixel = min(wide, columns - left), first + left
        panel = Rows(room, b + left * depth, panel_width(Y, here, shape))
        shared = pixel % pixels + here > pixels
        y = (pixel // pixels * filters + f) * pixels + pixel % pixels
        for r in range(high):
            for v in range(0, panel.row, simd.lanes(Y)):
                simd.prefetch(Y, y + r * pixels + v)
        scratch = Rows(room, len(room) - rows_of(shape) * wide, wide)
        target = scratch if shared else Rows(Y, y, pixels)
        gemm.panel_product(target, weights, panel, depth, rows, here, accumulate and not shared, shape)
        if shared:
            _spread(outputs, f, high, pixel, here, accumulate, scratch)


@internal
def _convolve_share(outputs, W, images, copies, room, bounds, blocks, shape):
    """Compute the filters and pixels of ``bounds``: first filter and pixel, and those after the last.

    ``W`` is read as it stands; the last filters, where they are fewer than a tile's, are packed with zeros.
    """
    (top, bottom, left, right), (block_n, block_k) = bounds, blocks
    taps, high = len(images.offsets), rows_of(shape)
    b = high * block_k
    for first in range(left, right, block_n):
        columns = min(block_n, right - first)
        count = list_copies(copies, images, first, columns, shape)
        for k in range(0, taps, block_k):
            deep = min(block_k, taps - k)
            pack_patches(room, b, images, copies, count, k, deep, columns, shape)
            for f in range(top, bottom, high):
                rows, weights = bottom - f, Operand(W, f * taps + k, taps, 1)
                if rows < high:
                    pack_a(room, 0, Rows(W, weights.at, taps), rows, deep, shape)
                    weights = Operand(room, 0, 1, high)
                _strip(outputs, f, rows, first, columns, weights, room, b, deep, k > 0, shape)


@internal
def _images_of(X, W, padded, offsets, out, stride, padding):
    """The images that all taps are read from: X itself, where nothing had to be padded."""
    side = phase_side(X.shape[2], stride, padding)
    elements = image_elements(side, X.shape[1], stride)
    if len(padded):
        return Images(padded, offsets, out, side, elements, len(offsets))
    # A vector reads on beyond its pixels: in the last channel of X, perhaps beyond X.
    return Images(X.reshape(X.size), offsets, out, side, elements, len(offsets) - W.shape[2] * W.shape[3])


@internal
def _convolve_one(Y, W, images, copies, room, blocks, share, shares, shape):
    """One worker's rectangle of filters and pixels."""
    batch, filters, out = Y.shape[:3]
    bounds = gemm.bounds_of(filters, batch * out * out, rows_of(shape), tile_columns(Y, shape), share, shares)
    outputs = Outputs(Y.reshape(Y.size), filters, out * out)
    _convolve_share(outputs, W.reshape(W.size), images, copies, room, bounds, blocks, shape)


@internal
def convolve_alone(Y, X, W, padded, offsets, copies, rooms, stride, padding, blocks, shape):
    """Y = X ∗ W by one thread."""
    side = phase_side(X.shape[2], stride, padding)
    tap_offsets(offsets, W.shape[1], W.shape[2], side, stride)
    if len(padded):
        pad_share(padded, X, side, stride, padding, 0, 1)
    images = _images_of(X, W, padded, offsets, Y.shape[2], stride, padding)
    _convolve_one(Y, W, images, copies[0], rooms[0], blocks, 0, 1, shape)


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
        images = _images_of(X, W, padded, offsets, Y.shape[2], stride, padding)
        _convolve_one(Y, W, images, copies[worker], rooms[worker], blocks, worker, workers, shape)
