"""y = the transpose of x, where every element of x is one value: no index can be wrong."""

import numpy as np
from numba import cuda, njit

from gpuplay.kernel import Kernel, Variant


def copied(_p):
    @njit
    def run(y, x):
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                y[i, j] = x[i, j]

    return run


@cuda.jit
def copy(y, x):
    i, j = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        y[i, j] = x[i, j]


def launched(p):
    blocks = -(-p.n // 16)
    return lambda gpu, y, x: gpu.launch(copy, (blocks, blocks), (16, 16), y, x)


KERNEL = Kernel(
    name="same_values",
    summary="the transpose of x, n×n",
    size="64",
    inputs=lambda p, _rng: {"x": np.full((p.n, p.n), 0.5, p.dtype)},
    output=lambda p: (p.n, p.n),
    reference=lambda _p, x: x.T,
    dtypes=("float32",),
    variants=(
        Variant("cpu:copied", "SISD", "no transpose at all", copied),
        Variant("cuda:copied", "SIMT", "no transpose at all", launched),
    ),
)
