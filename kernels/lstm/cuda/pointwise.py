"""What an LSTM step does element by element after its sums: three launches' worth, or one.

Both begin with the sums of the four gates in ``gates`` (4, batch, n) and the cell state before the step.
As launches of their own, four activations in place move 8 floats an element, the cell state 5, and the
hidden state 3: 16 in all. `update` moves 7: it reads four sums and the cell state, and writes both states.
PyTorch's own cell moves 15, since it reads the sums of inputs and of states apart and keeps the gates.
"""

from numba import cuda

from ..._shared.gpu_activations import sigmoid, tanh

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
def update(hs, c, c0, gates, t):
    """All of it in one launch: the gates go from their sums to both states in registers."""
    unit, b = cuda.grid(2)
    if unit < c.shape[1] and b < c.shape[0]:
        before = c0[b, unit] if t == 0 else c[b, unit]
        cell, hidden = new_states(gates[0, b, unit], gates[1, b, unit], gates[2, b, unit], gates[3, b, unit], before)
        c[b, unit] = cell
        hs[t, b, unit] = hidden
