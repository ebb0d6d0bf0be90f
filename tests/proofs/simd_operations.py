"""Every operation of `gpuplay.intrinsics.simd` against NumPy; prints as JSON which were right, by dtype.

python tests/proofs/simd_operations.py

GPUPLAY_VECTOR_BITS sets the width. Arrays stand in the middle of longer ones, whose ends must keep their mark.
"""

import ctypes
import json
import mmap
import sys

import numpy as np
from numba import njit
from numba.core.errors import TypingError

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.streaming import stream_fence

N, MARK = 77, 99  # a length that no number of lanes divides

REAL = {
    "arithmetic": (lambda x, y: (x + y) * x - y / (x * x + 1), lambda x, y: (x + y) * x - y / (x * x + 1)),
    "scalars": (lambda x, y: 0.5 * x + 1 - y * 2.0, lambda x, y: 0.5 * x + 1 - y * 2),
    "negated": (lambda x, y: -x, lambda x, y: -x),
    "less": (lambda x, y: simd.select(x < y, x, 1.0), lambda x, y: np.where(x < y, x, 1)),
    "less_equal": (lambda x, y: simd.select(x <= 0, x, y), lambda x, y: np.where(x <= 0, x, y)),
    "greater": (lambda x, y: simd.select(x > y, 2.0, x), lambda x, y: np.where(x > y, 2, x)),
    "greater_equal": (lambda x, y: simd.select(x >= y, y, x), lambda x, y: np.where(x >= y, y, x)),
    "equal": (lambda x, y: simd.select(x == y, x, -1.0), lambda x, y: np.where(x == y, x, -1)),
    "unequal": (lambda x, y: simd.select(x != y, y, 9.0), lambda x, y: np.where(x != y, y, 9)),
    "minimum": (
        lambda x, y: simd.minimum(x, y) + simd.minimum(0.5, x),
        lambda x, y: np.minimum(x, y) + np.minimum(0.5, x),
    ),
    "maximum": (
        lambda x, y: simd.maximum(x, y) + simd.maximum(0.5, x),
        lambda x, y: np.maximum(x, y) + np.maximum(0.5, x),
    ),
    "absolute": (lambda x, y: simd.absolute(x), lambda x, y: np.abs(x)),
    "with_sign": (lambda x, y: simd.with_sign(x, -y), lambda x, y: np.copysign(x, -y)),
    "fma": (lambda x, y: simd.fma(x, y, 1.0), lambda x, y: x * y + 1),
    "bits": (lambda x, y: simd.from_bits(simd.bits(x) ^ simd.bits(x) | simd.bits(y)), lambda x, y: y),
    "broadcast": (lambda x, y: simd.broadcast(x, 3), lambda x, y: np.full_like(x, 3)),
}
WHOLE = {
    "arithmetic": (lambda x, y: (x + y) * 3 - x, lambda x, y: (x + y) * 3 - x),
    "logic": (lambda x, y: (x & y) | (x ^ 5), lambda x, y: (x & y) | (x ^ 5)),
    "shifts": (lambda x, y: (x << 3) + (y >> 2), lambda x, y: (x << 3) + (y >> 2)),
    "select": (lambda x, y: simd.select(x < y, -x, y), lambda x, y: np.where(x < y, -x, y)),
    "larger": (lambda x, y: simd.maximum(x, -y), lambda x, y: np.maximum(x, -y)),
}


def loop_of(function):
    """A loop over whole vectors, then the rest by masked loads and stores."""
    compiled = njit(forceinline=True)(function)

    @njit
    def run(out, x, y):
        lanes, i = simd.lanes(x), 0
        while i + lanes <= x.size:
            simd.store(out, i, compiled(simd.load(x, i), simd.load(y, i)))
            i += lanes
        rest = x.size - i
        simd.store_first(out, i, compiled(simd.load_first(x, i, rest), simd.load_first(y, i, rest)), rest)

    return run


def framed(dtype):
    """An array of N elements, and the longer one that it is the middle of."""
    whole = np.full(N + 64, MARK, dtype)
    return whole[32 : 32 + N], whole


