"""The transforms of Winograd's F(4×4, 3×3) as GPU functions: a thread has a whole tile in registers.

    Y = Aᵀ·((G·g·Gᵀ) ⊙ (Bᵀ·d·B))·A

The arithmetic is that of `..transforms`, where its source is named. Threads side by side have tiles side by
side, so the 36 elements of their transformed tiles go to, and come from, 36 matrices whose rows are tiles.
"""

import numpy as np
from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from ..layout import OUT, TAP, out_side, tiles_across, tiles_of
from .sizes import tile_row_of

ZERO, TWO, FOUR, FIVE, EIGHT = (np.float32(number) for number in (0, 2, 4, 5, 8))
THREADS = 128


@cuda.jit(device=True)
def _image(d0, d1, d2, d3, d4, d5):
    """Bᵀ·d of one column of six pixels."""
    even, odd = d4 - d2 * FOUR, d3 - d1 * FOUR
    near, far = d4 - d2, (d3 - d1) * TWO
    return d0 * FOUR - d2 * FIVE + d4, even + odd, even - odd, near + far, near - far, d1 * FOUR - d3 * FIVE + d5


@cuda.jit(device=True)
def _outputs(m0, m1, m2, m3, m4, m5):
    """Aᵀ·m of one column of six products."""
    near, far, plus, twice = m1 - m2, m3 - m4, m1 + m2, m3 + m4
    return m0 + plus + twice, near + far * TWO, plus + twice * FOUR, near + far * EIGHT + m5


@cuda.jit(device=True)
def _pixel(X, top, left, plane, n):
    """A pixel of a plane of X, zero beyond its edges; above and left of it, numbers without sign are very large."""
    return X[uint32(plane + top * n + left)] if top < n and left < n else ZERO


@cuda.jit(device=True)
def _column(X, top, left, plane, n):
    """A column of a tile, transformed."""
    return _image(
        _pixel(X, top, left, plane, n),
        _pixel(X, uint32(top + 1), left, plane, n),
        _pixel(X, uint32(top + 2), left, plane, n),
        _pixel(X, uint32(top + 3), left, plane, n),
        _pixel(X, uint32(top + 4), left, plane, n),
        _pixel(X, uint32(top + 5), left, plane, n),
    )


@cuda.jit(device=True)
def _store_row(V, at, step, row):
    """Six elements of a transformed tile to six matrices, ``step`` apart."""
    V[uint32(at)] = row[0]
    V[uint32(at + step)] = row[1]
    V[uint32(at + 2 * step)] = row[2]
    V[uint32(at + 3 * step)] = row[3]
    V[uint32(at + 4 * step)] = row[4]
    V[uint32(at + 5 * step)] = row[5]


@cuda.jit(device=True)
def _load_column(M, at, step):
    """Six products of a column of a tile, transformed; the elements of a column are six matrices apart."""
    return _outputs(
        M[uint32(at)],
        M[uint32(at + 6 * step)],
        M[uint32(at + 12 * step)],
        M[uint32(at + 18 * step)],
        M[uint32(at + 24 * step)],
        M[uint32(at + 30 * step)],
    )


