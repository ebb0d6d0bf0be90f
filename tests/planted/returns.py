"""y = 2·x and z = 3·x by PyTorch, written in place or returned, and returned amiss: planted mistakes."""

import itertools

import numpy as np

from gpuplay.kernel import Array, Cost, Kernel, Variant

RIGHT_CALLS = 3


def arrays(p):
    return Array("y", (p.n,), "out"), Array("z", (p.n,), "out"), Array("x", (p.n,)), Array("s", (), "in", "float64")


def inputs(p, rng):
    return {"x": rng.random(p.n, dtype=p.dtype) + 1, "s": np.float64(2)}


def plain(_p):
    def run(y, z, x, s):
        np.multiply(x, x.dtype.type(s), out=y)
        np.multiply(x, 3, out=z)

    return run


def written(_p):
    import torch

    def run(y, z, x, s):
        torch.mul(x, s, out=y)
        torch.mul(x, 3, out=z)

    return run


def returned(_p):
    return lambda _y, _z, x, s: (x * s, x * 3)


def both(_p):
    import torch

    def run(_y, z, x, s):
        torch.mul(x, 3, out=z)
        return x * s

    return run


def forgotten(_p):
    return lambda _y, _z, x, s: x * s


def short(_p):
    return lambda _y, _z, x, s: (x[1:] * s, x * 3)


def tiring(_p):
    calls = itertools.count()
    return lambda _y, _z, x, s: (x * s, x * (3 if next(calls) < RIGHT_CALLS else 4))


KERNEL = Kernel(
    name="returns",
    summary="two multiples of x",
    size="100",
    arrays=arrays,
    inputs=inputs,
    reference=lambda _p, x, s: (x * s, x * 3),
    cost=lambda p: Cost(2.0 * p.n, 3.0 * p.n * p.itemsize),
    variants=(
        Variant("numpy:plain", "library", "into the given arrays", plain),
        Variant("torch:written", "library", "into the given tensors", written),
        Variant("torch:returned", "library", "new tensors", returned),
        Variant("torch:both", "library", "one of either", both),
        Variant("torch:forgotten", "library", "the second is never made", forgotten),
        Variant("torch:short", "library", "an element is missing", short),
        Variant("torch:tiring", "library", "wrong from some call on", tiring),
    ),
)
