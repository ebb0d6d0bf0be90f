"""cuda:unfused: a launch for every operation of an LSTM step.

Steps depend on each other, so each is at least one launch: the end of a launch is the only point
where all threads of an ordinary grid meet. GPU functions get whole arrays and the step's number, and
take the state before the first step from h0 and c0, later ones from where the last step left them.
"""

from numba import cuda

from . import geometry
from .pointwise import GATES, launch_separately


@cuda.jit(cache=True)
def _project(gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t, gate):
    """One gate before its activation: a thread computes one unit of one row of the batch."""
    unit, b = cuda.grid(2)
    batch, n = h0.shape
    if unit < n and b < batch:
        h = h0 if t == 0 else hs[t - 1]
        row = gate * n + unit
        total = b_ih[row] + b_hh[row]
        for k in range(n):
            total += W_ih[row, k] * x[t, b, k]
        for k in range(n):
            total += W_hh[row, k] * h[b, k]
        gates[gate, b, unit] = total


def unfused(p, block):
    """A launch for each gate and each operation; every one reads and writes global memory.

    Ten launches a step: four products, four activations, the cell state, the hidden state.
    """
    grid, threads = geometry(p, block)

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, gates):
        for t in range(p.steps):
            for gate in range(GATES):
                gpu.launch(_project, grid, threads, gates, hs, x, h0, W_ih, W_hh, b_ih, b_hh, t, gate)
            launch_separately(gpu, grid, threads, hs, c_last, c0, gates, t)

    return run
