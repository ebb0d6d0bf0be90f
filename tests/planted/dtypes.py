"""y = x for every dtype that an array may have, and once with the last element off."""

import numpy as np
from numba import cuda, njit

from gpuplay.kernel import Array, Kernel, Param, Variant
from gpuplay.precision import ITEMSIZE

DTYPES = tuple(ITEMSIZE)


def loop(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = x[i]

    return run


@cuda.jit
def copy(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i]


def last_off(p):
    def run(y, x):
        y[:] = x
        y[-1] = not x[-1] if p.of == "bool" else x[-1] + 1

    return run


def inputs(p, rng):
    return {"x": rng.integers(0, 2, p.n).astype(p.of)}


KERNEL = Kernel(
    name="dtypes",
    summary="y = x",
    size="64",
    params=(Param("of", "dtype of x and y", DTYPES[0], DTYPES),),
    inputs=inputs,
    arrays=lambda p: (Array("y", (p.n,), "out", p.of), Array("x", (p.n,), "in", p.of)),
    reference=lambda _p, x: x,
    dtypes=("float32",),
    odd_shapes=tuple({"of": dtype} for dtype in DTYPES[1:]),
    variants=(
        Variant("numpy:copy", "library", "a copy", lambda _p: np.copyto),
        Variant("python:loop", "SISD", "a list", lambda _p: lambda y, x: y.__setitem__(slice(None), x)),
        Variant("cpu:loop", "SISD", "a loop", loop, applies=lambda p, *_: "no float16" if p.of == "float16" else None),
        Variant("cuda:copy", "SIMT", "a thread each", lambda p: lambda gpu, y, x: gpu.launch(copy, p.n, 32, y, x)),
        Variant("numpy:last_off", "library", "all but the last", last_off),
    ),
)
