"""lstm on the CPU: interpreted loops, the same loops compiled, and the layer of `layer` on one core and on all.

The rungs between cpu:naive and cpu:simd are in `rungs`.
"""

import math
from functools import partial

import numpy as np
from numba import njit, prange

from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.tiles import Shape

from .._shared.blocking import ROWS, VECTORS
from .._shared.operands import Rows
from .._shared.packing import tile_columns
from .._shared.transposed import pack_transposed
from . import layer, narrow
from .blocking import BLOCK, SMALL_BATCH


def loop(p):
    """Interpreted: every number is an object.

    Over lists: for each step, row of the batch and unit, four dot products and the update.
    """
    n = p.n

    def sigmoid(z):
        e = math.exp(-abs(z))
        return (e if z < 0 else 1.0) / (1.0 + e)

    def run(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
        for b in range(p.batch):
            h, c = h0[b], c_last[b]
            c[:] = c0[b]
            for t in range(p.steps):
                inputs, out = x[t][b], hs[t][b]
                for unit in range(n):
                    gates = []
                    for row in range(unit, 4 * n, n):
                        total = b_ih[row] + b_hh[row]
                        for value, weight in zip(inputs, W_ih[row], strict=True):
                            total += value * weight
                        for value, weight in zip(h, W_hh[row], strict=True):
                            total += value * weight
                        gates.append(total)
                    i, f, g, o = gates
                    c[unit] = sigmoid(f) * c[unit] + sigmoid(i) * math.tanh(g)
                    out[unit] = sigmoid(o) * math.tanh(c[unit])
                h = out

    return run


# ---- cpu:naive ----


@internal
def _sigmoid(z, one):
    e = math.exp(-abs(z))
    return (e if z < 0 else one) / (one + e)


@internal
def _sum_of_gate(row, x, h, W_ih, W_hh, b_ih, b_hh):
    total = b_ih[row] + b_hh[row]
    for k in range(len(x)):
        total += x[k] * W_ih[row, k]
        total += h[k] * W_hh[row, k]
    return total


@njit(cache=True)
def _naive(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
    steps, batch, n = x.shape
    one = x.dtype.type(1)
    c_last[:] = c0
    for t in range(steps):
        for b in range(batch):
            h = hs[t - 1, b] if t > 0 else h0[b]
            for unit in range(n):
                i = _sum_of_gate(unit, x[t, b], h, W_ih, W_hh, b_ih, b_hh)
                f = _sum_of_gate(n + unit, x[t, b], h, W_ih, W_hh, b_ih, b_hh)
                g = _sum_of_gate(2 * n + unit, x[t, b], h, W_ih, W_hh, b_ih, b_hh)
                o = _sum_of_gate(3 * n + unit, x[t, b], h, W_ih, W_hh, b_ih, b_hh)
                cell = _sigmoid(f, one) * c_last[b, unit] + _sigmoid(i, one) * math.tanh(g)
                c_last[b, unit] = cell
                hs[t, b, unit] = _sigmoid(o, one) * math.tanh(cell)


def naive(_p):
    """The equations, compiled: each gate of each unit is a dot product, and reads its row of the weights again."""
    return _naive


# ---- vectors along the batch ----


def _by_batch(block, shape, *, many):
    """All steps with vectors along the batch; ``many`` is closed over, since Numba's disk cache ignores options.

    Only the tile's shape is compiled for; ``block`` is handed over, so that another needs no compiling.
    """

    @njit(cache=True, parallel=many)
    def run(block, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, weights, biases, panels, cells, room):
        workers = len(room) if many else 1
        (steps, batch, n), stride = x.shape, len(cells) // x.shape[2]
        columns = layer.columns_of_block(n, batch, tile_columns(x, shape), block)
        alone = layer.apart(n, batch, block, workers, shape, x)
        states = (x.reshape(-1), hs.reshape(-1), c_last.reshape(-1))
        packed = (weights, biases, panels, cells)
        for share in prange(workers):
            own = layer.region_of_units(n, batch, np.intp(share), workers, shape, x)
            layer.pack_weights(weights, biases, W_ih, W_hh, b_ih, b_hh, room[np.intp(share)], own, shape)
            pack_transposed(panels, 0, Rows(x, 0, n), 2 * n, batch, own.top, own.bottom, shape)
            layer.pack_states(panels, h0, c0, cells, stride, own, shape)
        if alone:
            for share in prange(workers):
                own = layer.region_of_columns(n, batch, np.intp(share), workers, shape, x)
                for t in range(steps):
                    layer.step(t, states, packed, room[np.intp(share)], n, batch, columns, own, shape)
        else:
            for t in range(steps):
                for share in prange(workers):
                    own = layer.region_of_units(n, batch, np.intp(share), workers, shape, x)
                    layer.step(t, states, packed, room[np.intp(share)], n, batch, columns, own, shape)

    return partial(run, block)


# ---- vectors along the units ----


def _by_units(shape, *, many):
    """All steps with vectors along the units; ``many`` as in `_by_batch`."""

    @njit(cache=True, parallel=many)
    def run(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, weights, _biases, sums, _cells, room):
        workers = len(room) if many else 1
        steps, batch, n = x.shape
        inputs, states, cells = x.reshape(-1), hs.reshape(-1), c_last.reshape(-1)
        hidden, before = h0.reshape(-1), c0.reshape(-1)
        for share in prange(workers):
            first, last = narrow.share_of_units(n, np.intp(share), workers, shape, x)
            narrow.project(sums, weights, inputs, W_ih, W_hh, n, first, last, shape)
        for t in range(steps):
            for share in prange(workers):
                first, last = narrow.share_of_units(n, np.intp(share), workers, shape, x)
                narrow.step(t, states, cells, hidden, before, b_ih, b_hh, weights, sums, n, batch, first, last, shape)

    return run


def _build(p, tile_rows, tile_vectors, block, *, many):
    if p.batch < SMALL_BATCH:
        return _by_units(Shape(tile_rows, tile_vectors), many=many)
    return _by_batch(block, Shape(tile_rows, tile_vectors), many=many)


def simd(p, tile_rows=ROWS, tile_vectors=VECTORS, block=BLOCK):
    """New states are made at the end of each block of sums, while its gates are in the first cache.

    One thread; with vectors of one lane it is cpu:scalar.
    """
    return _build(p, tile_rows, tile_vectors, block, many=False)


def parallel(p, tile_rows, tile_vectors, block):
    """The same source: every core takes its units, and all meet after every step.

    All threads: they share the packing, then the units of each step, or the rows of the batch once and for all.
    """
    return _build(p, tile_rows, tile_vectors, block, many=True)
