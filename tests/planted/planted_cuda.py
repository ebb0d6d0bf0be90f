"""y = 2·x on CUDA alone, with one right variant and one for each mistake; builds are counted in builds.txt."""

from pathlib import Path

import numpy as np
from numba import cuda, float32

from gpuplay.kernel import Array, Cost, Kernel, Knob, Param, Variant

BUILDS = Path(__file__).with_name("builds.txt")
BLOCK = 64


def launching(function, *more):
    with BUILDS.open("a", encoding="utf-8") as log:
        log.write(f"{function.__name__}\n")

    def run(gpu, y, x, *spaces):
        gpu.launch(function, -(-x.size // BLOCK), BLOCK, y, x, *spaces, *more)

    return run


def right(problem, factor):
    @cuda.jit
    def doubled(y, x):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = factor * x[i]

    return launching(doubled)


def last_off(problem):
    @cuda.jit
    def off(y, x):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = x[i] + x[i] + (i == x.size - 1)

    return launching(off)


def reversed_twice(problem):
    @cuda.jit
    def racy(y, x):
        here = cuda.threadIdx.x
        i = cuda.grid(1)
        tile = cuda.shared.array(BLOCK, float32)
        tile[BLOCK - 1 - here] = x[i] + x[i] if i < x.size else float32(0)
        if i < x.size:
            y[i] = tile[BLOCK - 1 - (BLOCK - 1 - here)]  # planted: a race
            y[i] = x[i] + x[i]

    return launching(racy)


def reads_its_output(problem):
    @cuda.jit
    def unset(y, x):
        i = cuda.grid(1)
        if i < x.size:
            y[i] += x[i]  # planted: unset
            y[i] = x[i] + x[i]

    return launching(unset)


def reads_its_workspace(problem):
    @cuda.jit
    def unset(y, x, spare):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = x[i] + x[i] + spare[i] * 0  # planted: workspace

    return launching(unset)


def behind_the_end(problem):
    @cuda.jit
    def behind(y, x):
        i = cuda.grid(1)
        y[i] = x[i] + x[i]  # planted: behind the end

    return launching(behind)


def too_many_threads(problem):
    @cuda.jit
    def nothing(y, x):
        pass

    def run(gpu, y, x):
        gpu.launch(nothing, 1, (64, 64), y, x)

    return run


def mended(problem):
    @cuda.jit
    def mended(y, x, spare):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = x[i] + spare[i]

    def run(gpu, y, x, ones, spare):
        gpu.copy(spare, x)
        gpu.fill(ones, 1.0)
        gpu.launch(mended, -(-x.size // BLOCK), BLOCK, y, x, spare)

    return run


def workspace(problem, knobs):
    return [Array("spare", (problem.n,), "out")]


def workspaces(problem, knobs):
    return [Array("ones", (problem.n,), "out"), Array("spare", (problem.n,), "out")]


def with_numpy(problem):
    def run(y, x):
        np.multiply(x, 2, out=y)

    return run


KERNEL = Kernel(
    name="planted_cuda",
    summary="y = 2·x",
    size="100,200",
    params=(Param("rows", "nothing but a number", 4096),),
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n, dtype=p.dtype)},
    output=lambda p: p.n,
    reference=lambda p, x: 2 * x,
    cost=lambda p: Cost(p.n, 2 * p.n * p.itemsize),
    dtypes=("float32",),
    story=("numpy:double", "cuda:right"),
    variants=(
        Variant("numpy:double", "library", "NumPy", with_numpy),
        Variant("cuda:right", "SIMT", "a thread an element", right, knobs={"factor": Knob((2, 3), 2)}),
        Variant("cuda:off", "SIMT", "the last element is off by one", last_off),
        Variant("cuda:racy", "SIMT", "no barrier", reversed_twice),
        Variant("cuda:unset", "SIMT", "reads its output", reads_its_output),
        Variant("cuda:workspace", "SIMT", "reads its workspace", reads_its_workspace, workspace=workspace),
        Variant("cuda:behind", "SIMT", "no bounds", behind_the_end),
        Variant("cuda:wide", "SIMT", "4096 threads in a block", too_many_threads),
        Variant("cuda:mended", "SIMT", "sets its workspaces by copy and fill", mended, workspace=workspaces),
    ),
)
