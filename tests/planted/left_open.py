"""Where the elements of x that are no zeros stand, by what a GPU leaves open and by what it does not."""

import numpy as np
from numba import cuda, int32

from gpuplay.kernel import Array, Kernel, Variant


@cuda.jit
def clear(y, count):
    i = cuda.grid(1)
    if i == 0:
        count[0] = 0
    if i < y.size:
        y[i] = 0


@cuda.jit
def take_a_place(y, count, x):
    i = cuda.grid(1)
    if i < x.size and x[i] != 0:
        y[cuda.atomic.add(count, 0, 1)] = x[i]


@cuda.jit
def count_before(y, count, x):
    i = cuda.grid(1)
    if i < x.size and x[i] != 0:
        place = 0
        for k in range(i):
            place += x[k] != 0
        y[place] = x[i]
        cuda.atomic.add(count, 0, 1)


@cuda.jit
def last_block_sums(y, count, x):
    """The block that comes last adds up what all blocks have written: whichever it is."""
    i = cuda.grid(1)
    last = cuda.shared.array(1, int32)
    if i < x.size:
        y[i] = x[i]
    cuda.threadfence()
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        last[0] = cuda.atomic.add(count, 0, 1) == cuda.gridDim.x - 1
    cuda.syncthreads()
    if last[0] and cuda.threadIdx.x == 0:
        cuda.threadfence()
        kept = 0
        for k in range(x.size):
            value = y[k]
            y[k] = 0
            if value != 0:
                y[kept] = value
                kept += 1
        count[0] = kept


def cleared(function):
    def build(p):
        def run(gpu, y, count, x):
            blocks = -(-p.n // 64)
            gpu.launch(clear, blocks, 64, y, count)
            gpu.launch(function, blocks, 64, y, count, x)

        return run

    return build


def reference(_p, x):
    kept = x[x != 0]
    return np.concatenate([kept, np.zeros(x.size - kept.size)]), np.array([kept.size])


KERNEL = Kernel(
    name="left_open",
    summary="x without its zeros, in order",
    size="2^6..2^8",
    inputs=lambda p, rng: {"x": (rng.standard_normal(p.n) * (rng.random(p.n) < 0.6)).astype(p.dtype)},
    arrays=lambda p: (Array("y", (p.n,), "out"), Array("count", (1,), "out", "int32"), Array("x", (p.n,))),
    reference=reference,
    dtypes=("float32",),
    variants=(
        Variant("cuda:counter", "SIMT", "the next free place from an atomic", cleared(take_a_place)),
        Variant("cuda:last_block", "SIMT", "the last block puts them in order", cleared(last_block_sums)),
        Variant("cuda:counted", "SIMT", "each counts those before it", cleared(count_before)),
    ),
)
