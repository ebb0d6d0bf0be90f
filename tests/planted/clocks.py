"""Variants whose time is known: one spins for 5 ms, one is a matrix product, one a tiny parallel loop."""

import time

import numpy as np
from numba import njit, prange

from gpuplay.kernel import Kernel, Variant

SPIN_S = 5e-3
SIDE = 256


def spin(_problem):
    def run(y, x):
        until = time.perf_counter() + SPIN_S
        y[:] = x
        while time.perf_counter() < until:
            pass

    return run


def blas(_problem):
    left, right, product = (np.ones((SIDE, SIDE), np.float32) for _ in range(3))

    def run(y, x):
        np.matmul(left, right, out=product)
        y[:] = x

    return run


def tiny(_problem):
    @njit(parallel=True)
    def run(y, x):
        for i in prange(x.size):
            y[i] = x[i]

    return run


KERNEL = Kernel(
    name="clocks",
    summary="y = x, in known time",
    size="64",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n, dtype=p.dtype)},
    output=lambda p: p.n,
    reference=lambda p, x: x,
    variants=(
        Variant("numpy:spin", "library", "waits 5 ms", spin),
        Variant("numpy:blas", "library", "a matrix product with its pool of threads", blas),
        Variant("cpu:tiny", "MIMD", "a parallel loop of a few microseconds", tiny),
    ),
)
