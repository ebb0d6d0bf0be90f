"""The sum of x, added up from either end as chance will have it: right, and never the same to the last bit."""

import random

from gpuplay.kernel import Kernel, Variant


def either_way(_p):
    def run(y, x):
        total = 0.0
        for value in x if random.random() < 0.5 else reversed(x):
            total += value
        y[0] = total

    return run


KERNEL = Kernel(
    name="unsteady",
    summary="y = Σ x",
    size="129",
    inputs=lambda p, rng: {"x": (rng.standard_normal(p.n) * 10.0 ** rng.integers(-8, 8, p.n)).astype(p.dtype)},
    output=lambda _p: 1,
    reference=lambda _p, x: x.sum(keepdims=True),
    tolerance=lambda _p, total, x: 1e-3 * abs(x).sum(),
    variants=(Variant("python:either_way", "SISD", "from either end", either_way),),
)
