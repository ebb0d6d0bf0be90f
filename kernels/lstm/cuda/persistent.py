"""cuda:persistent: all steps in one launch; recurrent weights and cell states never leave the multiprocessors.

Each block keeps the weights of its 8 units in shared memory, 4·8·n floats, and reads hidden states alone:
batch·n·(n/8) floats a step over the grid, none of the 4·n² weights. Cell states stay in shared memory, too, so
that an element moves 5 floats a step: four sums of the inputs, and its hidden state. What would be the end of
a launch is a barrier of the whole grid, which is why all blocks have to be on the GPU at once.
"""

from numba import cuda, float32, uint32

from gpuplay.intrinsics import ptx

from .hoisted import projecting
from .pointwise import new_states
from .register_tiles import copy_vectors, copy_weights, first_sums, keep_sums, kept_sums, multiply, place
from .shapes import BLOCKS, PAD, RESIDENT_UNITS, THREADS, residence

UNITS = RESIDENT_UNITS
WEIGHT_ROWS = 4 * UNITS


@cuda.jit(device=True, forceinline=True)
def _copy_states(shared, at, h, start, top, batch, n, k, shape):
    """Begin to copy the chunk of hidden states at ``k``, as one group; an empty one beyond the last."""
    rows, _, _, _, _, depth, _, width = shape
    if k < n:
        copy_vectors(shared, at, depth + PAD, h, start, top, rows, batch, n, k, depth, width)
    ptx.commit_copies()


@cuda.jit(device=True, forceinline=True)
def _add_product(sums, shared, states, h, start, top, batch, n, shape):
    """As `register_tiles.add_product`, with weights that lie in shared memory and states from ``shared[states]`` on."""
    upper, lower = sums
    rows, units, row_warps, slices, tall, depth, stages, _ = shape
    pitch, share = depth + PAD, depth // slices
    row, unit, part = place(units, row_warps, tall)
    v, w = states + row * pitch + part * share, unit * pitch + part * share
    floats = rows * pitch
    for chunk in range(stages - 1):
        _copy_states(shared, states + chunk * floats, h, start, top, batch, n, uint32(chunk * depth), shape)
    at, free = 0, (stages - 1) * floats
    for k in range(uint32(0), n, uint32(depth)):
        if stages == 2:
            ptx.wait_for_copies(0)
        else:
            ptx.wait_for_copies(1)
        cuda.syncthreads()
        ahead = uint32(k + uint32((stages - 1) * depth))
        _copy_states(shared, states + free, h, start, top, batch, n, ahead, shape)
        upper, lower = multiply(upper, lower, shared, at + v, pitch, w, pitch, units, share, tall)
        w += WEIGHT_ROWS * pitch
        free = at
        at = at + floats if at < (stages - 1) * floats else 0
    ptx.wait_for_copies(0)
    cuda.syncthreads()
    return upper, lower


def _layer(resident):
    """The GPU function of all steps, for blocks that lie on the GPU in a given way."""
    constants = resident.shape.constants(resident.n)
    rows, _, row_warps, slices, tall, depth, _, width = constants
    states = resident.weights_floats
    cells = states + resident.states_floats
    turns = resident.turns

    @cuda.jit(cache=True)
    def lstm_layer(hs, c_last, projected, h0, c0, W_hh, steps):
        shared = cuda.shared.array(0, float32, alignment=16)
        grid = cuda.cg.this_grid()
        batch, n = uint32(c_last.shape[0]), uint32(c_last.shape[1])
        first = cuda.blockIdx.x * UNITS
        for k in range(uint32(0), n, uint32(depth)):
            at = k // uint32(depth) * (WEIGHT_ROWS * (depth + PAD))
            copy_weights(shared, at, depth + PAD, W_hh, first, UNITS, n, k, depth, width)
        ptx.commit_copies()
        for t in range(steps):
            h, start = (h0, 0) if t == 0 else (hs, (t - 1) * batch * n)
            for turn in range(turns):
                top = (turn * cuda.gridDim.y + cuda.blockIdx.y) * rows
                row, unit, part = place(UNITS, row_warps, tall)
                sums = first_sums(projected, t * batch * n, top + row, first + unit, batch, n, part, tall)
                upper, lower = _add_product(sums, shared, states, h, start, top, batch, n, constants)
                keep_sums(shared, states, upper, lower, row, unit, part, rows, UNITS, tall)
                cuda.syncthreads()
                for pair in range(cuda.threadIdx.x, rows * UNITS, THREADS):
                    row, unit = pair // UNITS, pair % UNITS
                    b, j = top + row, first + unit
                    if b < batch and j < n:
                        i, f, g, o = kept_sums(shared, states, row, unit, rows, UNITS, slices)
                        own = cells + turn * rows * UNITS + pair
                        before = c0[b, j] if t == 0 else shared[own]
                        cell, hidden = new_states(i, f, g, o, before)
                        shared[own] = cell
                        hs[(t * batch + b) * n + j] = hidden
                        if t == steps - 1:
                            c_last[b, j] = cell
                cuda.syncthreads()
            if t < steps - 1:
                grid.sync()

    return lstm_layer


def persistent(p):
    """One launch for all steps: each block keeps its recurrent weights on chip, and all meet after every step.

    Two launches in all: the product of all inputs, then all steps.
    """
    project = projecting(p, BLOCKS)
    layers = {}

    def run(gpu, hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, projected):
        resident = residence(p.n, p.batch, gpu.properties)
        if resident not in layers:
            layers[resident] = _layer(resident)
        inputs = projected.reshape(-1)
        project(gpu, inputs, x.reshape(-1), W_ih.reshape(-1), b_ih, b_hh)
        gpu.launch(
            *(layers[resident], (resident.across, resident.down), THREADS),
            *(hs.reshape(-1), c_last, inputs, h0.reshape(-1), c0, W_hh.reshape(-1), p.steps),
            shared=resident.shared_bytes,
        )

    return run
