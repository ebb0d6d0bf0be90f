"""cuda:stacked, cuda:pointwise, cuda:fused: the four gates of a block's units summed together.

A block has 16 units and ``rows`` rows of the batch, a thread for each pair. It walks along k in tiles of 16:
its rows of x, then of h, and 4·16 rows of the weights. Each number of x and h is read once for 16 units and
four gates, where cuda:unfused reads it once for each unit and gate; each weight once for ``rows`` rows of the
batch. So a step's sums read 2·batch·n·(n/16) floats of x and h, and 8·n²·(batch/rows) of weights.
"""

from numba import cuda

from . import UNITS, geometry
from .pointwise import GATES, launch_separately, new_states, updating

PADDED = UNITS + 1  # words of a row of the weights' tile: 16 threads that read a column meet 16 banks
WEIGHTS = GATES * UNITS


@cuda.jit(device=True, forceinline=True)
def add_biases(i, f, g, o, b_ih, b_hh, unit, n):
    """The sums of the four gates of a unit plus both biases of each; from gate to gate these lie n apart.

    It belongs to the sums, not to what follows them: an update element by element reads no bias.
    """
    i += b_ih[unit] + b_hh[unit]
    f += b_ih[n + unit] + b_hh[n + unit]
    g += b_ih[2 * n + unit] + b_hh[2 * n + unit]
    o += b_ih[3 * n + unit] + b_hh[3 * n + unit]
    return i, f, g, o


@cuda.jit(device=True)
def _add_product(sums, vs, ws, vectors, W):
    """``sums`` of the gates i, f, g, o of the thread's unit and row + ``vectors`` (batch, n) · W (4n, n)ᵀ.

    ``vs`` (rows, 16) and ``ws`` (64, 17) are the block's tiles; beyond the edges they hold zeros.
    """
    i, f, g, o = sums
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    batch, n = vectors.shape
    rows = vs.shape[0]
    left, b = cuda.blockIdx.x * UNITS, cuda.blockIdx.y * rows + ty
    zero = vs.dtype.type(0)
    for start in range(0, n, UNITS):
        k = start + tx
        vs[ty, tx] = vectors[b, k] if b < batch and k < n else zero
        for row in range(ty, WEIGHTS, rows):
            gate, unit = row // UNITS, left + row % UNITS
            ws[row, tx] = W[gate * n + unit, k] if unit < n and k < n else zero
        cuda.syncthreads()
        for step in range(UNITS):
            v = vs[ty, step]
            i += v * ws[tx, step]
            f += v * ws[UNITS + tx, step]
            g += v * ws[2 * UNITS + tx, step]
            o += v * ws[3 * UNITS + tx, step]
        cuda.syncthreads()
    return i, f, g, o


@cuda.jit(device=True)
def _sum_gates(vs, ws, x, h, W_ih, W_hh, b_ih, b_hh):
    """The sums of one step's gates, biases included, for the thread's unit and row of the batch."""
    zero = vs.dtype.type(0)
    n = x.shape[1]
    unit = cuda.blockIdx.x * UNITS + cuda.threadIdx.x
    i, f, g, o = _add_product((zero, zero, zero, zero), vs, ws, x, W_ih)
    i, f, g, o = _add_product((i, f, g, o), vs, ws, h, W_hh)
    return add_biases(i, f, g, o, b_ih, b_hh, unit, n) if unit < n else (i, f, g, o)


def _summing(rows):
    """A GPU function that writes the sums of the four gates of step ``t``."""

    @cuda.jit(cache=True)
    def sum_gates(gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t):
        vs = cuda.shared.array((rows, UNITS), gates.dtype)
        ws = cuda.shared.array((WEIGHTS, PADDED), gates.dtype)
        h = h0 if t == 0 else hs[t - 1]
        i, f, g, o = _sum_gates(vs, ws, x[t], h, W_ih, W_hh, b_ih, b_hh)
        unit, b = cuda.grid(2)
        if b < gates.shape[1] and unit < gates.shape[2]:
            gates[0, b, unit] = i
            gates[1, b, unit] = f
            gates[2, b, unit] = g
            gates[3, b, unit] = o

    return sum_gates


def stacked(p, block):
    """The four gates are one product a step: a block reads its x and h once for all of them.

    Seven launches a step: one for all sums, four activations, the cell state, the hidden state.
    """
    grid, threads = geometry(p, block)
    sum_gates = _summing(block // UNITS)

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, gates):
        for t in range(p.steps):
            gpu.launch(sum_gates, grid, threads, gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t)
            launch_separately(gpu, grid, threads, hs, c_last, c0, gates, t)

    return run


def pointwise(p, block):
    """One launch makes both states of the sums: 7 floats an element move, not 16."""
    grid, threads = geometry(p, block)
    sum_gates, update = _summing(block // UNITS), updating(p, block)

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, gates):
        for t in range(p.steps):
            gpu.launch(sum_gates, grid, threads, gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t)
            update(gpu, hs, c_last, c0, gates, t)

    return run


def fused(p, block):
    """One launch a step: states are made of sums in registers, and no gate ever reaches memory."""
    grid, threads = geometry(p, block)
    rows = block // UNITS

    @cuda.jit(cache=True)
    def lstm_step(hs, c, x, h0, c0, W_ih, W_hh, b_ih, b_hh, t):
        vs = cuda.shared.array((rows, UNITS), c.dtype)
        ws = cuda.shared.array((WEIGHTS, PADDED), c.dtype)
        h = h0 if t == 0 else hs[t - 1]
        i, f, g, o = _sum_gates(vs, ws, x[t], h, W_ih, W_hh, b_ih, b_hh)
        unit, b = cuda.grid(2)
        if b < c.shape[0] and unit < c.shape[1]:
            before = c0[b, unit] if t == 0 else c[b, unit]
            cell, hidden = new_states(i, f, g, o, before)
            c[b, unit] = cell
            hs[t, b, unit] = hidden

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
        for t in range(p.steps):
            gpu.launch(lstm_step, grid, threads, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, t)

    return run
