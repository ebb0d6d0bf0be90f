"""cuda:registers: one launch a step, as cuda:fused, with sums in register tiles and copies under way meanwhile.

A block of ``rows`` × ``units`` reads batch·n·(n/units) floats of x and as many of h, and 8·n²·(batch/rows) of
weights a step: with 64 rows and 32 units a quarter of what cuda:fused reads at its largest block. A thread uses
each number that it loads from shared memory 8 times, where cuda:fused uses it once or four times.
"""

from numba import cuda, float32, uint32

from .pointwise import new_states
from .register_tiles import ZEROS, add_product, keep_sums, kept_sums, place
from .shapes import THREADS, shape_for
from .tiles import add_biases


def registers(p, blocks):
    """A thread sums 8 rows × 2 units × 4 gates in registers, while copies of the next tiles are under way.

    One launch a step, by blocks of the largest shape of which there are ``blocks``.
    """
    shape = shape_for(p.n, p.batch, blocks)
    grid, shared_bytes = shape.grid(p.n, p.batch), shape.shared_bytes
    constants = shape.constants(p.n)
    rows, units, row_warps, slices, tall = constants[:5]

    @cuda.jit(cache=True)
    def lstm_step(hs, c, x, h0, c0, W_ih, W_hh, b_ih, b_hh, t):
        shared = cuda.shared.array(0, float32, alignment=16)
        batch, n = uint32(c.shape[0]), uint32(c.shape[1])
        top, first = cuda.blockIdx.y * rows, cuda.blockIdx.x * units
        sums = add_product((ZEROS, ZEROS), shared, x, t * batch * n, W_ih, top, first, batch, n, constants)
        h, start = (h0, 0) if t == 0 else (hs, (t - 1) * batch * n)
        upper, lower = add_product(sums, shared, h, start, W_hh, top, first, batch, n, constants)
        row, unit, part = place(units, row_warps, tall)
        keep_sums(shared, 0, upper, lower, row, unit, part, rows, units, tall)
        cuda.syncthreads()
        for pair in range(cuda.threadIdx.x, rows * units, THREADS):
            row, unit = pair // units, pair % units
            b, j = top + row, first + unit
            if b < batch and j < n:
                i, f, g, o = kept_sums(shared, 0, row, unit, rows, units, slices)
                i, f, g, o = add_biases(i, f, g, o, b_ih, b_hh, j, n)
                before = c0[b, j] if t == 0 else c[b, j]
                cell, hidden = new_states(i, f, g, o, before)
                c[b, j] = cell
                hs[(t * batch + b) * n + j] = hidden

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
        arrays = (x.reshape(-1), h0.reshape(-1), c0, W_ih.reshape(-1), W_hh.reshape(-1), b_ih, b_hh)
        states = hs.reshape(-1)
        for t in range(p.steps):
            gpu.launch(lstm_step, grid, THREADS, states, c_last, *arrays, t, shared=shared_bytes)

    return run
