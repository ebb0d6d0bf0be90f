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
def _one_side(a, b, c, d, e, f):
    """Bᵀ of six rows of six: of each column its transform. Of these six, the same is the transform of the rows."""
    return (
        _image(a[0], b[0], c[0], d[0], e[0], f[0]),
        _image(a[1], b[1], c[1], d[1], e[1], f[1]),
        _image(a[2], b[2], c[2], d[2], e[2], f[2]),
        _image(a[3], b[3], c[3], d[3], e[3], f[3]),
        _image(a[4], b[4], c[4], d[4], e[4], f[4]),
        _image(a[5], b[5], c[5], d[5], e[5], f[5]),
    )


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
def _tile(X, top, left, plane, n):
    """Six rows of six pixels."""
    return (
        _row(X, top, left, plane, n),
        _row(X, uint32(top + 1), left, plane, n),
        _row(X, uint32(top + 2), left, plane, n),
        _row(X, uint32(top + 3), left, plane, n),
        _row(X, uint32(top + 4), left, plane, n),
        _row(X, uint32(top + 5), left, plane, n),
    )


@cuda.jit(device=True)
def _wide_tile(X, top, left, plane, n):
    """The same, by `_wide_row`."""
    return (
        _wide_row(X, top, left, plane, n),
        _wide_row(X, uint32(top + 1), left, plane, n),
        _wide_row(X, uint32(top + 2), left, plane, n),
        _wide_row(X, uint32(top + 3), left, plane, n),
        _wide_row(X, uint32(top + 4), left, plane, n),
        _wide_row(X, uint32(top + 5), left, plane, n),
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
        if wide:
            r0, r1, r2, r3, r4, r5 = _wide_tile(X, top, left, plane, n)
        else:
            r0, r1, r2, r3, r4, r5 = _tile(X, top, left, plane, n)
        c0, c1, c2, c3, c4, c5 = _one_side(r0, r1, r2, r3, r4, r5)
        elements = _one_side(c0, c1, c2, c3, c4, c5)
        if tile < row:
            v = c * row + tile
            _store_row(V, v, matrix, elements[0])
            _store_row(V, v + 6 * matrix, matrix, elements[1])
            _store_row(V, v + 12 * matrix, matrix, elements[2])
            _store_row(V, v + 18 * matrix, matrix, elements[3])
            _store_row(V, v + 24 * matrix, matrix, elements[4])
            _store_row(V, v + 30 * matrix, matrix, elements[5])

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
