"""lstm on the CPU: interpreted loops, and the blocked product with a unit's whole update at its end.

Everything is computed transposed, units by batch, so that vectors run along the batch. The quad of
rows that `gemm.accumulate` takes is the four gates of one unit. Hidden states are written straight
into the packed panel that the next step multiplies by, of which there are two, and also to ``hs``.
"""

import math

import numpy as np
from numba import njit, prange

from .._shared import quads as gemm
from .._shared.quad_blocking import DEFAULTS
from .._shared.scalar_activations import CODE, apply

SIGMOID, TANH = CODE["sigmoid"], CODE["tanh"]
DEPTH, LANES, ROWS, CHUNK = gemm.DEPTH, gemm.LANES, gemm.ROWS, gemm.CHUNK


def loop(p):
    """Plain Python over lists: for each step, row of the batch and unit, four dot products and the update."""
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


@njit(cache=True)
def _start_at_biases(sums, b_ih, b_hh, first, last, width):
    """Let the four gates of units ``first`` to ``last`` begin at their biases."""
    n = len(b_ih) // 4
    for unit in range(first, last):
        quad = sums[(unit - first) * ROWS * width : (unit - first + 1) * ROWS * width]
        for gate in range(ROWS):
            bias = b_ih[gate * n + unit] + b_hh[gate * n + unit]
            row = quad[gate * LANES :]
            for chunk in range(width // LANES):
                for j in range(LANES):
                    row[chunk * CHUNK + j] = bias


@njit(cache=True, error_model="numpy")
def _update(gates, cell, target):
    """Compute c = f·c + i·g and h = o·tanh(c) for the whole batch of one unit; h goes to its row of a panel."""
    for chunk in range(len(cell) // LANES):
        i, f = gates[chunk * CHUNK : chunk * CHUNK + LANES], gates[chunk * CHUNK + LANES : chunk * CHUNK + 2 * LANES]
        g = gates[chunk * CHUNK + 2 * LANES : chunk * CHUNK + 3 * LANES]
        o = gates[chunk * CHUNK + 3 * LANES : chunk * CHUNK + 4 * LANES]
        c, h = cell[chunk * LANES : (chunk + 1) * LANES], target[chunk * CHUNK : chunk * CHUNK + LANES]
        for j in range(LANES):
            c[j] = apply(SIGMOID, f[j]) * c[j] + apply(SIGMOID, i[j]) * apply(TANH, g[j])
        for j in range(LANES):
            h[j] = apply(SIGMOID, o[j]) * apply(TANH, c[j])


@njit(cache=True)
def _write_states(state, packed, cells, c_last, first, last, left, columns, width):
    """Copy the hidden states of units ``first`` to ``last`` to ``state`` (batch, n), and cells to ``c_last``."""
    for j in range(columns):
        source = packed[j // LANES * CHUNK + j % LANES :]
        for unit in range(first, last):
            state[left + j, unit] = source[unit // DEPTH * DEPTH * width + unit % DEPTH * LANES]
            c_last[left + j, unit] = cells[unit, left + j]


@njit(cache=True)
def _step(states, x_panels, h_now, h_next, cells, weights, sums, blocks, worker, workers):
    """One worker's units of one step; ``states`` are this step's rows of hs, and c_last."""
    (hidden, c_last), (W_ih, W_hh, b_ih, b_hh) = states, weights
    block_m, block_n, block_k = blocks
    batch, n = hidden.shape
    unit, end, units = gemm.units_of(4 * n, batch, block_n, worker, workers)
    while unit < end:
        strip, first, last = gemm.next_block(unit, end, units, gemm.quads_per_block(4 * n, block_m))
        unit += last - first
        x_panel, left, columns, width = gemm.panel_of(x_panels, strip, n, batch, block_n)
        h_panel = gemm.panel_of(h_now, strip, n, batch, block_n)[0]
        target = gemm.panel_of(h_next, strip, n, batch, block_n)[0]
        block = sums[: (last - first) * ROWS * width]
        _start_at_biases(block, b_ih, b_hh, first, last, width)
        depth = gemm.part_depth(width, block_n, block_k)
        gemm.multiply_block(block, W_ih, first, last, 1, n, x_panel, width, depth)
        gemm.multiply_block(block, W_hh, first, last, 1, n, h_panel, width, depth)
        for u in range(first, last):
            gates = block[(u - first) * ROWS * width : (u - first + 1) * ROWS * width]
            _update(gates, cells[u, left : left + width], target[u // DEPTH * DEPTH * width + u % DEPTH * LANES :])
        _write_states(hidden, target, cells, c_last, first, last, left, columns, width)


@njit(cache=True)
def _pack(x, h0, c0, x_panels, h_panels, cells, block_n, worker, workers):
    """Pack one worker's share of all inputs and of the first hidden state, and transpose the cell states."""
    for t in range(len(x)):
        gemm.pack_columns(x[t], x_panels[t], block_n, worker, workers)
    gemm.pack_columns(h0, h_panels[0], block_n, worker, workers)
    batch, n = c0.shape
    for unit in range(worker * n // workers, (worker + 1) * n // workers):
        for j in range(cells.shape[1]):
            cells[unit, j] = c0[j, unit] if j < batch else 0


def _compile(*, many):
    """All steps, in one thread or in many.

    ``many`` is used inside too: Numba's disk cache tells compiled functions apart by what they close
    over, not by their options, and would hand out one form for the other.
    """

    @njit(cache=True, parallel=many)
    def layer(x, hs, c_last, h0, c0, weights, x_panels, h_panels, cells, sums, blocks, wanted):
        workers = wanted if many else 1
        for share in prange(workers):
            worker = np.intp(share)
            _pack(x, h0, c0, x_panels, h_panels, cells, blocks[1], worker, workers)
        for t in range(len(x)):
            states = (hs[t], c_last)
            now, after = h_panels[t % 2], h_panels[(t + 1) % 2]
            for share in prange(workers):
                worker = np.intp(share)
                _step(states, x_panels[t], now, after, cells, weights, sums[worker], blocks, worker, workers)

    return layer


_one_core, _all_cores = _compile(many=False), _compile(many=True)


def _build(p, blocks, *, many):
    products = 8 * p.batch * p.n * p.n

    def run(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, x_panels, h_panels, cells, sums):
        workers = gemm.workers_for(products, sums) if many else 1
        layer = _one_core if workers == 1 else _all_cores
        weights = (W_ih, W_hh, b_ih, b_hh)
        layer(x, hs, c_last, h0, c0, weights, x_panels, h_panels, cells, sums, blocks, workers)

    return run


def simd(p, **blocks):
    """One thread; with the vectorisers off it is cpu:scalar."""
    return _build(p, tuple((DEFAULTS | blocks).values()), many=False)


def parallel(p, **blocks):
    """All threads: they share the packing, then the units of each step."""
    return _build(p, tuple((DEFAULTS | blocks).values()), many=True)
