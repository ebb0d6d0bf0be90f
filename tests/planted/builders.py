"""y = 2·x by builders that nearly keep the contract."""

import numpy as np

from gpuplay.kernel import Kernel, Variant


def right(_p):
    def run(y, x):
        np.multiply(x, 2, out=y)

    return run


def forgets_to_return(_p):
    def run(y, x):
        np.multiply(x, 2, out=y)


def gives_back(_p):
    def run(_y, x):
        return 2 * x

    return run


def names_another_knob(_p, block):
    return right(_p) if block else None


KERNEL = Kernel(
    name="builders",
    summary="y = 2·x",
    size="2^10..2^12",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n,
    reference=lambda _p, x: 2 * x,
    dtypes=("float32",),
    variants=(
        Variant("numpy:right", "library", "keeps it", right),
        Variant("numpy:forgets", "library", "returns no run", forgets_to_return),
        Variant("numpy:gives_back", "library", "writes nothing", gives_back),
        Variant("numpy:knob", "library", "takes another knob", names_another_knob, knobs={"tile": (4, 8)}),
    ),
)
