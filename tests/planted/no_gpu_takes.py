"""y = 2·x by GPU functions that look right and that no GPU runs so."""

import numpy as np
from numba import cuda

from gpuplay.kernel import Kernel, Variant


@cuda.jit
def right(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i] + x[i]


@cuda.jit
def returns(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i] + x[i]
    return i


@cuda.jit
def raises(y, x):
    i = cuda.grid(1)
    if i >= x.size:
        raise ValueError("too far")
    y[i] = x[i] + x[i]


@cuda.jit
def asserts(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i] + x[i]
        assert i < 5


@cuda.jit
def medians(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i] + np.median(x)


@cuda.jit
def stays(y, x):
    i = cuda.grid(1)
    while i < x.size:
        y[i] = x[i] + x[i]


@cuda.jit
def halves(y, x):
    i = cuda.grid(1)
    if i < x.size:
        guess = x[i]
        while guess != np.float32(0.5):
            guess = guess * np.float32(0.5)
        y[i] = x[i] + x[i]


def through_gpu(function):
    return lambda p: lambda gpu, y, x: gpu.launch(function, -(-p.n // 32), 32, y, x)


def on_the_host(_p):
    def run(_gpu, y, x):
        y[:] = x + x

    return run


FUNCTIONS = (right, returns, raises, asserts, medians, stays, halves)
KERNEL = Kernel(
    name="no_gpu_takes",
    summary="y = 2·x",
    size="2^10..2^12",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n,
    reference=lambda _p, x: 2 * x,
    dtypes=("float32",),
    variants=(
        *(Variant(f"cuda:{f.__name__}", "SIMT", "one thread an element", through_gpu(f)) for f in FUNCTIONS),
        Variant("cuda:host", "SIMT", "no thread at all", on_the_host),
    ),
)
