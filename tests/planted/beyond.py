"""y = 2·x on the CPU, by loops that go too far, leave something out, or compute what is no number."""

import numpy as np
from numba import njit, prange

from gpuplay.kernel import Kernel, Variant


def right(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = x[i] + x[i]

    return run


def further(_p):
    @njit
    def run(y, x):
        for i in range(x.size + 1):
            y[i] = x[i] + x[i]

    return run


def further_parallel(_p):
    @njit(parallel=True)
    def run(y, x):
        for i in prange(x.size + 1):
            y[i] = x[i] + x[i]

    return run


def farther(_p):
    @njit
    def run(y, x):
        for i in range(x.size + 5000):
            y[i] = x[i] + x[i]

    return run


def neighbour(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = x[i] + x[i] + (x[i + 1] - x[i + 1] * np.float32(0.5))

    return run


def forgets(_p):
    @njit
    def run(y, x):
        for i in range(x.size - 1):
            y[i] = x[i] + x[i]

    return run


def adds(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] += x[i] + x[i]

    return run


def no_number(_p):
    @njit(error_model="numpy")
    def run(y, x):
        for i in range(x.size):
            nothing = x[i] - x[i]
            y[i] = x[i] + x[i] + nothing / nothing

    return run


def unknown_name(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = xx[i] + x[i]  # noqa: F821

    return run


def wrong_type(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = x[i] + "1"

    return run


KERNEL = Kernel(
    name="beyond",
    summary="y = 2·x",
    size="2^10..2^12",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n,
    reference=lambda _p, x: 2 * x,
    dtypes=("float32",),
    variants=(
        Variant("cpu:right", "SISD", "a loop", right),
        Variant("cpu:further", "SISD", "a turn too many", further),
        Variant("cpu:further_parallel", "MIMD", "a turn too many, in parallel", further_parallel),
        Variant("cpu:farther", "SISD", "turns far too many", farther),
        Variant("cpu:neighbour", "SISD", "reads the next element, too", neighbour),
        Variant("cpu:forgets", "SISD", "a turn too few", forgets),
        Variant("cpu:adds", "SISD", "adds to what nobody has written", adds),
        Variant("cpu:no_number", "SISD", "0/0", no_number),
        Variant("cpu:unknown_name", "SISD", "a typing error", unknown_name),
        Variant("cpu:wrong_type", "SISD", "adds a text", wrong_type),
    ),
)
