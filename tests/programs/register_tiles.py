"""Tiles in registers: tuples that are joined, cut, unpacked, handed on, and grown by outer products.

A program is as in ``reductions``.
"""

import numpy as np
from numba import cuda

from gpuplay.intrinsics.ptx import add_outer, load4, store4

BLOCK = 32
ROWS, COLUMNS = 4, 2
STEPS = (0, 1, 2)
NOTHING = {np.dtype(dtype): (dtype(0),) * (ROWS * COLUMNS) for dtype in (np.float32, np.float64)}


def products(dtype):
    """Each thread adds up column⊗row of its own, as many as ``many`` says, three steps at a time unrolled."""
    nothing = NOTHING[np.dtype(dtype)]

    @cuda.jit
    def outer_products(C, A, B, many):
        i = cuda.grid(1)
        if i < C.shape[0]:
            tile = nothing
            for k in range(many[i]):
                for step in cuda.literal_unroll(STEPS):
                    at = 3 * k + step
                    column = (A[i, 0, at], A[i, 1, at], A[i, 2, at], A[i, 3, at])
                    tile = add_outer(tile, column, (B[i, 0, at], B[i, 1, at]))
            C[i, 0, 0], C[i, 0, 1], C[i, 1, 0], C[i, 1, 1] = tile[:4]
            C[i, 2, 0], C[i, 2, 1], C[i, 3, 0], C[i, 3, 1] = tile[4:]

    return outer_products


OUTER_PRODUCTS = {np.dtype(dtype): products(dtype) for dtype in (np.float32, np.float64)}


def tiles_of_outer_products(launch, n, rng):
    """Small whole numbers, whose sums are exact; threads differ in how many they add."""
    for dtype, function in OUTER_PRODUCTS.items():
        many = rng.integers(0, 4, n)
        A, B = rng.integers(-9, 10, (n, ROWS, 12)).astype(dtype), rng.integers(-9, 10, (n, COLUMNS, 12)).astype(dtype)
        C = np.empty((n, ROWS, COLUMNS), dtype)
        launch(function, -(-n // BLOCK), BLOCK, C, A, B, many)
        used = np.arange(12) < 3 * many[:, None]
        yield C, np.einsum("nrk,nck,nk->nrc", A, B, used.astype(dtype))


@cuda.jit
def rounded_once(c, a, b, start):
    i = cuda.grid(1)
    if i < c.size:
        (c[i],) = add_outer((start[i],), (a[i],), (b[i],))


def a_sum_is_rounded_once(launch, n, rng):
    """a·b − round(a·b) is 0 where the product is rounded first; the fma gives its error."""
    a, b = (rng.random(n).astype(np.float32) for _ in range(2))
    c = np.empty(n, np.float32)
    launch(rounded_once, -(-n // BLOCK), BLOCK, c, a, b, -(a * b))
    yield c, (a.astype(np.float64) * b - (a * b)).astype(np.float32)


@cuda.jit(device=True)
def rotated(quad):
    return quad[1:] + quad[:1]


@cuda.jit
def handed_on(y, x):
    """Tuples come out of a device function and of both sides of a branch."""
    i = cuda.grid(1)
    if 4 * i < x.size:
        quad = load4(x, 4 * i)
        turned = rotated(rotated(quad)) if i % 2 else rotated(quad)
        first, last = turned[0], turned[-1]
        store4(y, 4 * i, (first, turned[1], turned[2], last))


def tuples_joined_and_cut(launch, n, rng):
    x = rng.random(4 * n).astype(np.float32)
    y = np.empty_like(x)
    launch(handed_on, -(-n // BLOCK), BLOCK, y, x)
    quads = x.reshape(-1, 4)
    odd = np.arange(n)[:, None] % 2 == 1
    yield y, np.where(odd, np.roll(quads, -2, axis=1), np.roll(quads, -1, axis=1)).reshape(-1)


PROGRAMS = (tiles_of_outer_products, a_sum_is_rounded_once, tuples_joined_and_cut)
