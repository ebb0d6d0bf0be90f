"""Tiles of eight by eight outputs in a thread's registers, and how the threads of a block share a tile of Y.

A warp is four by eight threads. A thread has eight filters and eight pixels, each as two groups of four, 16
filters and 32 pixels apart: so the eight threads that a 128-bit access to shared memory serves at a time
read 128 bytes side by side, or all the same 16.
"""

import numpy as np
from numba import cuda

from gpuplay.intrinsics import ptx

from .sizes import WARP_FILTERS, WARP_PIXELS

NOTHING = (np.float32(0),) * 64

FILTERS_APART, PIXELS_APART = 16, 32  # the two groups of four of a thread
NOWHERE = np.uint32(2**32 - 1)
index = np.uint32  # 32 bits take half of the registers, and unsigned ones are never wrapped round at 0


@cuda.jit(device=True)
def quotient(a, b):
    """Whole numbers from 0, divided in 32 bits."""
    return index(index(a) // index(b))


@cuda.jit(device=True)
def remainder(a, b):
    """What `quotient` leaves."""
    return index(index(a) % index(b))


@cuda.jit(device=True)
def place_in_tile(thread, tile_pixels):
    """The first filter and the first pixel of a thread within its block's tile."""
    lane, warp = remainder(thread, 32), quotient(thread, 32)
    across = quotient(tile_pixels, WARP_PIXELS)
    filters = index(quotient(warp, across) * WARP_FILTERS + quotient(lane, 8) * 4)
    return filters, index(remainder(warp, across) * WARP_PIXELS + remainder(lane, 8) * 4)


@cuda.jit(device=True)
def _add_tap(tile, a, b, i, j):
    """Eight weights from ``a[i]`` times eight pixels from ``b[j]``: 64 fma for four loads."""
    weights = ptx.load4(a, i) + ptx.load4(a, i + FILTERS_APART)
    return ptx.add_outer(tile, weights, ptx.load4(b, j) + ptx.load4(b, j + PIXELS_APART))


@cuda.jit(device=True)
def _add_two(tile, a, b, i, j, rows, columns):
    return _add_tap(_add_tap(tile, a, b, i, j), a, b, i + rows, j + columns)


@cuda.jit(device=True)
def _add_four(tile, a, b, i, j, rows, columns):
    return _add_two(_add_two(tile, a, b, i, j, rows, columns), a, b, i + 2 * rows, j + 2 * columns, rows, columns)


@cuda.jit(device=True)
def add_step(tile, a, b, i, j, rows, columns):
    """``tile`` + aᵀ·b over eight taps, of ``a`` (8, rows) from element i on and ``b`` (8, columns) from j on.

    Written out, since the compiler leaves a loop with so large a body as it is, and the sums in memory.
    """
    return _add_four(_add_four(tile, a, b, i, j, rows, columns), a, b, i + 4 * rows, j + 4 * columns, rows, columns)


@cuda.jit(device=True)
def _place(pixel, filters, image, pixels):
    """Where filter 0 of a pixel lies in Y (images, filters, image); NOWHERE behind the last of all pixels."""
    place = index(quotient(pixel, image) * filters * image + remainder(pixel, image))
    return place if pixel < pixels else NOWHERE


@cuda.jit(device=True)
def _store_quads(Y, row, f, filters, image, place, other):
    """One filter's pixels, four by four."""
    if f < filters:
        if place != NOWHERE:
            ptx.store4(Y, index(place + f * image), row[:4])
        if other != NOWHERE:
            ptx.store4(Y, index(other + f * image), row[4:])


@cuda.jit(device=True)
def store_quads(Y, tile, f, pixel, filters, image, pixels):
    """Write a thread's tile, from filter f and from pixel ``pixel`` of all ``pixels`` on.

    An image has ``image`` pixels, a multiple of four: then none of the groups of four is of two images.
    """
    g = index(f + FILTERS_APART)
    place = _place(pixel, filters, image, pixels)
    other = _place(index(pixel + PIXELS_APART), filters, image, pixels)
    _store_quads(Y, tile[0:8], f, filters, image, place, other)
    _store_quads(Y, tile[8:16], index(f + 1), filters, image, place, other)
    _store_quads(Y, tile[16:24], index(f + 2), filters, image, place, other)
    _store_quads(Y, tile[24:32], index(f + 3), filters, image, place, other)
    _store_quads(Y, tile[32:40], g, filters, image, place, other)
    _store_quads(Y, tile[40:48], index(g + 1), filters, image, place, other)
    _store_quads(Y, tile[48:56], index(g + 2), filters, image, place, other)
    _store_quads(Y, tile[56:64], index(g + 3), filters, image, place, other)


@cuda.jit(device=True)
def _store_four(Y, values, f, image, places):
    """Four pixels of a filter one by one."""
    if places[0] != NOWHERE:
        Y[index(places[0] + f * image)] = values[0]
    if places[1] != NOWHERE:
        Y[index(places[1] + f * image)] = values[1]
    if places[2] != NOWHERE:
        Y[index(places[2] + f * image)] = values[2]
    if places[3] != NOWHERE:
        Y[index(places[3] + f * image)] = values[3]


@cuda.jit(device=True)
def _store_pixels(Y, row, f, filters, image, places):
    if f < filters:
        _store_four(Y, row[:4], f, image, places[:4])
        _store_four(Y, row[4:], f, image, places[4:])


@cuda.jit(device=True)
def _four_places(pixel, filters, image, pixels):
    first, second = _place(pixel, filters, image, pixels), _place(index(pixel + 1), filters, image, pixels)
    third, fourth = _place(index(pixel + 2), filters, image, pixels), _place(index(pixel + 3), filters, image, pixels)
    return first, second, third, fourth


@cuda.jit(device=True)
def store_pixels(Y, tile, f, pixel, filters, image, pixels):
    """As `store_quads` for images of any size."""
    g, other = index(f + FILTERS_APART), index(pixel + PIXELS_APART)
    places = _four_places(pixel, filters, image, pixels) + _four_places(other, filters, image, pixels)
    _store_pixels(Y, tile[0:8], f, filters, image, places)
    _store_pixels(Y, tile[8:16], index(f + 1), filters, image, places)
    _store_pixels(Y, tile[16:24], index(f + 2), filters, image, places)
    _store_pixels(Y, tile[24:32], index(f + 3), filters, image, places)
    _store_pixels(Y, tile[32:40], g, filters, image, places)
    _store_pixels(Y, tile[40:48], index(g + 1), filters, image, places)
    _store_pixels(Y, tile[48:56], index(g + 2), filters, image, places)
    _store_pixels(Y, tile[56:64], index(g + 3), filters, image, places)
