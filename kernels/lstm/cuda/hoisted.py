"""cuda:hoisted: what the inputs add to all gates of all steps is one large product, before the first step.

That product has steps·batch rows instead of batch, so that it fills the GPU with large tiles, and none of it
waits for a step before. A step reads its part of it, 4 floats an element, as the first value of its sums: so it
moves 7 floats an element, and batch·n·(n/units) floats of h and 4·n²·(batch/rows) of weights for its product,
half of what a step of cuda:registers reads.
"""

from numba import cuda, float32, uint32

from gpuplay.intrinsics import ptx

from .pointwise import new_states
from .register_tiles import ZEROS, add_product, first_sums, keep_sums, kept_sums, place
from .shapes import THREADS, shape_for
from .tiles import add_biases


def projecting(p, blocks):
    """Launches the product of all inputs: a function of gpu, the array of sums (steps·batch, n, 4) and the inputs."""
    shape = shape_for(p.n, p.steps * p.batch, blocks)
    grid, shared_bytes = shape.grid(p.n, p.steps * p.batch), shape.shared_bytes
    constants = shape.constants(p.n)
    rows, units, row_warps, slices, tall = constants[:5]

    @cuda.jit(cache=True)
    def project_inputs(projected, x, W_ih, b_ih, b_hh):
        shared = cuda.shared.array(0, float32, alignment=16)
        n = uint32(b_ih.size // 4)
        batch = uint32(x.size // n)
        top, first = cuda.blockIdx.y * rows, cuda.blockIdx.x * units
        upper, lower = add_product((ZEROS, ZEROS), shared, x, 0, W_ih, top, first, batch, n, constants)
        row, unit, part = place(units, row_warps, tall)
        keep_sums(shared, 0, upper, lower, row, unit, part, rows, units, tall)
        cuda.syncthreads()
        for pair in range(cuda.threadIdx.x, rows * units, THREADS):
            row, unit = pair // units, pair % units
            b, j = top + row, first + unit
            if b < batch and j < n:
                i, f, g, o = kept_sums(shared, 0, row, unit, rows, units, slices)
                i, f, g, o = add_biases(i, f, g, o, b_ih, b_hh, j, n)
                ptx.store4(projected, (b * n + j) * 4, (i, f, g, o))

    def project(gpu, projected, x, W_ih, b_ih, b_hh):
        gpu.launch(project_inputs, grid, THREADS, projected, x, W_ih, b_ih, b_hh, shared=shared_bytes)

    return project


def hoisted(p, blocks):
    """The inputs of all steps are one large product before the first step; a step multiplies states alone.

    One launch for the inputs of all steps, then one launch a step.
    """
    shape = shape_for(p.n, p.batch, blocks)
    grid, shared_bytes = shape.grid(p.n, p.batch), shape.shared_bytes
    constants = shape.constants(p.n)
    rows, units, row_warps, slices, tall = constants[:5]
    project = projecting(p, blocks)

    @cuda.jit(cache=True)
    def lstm_step(hs, c, projected, h0, c0, W_hh, t):
        shared = cuda.shared.array(0, float32, alignment=16)
        batch, n = uint32(c.shape[0]), uint32(c.shape[1])
        top, first = cuda.blockIdx.y * rows, cuda.blockIdx.x * units
        row, unit, part = place(units, row_warps, tall)
        sums = first_sums(projected, t * batch * n, top + row, first + unit, batch, n, part, tall)
        h, start = (h0, 0) if t == 0 else (hs, (t - 1) * batch * n)
        upper, lower = add_product(sums, shared, h, start, W_hh, top, first, batch, n, constants)
        keep_sums(shared, 0, upper, lower, row, unit, part, rows, units, tall)
        cuda.syncthreads()
        for pair in range(cuda.threadIdx.x, rows * units, THREADS):
            row, unit = pair // units, pair % units
            b, j = top + row, first + unit
            if b < batch and j < n:
                i, f, g, o = kept_sums(shared, 0, row, unit, rows, units, slices)
                before = c0[b, j] if t == 0 else c[b, j]
                cell, hidden = new_states(i, f, g, o, before)
                c[b, j] = cell
                hs[(t * batch + b) * n + j] = hidden

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, projected):
        states, inputs = hs.reshape(-1), projected.reshape(-1)
        project(gpu, inputs, x.reshape(-1), W_ih.reshape(-1), b_ih, b_hh)
        before, weights = h0.reshape(-1), W_hh.reshape(-1)
        for t in range(p.steps):
            gpu.launch(
                *(lstm_step, grid, THREADS),
                *(states, c_last, inputs, before, c0, weights, t),
                shared=shared_bytes,
            )

    return run
