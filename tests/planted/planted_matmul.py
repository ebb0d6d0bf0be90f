"""The bundled matmul and one variant whose last element is off, which a check of samples would miss."""

from dataclasses import replace

import numpy as np

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.kernel import Variant

MATMUL = load_kernel(find_kernel("matmul"))


def last_off(_problem):
    def run(c, a, b):
        np.matmul(a, b, out=c)
        c[-1, -1] += 1

    return run


def inner_off(_problem):
    def run(c, a, b):
        np.matmul(a, b, out=c)
        c[c.shape[0] // 3, c.shape[1] // 2] += 1

    return run


def resolved(record, *names):
    return replace(record, **{name: MATMUL.resolve(getattr(record, name)) for name in names if getattr(record, name)})


KERNEL = replace(
    resolved(MATMUL.kernel, "arrays", "inputs", "reference", "cost", "check", "tolerance"),
    name="planted_matmul",
    probes=tuple(resolved(probe, "inputs") for probe in MATMUL.kernel.probes),
    variants=(
        resolved(MATMUL.kernel.variant("numpy:blas"), "build"),
        Variant("numpy:last", "library", "the last element is off by one", last_off),
        Variant("numpy:inner", "library", "one inner element is off by one", inner_off),
    ),
    baseline="",
    story=(),
)