def transform_images(p):
    """``run(gpu, V, X)``: V (36, channels, tiles) becomes Bᵀ·d·B of every tile d of X, 6×6 pixels.

    Global traffic, in floats: tiles overlap, so a pixel is asked for 2.25 times, mostly of the cache; V once.
    """
    n, padding, channels, tiles, row = p.n, p.padding, p.channels, tiles_of(p), tile_row_of(p)
    across, matrix = tiles_across(out_side(n, TAP, 1, padding)), channels * tile_row_of(p)

    @cuda.jit(cache=True, launch_bounds=THREADS)
    def images_to_tiles(V, X):
        tile, c = uint32(cuda.blockIdx.x * THREADS + cuda.threadIdx.x), uint32(cuda.blockIdx.y)
        if tile >= row:
            return
        image, within = tile // uint32(across * across), tile % uint32(across * across)
        # Tiles that fill up a row of V lie below the image, where all is zero.
        top = uint32(within // uint32(across) * OUT - padding) if tile < tiles else uint32(n)
        left = uint32(within % uint32(across) * OUT - padding)
        plane = uint32((image * channels + c) * n * n)
        d0, d1 = _column(X, top, left, plane, n), _column(X, top, uint32(left + 1), plane, n)
        d2, d3 = _column(X, top, uint32(left + 2), plane, n), _column(X, top, uint32(left + 3), plane, n)
        d4, d5 = _column(X, top, uint32(left + 4), plane, n), _column(X, top, uint32(left + 5), plane, n)
        v = c * row + tile
        _store_row(V, v, matrix, _image(d0[0], d1[0], d2[0], d3[0], d4[0], d5[0]))
        _store_row(V, v + 6 * matrix, matrix, _image(d0[1], d1[1], d2[1], d3[1], d4[1], d5[1]))
        _store_row(V, v + 12 * matrix, matrix, _image(d0[2], d1[2], d2[2], d3[2], d4[2], d5[2]))
        _store_row(V, v + 18 * matrix, matrix, _image(d0[3], d1[3], d2[3], d3[3], d4[3], d5[3]))
        _store_row(V, v + 24 * matrix, matrix, _image(d0[4], d1[4], d2[4], d3[4], d4[4], d5[4]))
        _store_row(V, v + 30 * matrix, matrix, _image(d0[5], d1[5], d2[5], d3[5], d4[5], d5[5]))

    def run(gpu, V, X):
        gpu.launch(images_to_tiles, (-(-row // THREADS), channels), THREADS, V.reshape(V.size), X.reshape(X.size))

    return run


@cuda.jit(device=True)
def _store_outputs(Y, at, outputs, here):
    """Up to four outputs of a row, ``here`` of them inside the image."""
    if here > 0:
        Y[uint32(at)] = outputs[0]
    if here > 1:
        Y[uint32(at + 1)] = outputs[1]
    if here > 2:
        Y[uint32(at + 2)] = outputs[2]
    if here > 3:
        Y[uint32(at + 3)] = outputs[3]


def transform_outputs(p):
    """``run(gpu, Y, M)``: of M (36, filters, tiles) every tile's Aᵀ·m·A, 4×4 outputs, goes to its place in Y.

    Global traffic, in floats: M and Y once.
    """
    filters, tiles, row = p.filters, tiles_of(p), tile_row_of(p)
    side, matrix = out_side(p.n, TAP, 1, p.padding), p.filters * tile_row_of(p)
    across, whole = tiles_across(side), side % OUT == 0

    @cuda.jit(cache=True, launch_bounds=THREADS)
    def tiles_to_images(Y, M):
        tile, f = uint32(cuda.blockIdx.x * THREADS + cuda.threadIdx.x), uint32(cuda.blockIdx.y)
        if tile >= tiles:
            return
        image, within = tile // uint32(across * across), tile % uint32(across * across)
        top, left = uint32(within // uint32(across) * OUT), uint32(within % uint32(across) * OUT)
        m = f * row + tile
        m0, m1 = _load_column(M, m, matrix), _load_column(M, m + matrix, matrix)
        m2, m3 = _load_column(M, m + 2 * matrix, matrix), _load_column(M, m + 3 * matrix, matrix)
        m4, m5 = _load_column(M, m + 4 * matrix, matrix), _load_column(M, m + 5 * matrix, matrix)
        y0 = _outputs(m0[0], m1[0], m2[0], m3[0], m4[0], m5[0])
        y1 = _outputs(m0[1], m1[1], m2[1], m3[1], m4[1], m5[1])
        y2 = _outputs(m0[2], m1[2], m2[2], m3[2], m4[2], m5[2])
        y3 = _outputs(m0[3], m1[3], m2[3], m3[3], m4[3], m5[3])
        y = uint32(((image * filters + f) * side + top) * side + left)
        if whole:
            ptx.store4(Y, y, y0)
            ptx.store4(Y, uint32(y + side), y1)
            ptx.store4(Y, uint32(y + 2 * side), y2)
            ptx.store4(Y, uint32(y + 3 * side), y3)
        else:
            here, rows = side - left, side - top
            _store_outputs(Y, y, y0, here)
            if rows > 1:
                _store_outputs(Y, y + side, y1, here)
            if rows > 2:
                _store_outputs(Y, y + 2 * side, y2, here)
            if rows > 3:
                _store_outputs(Y, y + 3 * side, y3, here)

    def run(gpu, Y, M):
        gpu.launch(tiles_to_images, (-(-tiles // THREADS), filters), THREADS, Y.reshape(Y.size), M.reshape(M.size))

    return run
