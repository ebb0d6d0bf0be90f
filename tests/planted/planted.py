"""y = 2·x, with one right variant and one for everything that can go wrong."""

import ctypes
import sys

import numpy as np
from numba import njit

from gpuplay.kernel import Array, Cost, Kernel, Knob, Variant


def double(_problem):
    def run(y, x):
        np.multiply(x, 2, out=y)

    return run


def last_element_off(_problem, tile):
    def run(y, x):
        np.multiply(x, 2, out=y)
        if x.size % tile:
            y[-1] += 1

    return run


def raises(_problem):
    def run(y, x):
        raise ValueError("no such luck")

    return run


def exits(_problem):
    def run(y, x):
        sys.exit(3)

    return run


def crashes(_problem):
    def run(y, x):
        ctypes.string_at(0)

    return run


def loops(_problem):
    @njit
    def run(y, x):
        while x[0] == x[0]:
            y[0] += 1

    return run


def changes_input(_problem):
    def run(y, x):
        np.multiply(x, 2, out=y)
        x[0] += 1

    return run


def changes_input_late(_problem):
    calls = []

    def run(y, x):
        np.multiply(x, 2, out=y)
        calls.append(1)
        if len(calls) == 50:
            x[0] += 1

    return run


def beyond_workspace(_problem):
    def run(y, x, work):
        np.multiply(x, 2, out=y)
        np.lib.stride_tricks.as_strided(work, (work.size + 1,), work.strides)[-1] = 0

    return run


def right_once(_problem):
    calls = []

    def run(y, x):
        np.multiply(x, 2 if len(calls) < 2 else 3, out=y)
        calls.append(1)

    return run


def writes_nothing(_problem):
    def run(y, x):
        pass

    return run


def writes_beyond(_problem):
    def run(y, x):
        np.multiply(x, 2, out=y)
        beyond = np.lib.stride_tricks.as_strided(y, (y.size + 1,), y.strides)
        beyond[-1] = 0

    return run


def talks(_problem):
    def run(y, x):
        print("a kernel that prints must not disturb the answers")
        np.multiply(x, 2, out=y)

    return run


KERNEL = Kernel(
    name="planted",
    summary="y = 2·x [with faults]",
    size="33,64",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n, dtype=p.dtype)},
    output=lambda p: p.n,
    reference=lambda p, x: 2 * x,
    cost=lambda p: Cost(flops=p.n, bytes=2 * p.n * p.itemsize),
    variants=(
        Variant("numpy:double", "library", "right", double),
        Variant(
            "numpy:last",
            "library",
            "one element off where the tile is partial",
            last_element_off,
            knobs={"tile": Knob((16,))},
        ),
        Variant("numpy:raises", "library", "raises", raises),
        Variant("numpy:exits", "library", "calls sys.exit", exits),
        Variant("numpy:crashes", "library", "reads address 0", crashes),
        Variant("cpu:loops", "SIMD", "never returns from compiled code", loops),
        Variant("numpy:changes", "library", "changes its input", changes_input),
        Variant("numpy:once", "library", "right on its first calls only", right_once),
        Variant("numpy:nothing", "library", "writes nothing", writes_nothing),
        Variant("numpy:beyond", "library", "writes behind its output", writes_beyond),
        Variant("numpy:late", "library", "changes its input on the 50th call", changes_input_late),
        Variant(
            "numpy:workspace",
            "library",
            "writes behind its workspace",
            beyond_workspace,
            workspace=lambda p, _knobs: (Array("work", (p.n,)),),
        ),
        Variant("numpy:talks", "library", "prints", talks),
    ),
)
