"""dense straight from global memory: a thread an output, or a warp.

Y is batch×n, X batch×n, W n×n with a row for each output, b has n elements; s is the bytes of an element. Traffic
is what the warps' requests move, in whole sectors of 32 bytes, before any cache.
"""

import numpy as np
from numba import cuda, intp, uint32

from gpuplay.intrinsics.ptx import load4_readonly

from ..._shared.gpu_activations import activation
from . import NAIVE_BLOCK

WARP = 32
WARPS = 8  # of a block
QUAD = 4
STRIDE = QUAD * WARP  # elements that the lanes of a warp load at once
TURN = 4 * STRIDE
EVERY_LANE = 0xFFFFFFFF
HALVES = (16, 8, 4, 2, 1)
LAST_QUADS = (0, 1, 2, 3)
NOTHING = (np.float32(0),) * (4 * QUAD)


def naive(p):
    """One thread an output; adjacent threads read adjacent rows of W, whose words lie far apart.

    Traffic: 33·batch·n² bytes of loads, s·batch·n of the bias and of Y each.
    """
    f = activation(p.function, p.dtype)

    @cuda.jit(cache=True)
    def dense_naive(Y, X, W, b):
        j, i = cuda.grid(2)
        if i < Y.shape[0] and j < Y.shape[1]:
            total = b[j]
            for k in range(X.shape[1]):
                total += X[i, k] * W[j, k]
            Y[i, j] = f(total)

    columns, rows = NAIVE_BLOCK
    grid = (-(-p.n // columns), -(-p.batch // rows))

    def run(gpu, Y, X, W, b):
        gpu.launch(dense_naive, grid, NAIVE_BLOCK, Y, X, W, b)

    return run


@cuda.jit(device=True, forceinline=True)
def _quads(array, at, inside):
    """Four quads of a lane, those of the warp a block of 128 elements each; zeros where there is nothing left."""
    if inside:
        near = load4_readonly(array, at) + load4_readonly(array, at + STRIDE)
        return near + (load4_readonly(array, at + 2 * STRIDE) + load4_readonly(array, at + 3 * STRIDE))
    return NOTHING


@cuda.jit(device=True, forceinline=True)
def _dot(total, p, q):
    """The sum plus the products of four numbers each."""
    return total + p[0] * q[0] + p[1] * q[1] + p[2] * q[2] + p[3] * q[3]


@cuda.jit(device=True, forceinline=True)
def _dot_of_quads(X, x, W, w, n, lane):
    """A lane's share of X[x:x + n]·W[w:w + n], n and both places multiples of 4.

    While four quads of W are multiplied, the next four are on their way.
    """
    total, first = X.dtype.type(0), uint32(lane * uint32(QUAD))
    whole = uint32(n - n % uint32(TURN))
    following = _quads(W, w + first, first < whole)
    for k in range(first, whole, uint32(TURN)):
        these, ahead = following, uint32(k + uint32(TURN))
        following = _quads(W, w + ahead, ahead < whole)
        i = x + k
        total = _dot(total, these[:4], load4_readonly(X, i))
        total = _dot(total, these[4:8], load4_readonly(X, i + STRIDE))
        total = _dot(total, these[8:12], load4_readonly(X, i + 2 * STRIDE))
        total = _dot(total, these[12:], load4_readonly(X, i + 3 * STRIDE))
    for quad in cuda.literal_unroll(LAST_QUADS):
        k = uint32(whole + first + uint32(quad * STRIDE))
        if k < n:
            total = _dot(total, load4_readonly(W, w + k), load4_readonly(X, x + k))
    return total


@cuda.jit(device=True, forceinline=True)
def _dot_of_numbers(X, x, W, w, n, lane):
    """The same one by one: for float64, and for rows that do not begin at multiples of 16 bytes."""
    total = X.dtype.type(0)
    for k in range(lane, n, uint32(WARP)):
        total += X[x + k] * W[w + k]
    return total


def warp_rows(p):
    """One warp an output: lanes read a row of W side by side, 128 bits each; shuffles add them up.

    Warps beside each other take the outputs of one row of W in turn, so that with more than one row of X all but the
    first find it in the cache. With one, W passes by once, as a plain stream: what memory gives is the limit. Traffic:
    2·s·batch·n² bytes of loads, 64·batch·n of the bias and of Y, a sector each.
    """
    f = activation(p.function, p.dtype)
    share_of_dot = _dot_of_quads if p.dtype == "float32" and p.n % QUAD == 0 else _dot_of_numbers

    @cuda.jit(cache=True)
    def dense_warp_rows(Y, X, W, b, batch, n):
        lane, output = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x * WARPS + cuda.threadIdx.y)
        j, i = output // batch, output % batch
        if j < n:
            total = share_of_dot(X, intp(i * n), W, intp(j * n), n, lane)
            for other in cuda.literal_unroll(HALVES):
                total += cuda.shfl_xor_sync(EVERY_LANE, total, other)
            if lane == 0:
                Y[i * n + j] = f(total + b[j])

    blocks, extents = -(-p.batch * p.n // WARPS), (np.uint32(p.batch), np.uint32(p.n))

    def run(gpu, Y, X, W, b):
        gpu.launch(dense_warp_rows, blocks, (WARP, WARPS), Y.ravel(), X.ravel(), W.ravel(), b, *extents)

    return run
