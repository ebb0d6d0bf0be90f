"""A kernel that uses all of the seam between a CUDA variant and what stands behind ``gpu``.

Y = 2·X·a + S, where a is a scalar and S (n,) is 1 everywhere: launches with static and dynamic
shared memory, a device function, a fill, a copy, a scalar argument, a workspace, the
properties, launch bounds.
"""

import numpy as np
from numba import cuda, float32, float64

from gpuplay.kernel import Array, Cost, Kernel, Variant


def arrays(problem):
    n = problem.n
    return Array("Y", (n,), "out"), Array("X", (n,), "in"), Array("a", (), "in")


def inputs(problem, rng):
    return {"X": rng.standard_normal(problem.n).astype(problem.dtype), "a": np.dtype(problem.dtype).type(0.5)}


def reference(_problem, x, a):
    return 2 * x * a + 1


def workspace(problem, _knobs):
    return [Array("ones", (problem.n,), "out"), Array("copied", (problem.n,), "out")]


@cuda.jit(device=True)
def doubled(value):
    return value + value


def build(problem, block):
    dtype = float32 if problem.dtype == "float32" else float64

    @cuda.jit(launch_bounds=block)
    def through_shared(y, x, a, ones):
        here = cuda.threadIdx.x
        i = cuda.grid(1)
        tile = cuda.shared.array(block, dtype)
        spare = cuda.shared.array(0, dtype)
        if i < y.size:
            tile[here] = x[i]
        cuda.syncthreads()
        if i < y.size:
            spare[here] = doubled(tile[here])
        cuda.syncthreads()
        if i < y.size:
            y[i] = spare[here] * a + ones[i]

    def run(gpu, y, x, a, ones, copied):
        assert gpu.properties.warp_size == 32
        gpu.fill(ones, 1.0)
        gpu.copy(copied, ones)
        blocks = -(-y.size // block)
        gpu.launch(through_shared, blocks, (block,), y, x, a, copied, shared=block * problem.itemsize)

    return run


def barred(_problem, knobs, machine):
    most = machine.gpu.threads_per_block
    return f"{knobs['block']} threads over {most}" if knobs["block"] > most else None


KERNEL = Kernel(
    name="seam",
    summary="Y = 2·X·a + 1",
    size="2^4..2^6",
    arrays=arrays,
    inputs=inputs,
    reference=reference,
    reduction=lambda _problem: 2,
    cost=lambda problem: Cost(3 * problem.n, 2 * problem.n * problem.itemsize),
    variants=(
        Variant(
            "cuda:seam",
            "SIMT",
            "through everything that a launch can use",
            build,
            knobs={"block": (64, 32, 1024, 2048)},
            workspace=workspace,
            applies=barred,
        ),
    ),
)
