"""y = x + 1 in int32 and int8, where a value tells nothing of who wrote it; and a copy that goes too far."""

import numpy as np
from numba import njit

from gpuplay.kernel import Array, Kernel, Variant


def right(_p):
    @njit
    def run(y, x):
        for i in range(x.size):
            y[i] = x[i] + 1

    return run


def forgets(_p):
    def run(y, x):
        y[:-1] = x[:-1] + 1

    return run


def copies_on(_p):
    """Numbers behind x land behind y, by the address."""

    def run(y, x):
        far = np.lib.stride_tricks.as_strided
        far(y, (y.size + 16,), y.strides)[:] = far(x, (x.size + 16,), x.strides) + 1

    return run


KERNEL = Kernel(
    name="whole_numbers",
    summary="y = x + 1",
    size="2^10..2^12",
    inputs=lambda p, rng: {"x": rng.integers(0, 100, p.n, dtype=np.int32)},
    arrays=lambda p: (Array("y", (p.n,), "out", "int32"), Array("x", (p.n,), "in", "int32")),
    reference=lambda _p, x: x + 1,
    dtypes=("float32",),
    variants=(
        Variant("cpu:right", "SISD", "a loop", right),
        Variant("numpy:forgets", "library", "all but the last", forgets),
        Variant("numpy:copies_on", "library", "16 too many", copies_on),
    ),
)
