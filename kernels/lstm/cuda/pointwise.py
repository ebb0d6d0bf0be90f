"""What an LSTM step does element by element after its sums: three launches' worth, or one.

Both begin with the sums of the four gates in ``gates`` (4, batch, n) and the cell state before the step.
As launches of their own, four activations in place move 8 floats an element, the cell state 5, and the
hidden state 3: 16 in all. `updating` moves 7: it reads four sums and the cell state, and writes both states.
PyTorch's own cell moves 15, since it reads the sums of inputs and of states apart and keeps the gates.
"""

from numba import cuda

from gpuplay.intrinsics import ptx

from ..._shared.gpu_activations import sigmoid, tanh
from . import geometry

GATES = 4


@cuda.jit(cache=True)
def squash(gates, gate):
    """The activation of one gate, in place: tanh for g, sigmoid for the others."""
    unit, b = cuda.grid(2)
    if unit < gates.shape[2] and b < gates.shape[1]:
        z = gates[gate, b, unit]
        gates[gate, b, unit] = tanh(z) if gate == 2 else sigmoid(z)


@cuda.jit(cache=True)
def next_cell(c, c0, gates, t):
    """The cell state: c = f·c + i·g."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        before = c0[b, unit] if t == 0 else c[b, unit]
        c[b, unit] = gates[1, b, unit] * before + gates[0, b, unit] * gates[2, b, unit]


@cuda.jit(cache=True)
def next_hidden(hs, c, gates, t):
    """The hidden state: h = o·tanh(c)."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        hs[t, b, unit] = gates[3, b, unit] * tanh(c[b, unit])


def launch_separately(gpu, grid, threads, hs, c, c0, gates, t):
    """Six launches: four activations, the cell state, the hidden state."""
    for gate in range(GATES):
        gpu.launch(squash, grid, threads, gates, gate)
    gpu.launch(next_cell, grid, threads, c, c0, gates, t)
    gpu.launch(next_hidden, grid, threads, hs, c, gates, t)


@cuda.jit(device=True)
def new_states(i, f, g, o, before):
    """The cell state f·c + i·g and the hidden state o·tanh of it, from the sums of the gates."""
    cell = sigmoid(f) * before + sigmoid(i) * tanh(g)
    return cell, sigmoid(o) * tanh(cell)


@cuda.jit(cache=True)
def _update(hs, c, c0, gates, t):
    """Both states of one unit; gates go from their sums to the states in registers."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        before = c0[b, unit] if t == 0 else c[b, unit]
        cell, hidden = new_states(gates[0, b, unit], gates[1, b, unit], gates[2, b, unit], gates[3, b, unit], before)
        c[b, unit] = cell
        hs[t, b, unit] = hidden


@cuda.jit(cache=True)
def _update_four(hs, c, c0, gates, t):
    """As `_update` for four elements that lie side by side; all arrays flat."""
    size, at = c.size, 4 * cuda.grid(1)
    if at < size:
        i, f = ptx.load4(gates, at), ptx.load4(gates, size + at)
        g, o = ptx.load4(gates, 2 * size + at), ptx.load4(gates, 3 * size + at)
        before = ptx.load4(c0, at) if t == 0 else ptx.load4(c, at)
        c_0, h_0 = new_states(i[0], f[0], g[0], o[0], before[0])
        c_1, h_1 = new_states(i[1], f[1], g[1], o[1], before[1])
        c_2, h_2 = new_states(i[2], f[2], g[2], o[2], before[2])
        c_3, h_3 = new_states(i[3], f[3], g[3], o[3], before[3])
        ptx.store4(c, at, (c_0, c_1, c_2, c_3))
        ptx.store4(hs, t * size + at, (h_0, h_1, h_2, h_3))


def updating(p, block):
    """A function of gpu and the arrays that makes both states of step ``t`` by one launch.

    In float32 a thread has four elements where their number allows: one access of 128 bits for each array.
    """
    grid, threads = geometry(p, block)
    size = p.batch * p.n

    def one_each(gpu, hs, c, c0, gates, t):
        gpu.launch(_update, grid, threads, hs, c, c0, gates, t)

    def four_each(gpu, hs, c, c0, gates, t):
        flat = (hs.reshape(-1), c.reshape(-1), c0.reshape(-1), gates.reshape(-1))
        gpu.launch(_update_four, -(-size // (4 * block)), block, *flat, t)

    return four_each if p.dtype == "float32" and size % 4 == 0 else one_each
