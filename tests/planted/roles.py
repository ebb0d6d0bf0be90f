"""A kernel that uses every role: y = s·(x·W) + t and z += y, with a weight that can be prepared and a call counter.

The counter is a ``state``: it must be 0 at every call, or the outputs are off.
"""

import numpy as np

from gpuplay.kernel import Array, Cost, Kernel, Param, Variant


def arrays(p):
    return (
        Array("y", (p.n,), "out"),
        Array("z", (p.n,), "inout"),
        Array("calls", (1,), "state", "int64"),
        Array("x", (p.n,)),
        Array("s", ()),
        Array("W", (p.n, p.n), "weight"),
        Array("t", (p.shift,)),
    )


def inputs(p, rng):
    draw = {"z": (p.n,), "x": (p.n,), "s": (), "W": (p.n, p.n), "t": (p.shift,)}
    drawn = {name: np.asarray(rng.standard_normal(shape), p.dtype) for name, shape in draw.items()}
    return drawn | {"calls": np.zeros(1, np.int64)}


def reference(p, z, calls, x, s, W, t):
    y = s * (x @ W) + t.sum()
    return y, z + y


def finish(y, z, calls, s, t):
    y *= s
    y += t.sum() + calls[0]
    z += y
    calls[0] += 1


def plain(p):
    def run(y, z, calls, x, s, W, t):
        np.matmul(x, W, out=y)
        finish(y, z, calls, s, t)

    return run


def transposed(p):
    def run(y, z, calls, x, s, Wt, t, scratch):
        np.multiply(Wt, x, out=scratch)
        np.sum(scratch, axis=1, out=y)
        finish(y, z, calls, s, t)

    return run


def turned(p, W):
    return np.ascontiguousarray(W.T)


KERNEL = Kernel(
    name="roles",
    summary="y = s·(x·W) + Σt, z += y",
    size="7,33",
    arrays=arrays,
    inputs=inputs,
    reference=reference,
    reduction=lambda p: p.n + p.shift,
    cost=lambda p: Cost(2 * p.n**2, p.itemsize * p.n**2),
    params=(Param("shift", "length of t", 3),),
    odd_shapes=({"shift": 1},),
    applies=lambda p: "n = 13 brings bad luck" if p.n == 13 else None,
    variants=(
        Variant("numpy:plain", "library", "a product", plain),
        Variant(
            "numpy:transposed",
            "library",
            "weights turned beforehand",
            transposed,
            prepare=turned,
            workspace=lambda p, knobs: (Array("scratch", (p.n, p.n)),),
        ),
    ),
)
