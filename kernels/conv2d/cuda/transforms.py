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
ZEROS = (ZERO,) * OUT
THREADS, ALL_LANES = 128, 0xFFFFFFFF


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
def _row(X, top, left, plane, n):
    """Six pixels of a row of a tile, one by one."""
    return (
        _pixel(X, top, left, plane, n),
        _pixel(X, top, uint32(left + 1), plane, n),
        _pixel(X, top, uint32(left + 2), plane, n),
        _pixel(X, top, uint32(left + 3), plane, n),
        _pixel(X, top, uint32(left + 4), plane, n),
        _pixel(X, top, uint32(left + 5), plane, n),
    )


@cuda.jit(device=True)
def _wide_row(X, top, left, plane, n):
    """The same, where the middle four begin at a multiple of four: these by one access, the others from neighbours.

    The lane before has the tile to the left and its last pixel, the lane behind the one to the right. All lanes
    of a warp come here together; the first and the last of them load what they have no neighbour for.
    """
    right, lane = uint32(left + 5), cuda.threadIdx.x % 32
    quad = ptx.load4(X, uint32(plane + top * n + uint32(left + 1))) if top < n else ZEROS
    before, after = cuda.shfl_up_sync(ALL_LANES, quad[3], 1), cuda.shfl_down_sync(ALL_LANES, quad[0], 1)
    if lane == 0:
        before = _pixel(X, top, left, plane, n)
    if lane == 31:
        after = _pixel(X, top, right, plane, n)
    first, last = before if left < n else ZERO, after if right < n else ZERO
    return first, quad[0], quad[1], quad[2], quad[3], last


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

    Global traffic, in floats: tiles overlap, so every pixel is asked for 1.5 times where rows of X are whole
    128-bit accesses and padding is 1, else 2.25 times, mostly of the cache; V once.
    """
    n, padding, channels, tiles, row = p.n, p.padding, p.channels, tiles_of(p), tile_row_of(p)
    across, matrix = tiles_across(out_side(n, TAP, 1, padding)), channels * tile_row_of(p)
    wide = n % OUT == 0 and padding == 1

    @cuda.jit(cache=True, launch_bounds=THREADS)
    def images_to_tiles(V, X):
        tile, c = uint32(cuda.blockIdx.x * THREADS + cuda.threadIdx.x), uint32(cuda.blockIdx.y)
        image, within = tile // uint32(across * across), tile % uint32(across * across)
        # Tiles that fill up a row of V, and the last block, lie below the image, where all is zero.
        top = uint32(within // uint32(across) * OUT - padding) if tile < tiles else uint32(n)
        left = uint32(within % uint32(across) * OUT - padding)
        plane = uint32((image * channels + c) * n * n)
        second, third, fourth = uint32(top + 1), uint32(top + 2), uint32(top + 3)
        fifth, sixth = uint32(top + 4), uint32(top + 5)
        if wide:
            r0, r1 = _wide_row(X, top, left, plane, n), _wide_row(X, second, left, plane, n)
            r2, r3 = _wide_row(X, third, left, plane, n), _wide_row(X, fourth, left, plane, n)
            r4, r5 = _wide_row(X, fifth, left, plane, n), _wide_row(X, sixth, left, plane, n)
        else:
            r0, r1 = _row(X, top, left, plane, n), _row(X, second, left, plane, n)
            r2, r3 = _row(X, third, left, plane, n), _row(X, fourth, left, plane, n)
            r4, r5 = _row(X, fifth, left, plane, n), _row(X, sixth, left, plane, n)
        d0 = _image(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0])
        d1 = _image(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1])
        d2 = _image(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2])
        d3 = _image(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3])
        d4 = _image(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4])
        d5 = _image(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5])
        if tile < row:
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
