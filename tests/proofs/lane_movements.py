"""Strided loads, transposition, inner products and row counts of tiles against NumPy; prints as JSON what was right.

python tests/proofs/lane_movements.py

GPUPLAY_VECTOR_BITS sets the width. Strided loads end at the end of their array, marks surround what is written.
"""

import json
import sys

import numpy as np
from numba import njit

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.inner import add_inner, add_inner_first, store_totals
from gpuplay.intrinsics.host.strided import load_every
from gpuplay.intrinsics.host.transposition import square, transposed
from gpuplay.intrinsics.tiles import Shape, load_tile, rows_of, store_tile, vectors_of, with_rows, zero_tile

MARK = 99
SHAPE = Shape(3, 2)


@njit
def lanes_of(array):
    return simd.lanes(array)


def every(step):
    @njit
    def gather(out, x, first, count):
        simd.store_first(out, 0, load_every(x, first, step, count), count)

    return gather


@njit
def transpose(out, x):
    lanes = simd.lanes(x)
    store_tile(out, 0, lanes, transposed(load_tile(x, 0, lanes, lanes, lanes, square(x))), lanes, lanes)


@njit
def inner(out, A, B, stride, depth):
    """Three rows of A times a vector: whole tiles of two vectors, then what is left, masked."""
    tile, step, k = zero_tile(A, SHAPE), vectors_of(SHAPE) * simd.lanes(A), 0
    while k + step <= depth:
        tile = add_inner(tile, A, k, stride, B, k)
        k += step
    store_totals(out, 0, add_inner_first(tile, A, k, stride, B, k, depth - k))


@njit
def row_counts():
    return rows_of(with_rows(SHAPE, 1)), rows_of(with_rows(SHAPE, 8)), vectors_of(with_rows(SHAPE, 1))


def strided_is_right(dtype, step):
    """The last element asked for is the array's last: a load beyond it would leave the array."""
    gather, x = every(step), np.arange(200).astype(dtype)
    for count in range(1, lanes_of(x) + 1):
        out, first = np.full(64, MARK, dtype), len(x) - 1 - (count - 1) * step
        gather(out, x, first, count)
        if (out[:count] != x[first::step]).any() or (out[count:] != MARK).any():
            return False
    return True


def transposed_is_right(dtype):
    lanes = lanes_of(np.empty(1, dtype))
    x = np.random.default_rng(1).standard_normal((lanes, lanes)).astype(dtype)
    out = np.full(lanes * lanes + 8, MARK, dtype)
    transpose(out, x.ravel())
    return bool((out[: x.size].reshape(x.shape) == x.T).all() and (out[x.size :] == MARK).all())


def inner_is_right(dtype, depth):
    rng, stride = np.random.default_rng(depth), depth + 5
    A, B = (rng.integers(-9, 10, size).astype(dtype) for size in (3 * stride, depth))
    out = np.full(5, MARK, dtype)
    inner(out, A, B, stride, depth)
    return bool((out[:3] == A.reshape(3, stride)[:, :depth] @ B).all() and (out[3:] == MARK).all())


def found(dtype):
    right = {f"every {step}": strided_is_right(dtype, step) for step in (1, 2, 3, 5)}
    right["transposed"] = transposed_is_right(dtype)
    return right | {f"inner {depth}": inner_is_right(dtype, depth) for depth in (1, 7, 31, 64, 129)}


if __name__ == "__main__":
    json.dump({dtype: found(dtype) for dtype in ("float32", "float64")} | {"rows": row_counts()}, sys.stdout)