def kept(whole):
    return bool((whole[:32] == MARK).all() and (whole[32 + N :] == MARK).all())


def judged(function, expected, dtype):
    """Whether a function of two vectors is right and stays inside its array."""
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-50, 50, N).astype(dtype) for _ in range(2))
    if x.dtype.kind == "f":
        x, y = x / 7, y / 7
    x[3] = y[3]
    out, whole = framed(dtype)
    loop_of(function)(out, x, y)
    bound = 8 * np.finfo(dtype).eps * 50 if out.dtype.kind == "f" else 0
    return bool((abs(out - expected(x, y)) <= bound).all()) and kept(whole)


@njit
def streamed(out, x, first):
    begin = first + simd.to_boundary(out, first)
    for i in range(first, begin):
        out[i] = x[i]
    i = begin
    while i + simd.lanes(x) <= x.size:
        simd.stream(out, i, simd.load(x, i))
        i += simd.lanes(x)
    rest = x.size - i
    simd.store_first(out, i, simd.load_first(x, i, rest), rest)
    stream_fence()
    return begin


@njit
def folded(x):
    return simd.total(simd.load(x, 0)), simd.largest(simd.load(x, 0)), simd.lanes(x)


@njit
def first_ones(out, x, count):
    simd.store(out, 0, simd.load_first(x, 0, count))


@njit
def prefetched(x):
    simd.prefetch(x, 10**15)
    return x[0]


def memory(dtype):
    """Streams to the boundary, reductions, and the zeros of a masked load."""
    x = np.arange(1, N + 1).astype(dtype)
    out, whole = framed(dtype)
    begin = streamed(out, x, 1)
    aligned = (out.ctypes.data + begin * out.itemsize) % simd.LINE == 0 and begin - 1 < simd.LINE // out.itemsize
    right = {"stream": aligned and bool((out[1:] == x[1:]).all()) and out[0] == MARK and kept(whole)}
    total, largest, lanes = folded(x)
    right["reductions"] = total == x[:lanes].sum() and largest == x[:lanes].max()
    first_ones(out, x, lanes - 1)
    right["masked_load"] = bool((out[: lanes - 1] == x[: lanes - 1]).all()) and out[lanes - 1] == 0
    right["prefetch"] = prefetched(x) == x[0]
    right["edges"] = edges(dtype)
    return {name: bool(value) for name, value in right.items()}, lanes


def at_the_end_of_memory(dtype):
    """N elements whose next neighbour lies in a page that nobody may touch; None where that cannot be had."""
    if not sys.platform.startswith("linux"):
        return None
    pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    frame = np.frombuffer(pages, np.uint8)
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(frame.ctypes.data + mmap.PAGESIZE), mmap.PAGESIZE, 0):
        return None
    return frame[: mmap.PAGESIZE].view(dtype)[-N:]


def edges(dtype):
    """A loop whose masked loads and stores end at forbidden memory: it would be the end of this program."""
    x, out = at_the_end_of_memory(dtype), at_the_end_of_memory(dtype)
    if x is None or out is None:
        return True
    x[:] = np.arange(N)
    loop_of(lambda x, y: x + y)(out, x, x)
    return bool((out == 2 * x).all())


def refusal(function, *arguments):
    try:
        function(*arguments)
    except TypingError as error:
        return str(error)
    return ""


@njit
def loaded(x):
    return simd.total(simd.load(x, 0))


@njit
def mixed(x, y):
    return simd.total(simd.load(x, 0) + simd.load(y, 0))


def main():
    found = {}
    for dtype, cases in (("float32", REAL), ("float64", REAL), ("int32", WHOLE), ("int64", WHOLE)):
        found[dtype] = {name: judged(*case, dtype) for name, case in cases.items()}
        if cases is REAL:
            right, found[f"{dtype} lanes"] = memory(dtype)
            found[dtype] |= right
    single, double = np.zeros(64, np.float32), np.zeros(64)
    found["strided"] = refusal(loaded, single[::2])
    found["two dtypes"] = refusal(mixed, single, double)
    print(json.dumps(found))


main()
