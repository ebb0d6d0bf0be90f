"""lstm as GPU functions: a launch for every operation, and everything of a step in one.

Steps depend on each other, so each is at least one launch: the end of a launch is the only point
where all threads of a grid meet. GPU functions get whole arrays and the step's number, and take the
state before the first step from h0 and c0, later ones from where the last step left them.
"""

from numba import cuda

from .._shared.gpu_activations import CODE, apply
from . import UNITS

SIGMOID, TANH = CODE["sigmoid"], CODE["tanh"]
GATES = 4

# --- unfused ---


@cuda.jit(cache=True)
def _project(gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t, gate):
    """One gate before its activation: a thread computes one unit of one row of the batch."""
    unit, b = cuda.grid(2)
    batch, n = h0.shape
    if unit < n and b < batch:
        row = gate * n + unit
        total = b_ih[row] + b_hh[row]
        for k in range(n):
            total += W_ih[row, k] * x[t, b, k]
        if t == 0:
            for k in range(n):
                total += W_hh[row, k] * h0[b, k]
        else:
            for k in range(n):
                total += W_hh[row, k] * hs[t - 1, b, k]
        gates[gate, b, unit] = total


@cuda.jit(cache=True)
def _squash(gates, gate):
    """The activation of one gate, in place: tanh for g, sigmoid for the others."""
    unit, b = cuda.grid(2)
    if unit < gates.shape[2] and b < gates.shape[1]:
        z = gates[gate, b, unit]
        gates[gate, b, unit] = apply(TANH, z) if gate == 2 else apply(SIGMOID, z)


@cuda.jit(cache=True)
def _next_cell(c, c0, gates, t):
    """The cell state: c = f·c + i·g."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        before = c0[b, unit] if t == 0 else c[b, unit]
        c[b, unit] = gates[1, b, unit] * before + gates[0, b, unit] * gates[2, b, unit]


@cuda.jit(cache=True)
def _next_hidden(hs, c, gates, t):
    """The hidden state: h = o·tanh(c)."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        hs[t, b, unit] = gates[3, b, unit] * apply(TANH, c[b, unit])


def _geometry(p, block):
    """Blocks of 16 adjacent units by as many rows of the batch as the threads allow, over all of both."""
    rows = block // UNITS
    return (-(-p.n // UNITS), -(-p.batch // rows)), (UNITS, rows)


def unfused(p, block):
    """Ten launches a step: four products, four activations, the cell state, the hidden state."""
    grid, threads = _geometry(p, block)

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, gates):
        for t in range(p.steps):
            for gate in range(GATES):
                gpu.launch(_project, grid, threads, gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t, gate)
            for gate in range(GATES):
                gpu.launch(_squash, grid, threads, gates, gate)
            gpu.launch(_next_cell, grid, threads, c_last, c0, gates, t)
            gpu.launch(_next_hidden, grid, threads, hs, c_last, gates, t)

    return run


# --- fused ---


def fused(p, block):
    """One launch a step; a thread sums the four gates of one unit of one row of the batch.

    A block walks along k in tiles of 16: its rows of x, then of h, and 4·16 rows of the weights. The
    weights' tile has rows of 17 words, so that 16 threads reading a column meet 16 banks.
    """
    grid, threads = _geometry(p, block)
    rows = block // UNITS
    padded = UNITS + 1
    weights = GATES * UNITS

    @cuda.jit(cache=True)
    def lstm_step(hs, c, x, h0, c0, W_ih, W_hh, b_ih, b_hh, t):
        vs = cuda.shared.array((rows, UNITS), c.dtype)
        ws = cuda.shared.array((weights, padded), c.dtype)
        tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
        batch, n = c.shape
        left = cuda.blockIdx.x * UNITS
        unit, b = left + tx, cuda.blockIdx.y * rows + ty
        zero = c.dtype.type(0)
        i, f, g, o = zero, zero, zero, zero
        for half in range(2):
            for start in range(0, n, UNITS):
                k = start + tx
                value = zero
                if b < batch and k < n:
                    if half == 0:
                        value = x[t, b, k]
                    elif t == 0:
                        value = h0[b, k]
                    else:
                        value = hs[t - 1, b, k]
                vs[ty, tx] = value
                for row in range(ty, weights, rows):
                    source = row // UNITS * n + left + row % UNITS
                    weight = zero
                    if left + row % UNITS < n and k < n:
                        weight = W_ih[source, k] if half == 0 else W_hh[source, k]
                    ws[row, tx] = weight
                cuda.syncthreads()
                for step in range(UNITS):
                    v = vs[ty, step]
                    i += v * ws[tx, step]
                    f += v * ws[UNITS + tx, step]
                    g += v * ws[2 * UNITS + tx, step]
                    o += v * ws[3 * UNITS + tx, step]
                cuda.syncthreads()
        if b < batch and unit < n:
            i = apply(SIGMOID, i + b_ih[unit] + b_hh[unit])
            f = apply(SIGMOID, f + b_ih[n + unit] + b_hh[n + unit])
            g = apply(TANH, g + b_ih[2 * n + unit] + b_hh[2 * n + unit])
            o = apply(SIGMOID, o + b_ih[3 * n + unit] + b_hh[3 * n + unit])
            before = c0[b, unit] if t == 0 else c[b, unit]
            cell = f * before + i * g
            c[b, unit] = cell
            hs[t, b, unit] = o * apply(TANH, cell)

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
        for t in range(p.steps):
            gpu.launch(lstm_step, grid, threads, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, t)

    return run
