"""Activation on the host.

python:loop    the interpreter, one element at a time
cpu:libm       compiled, one call into the C library for each element
cpu:scalar     compiled, polynomials in line, one element at a time: cpu:simd with vectors of one lane
cpu:simd       the same source, 4 to 16 elements at a time
cpu:threads    the same on all cores
cpu:parallel   small arrays by one thread; large ones past the caches, and prefetched
"""

import math

from numba import njit, prange

from gpuplay.intrinsics import simd as vectors
from gpuplay.intrinsics.host.caches import kept_bytes
from gpuplay.intrinsics.host.internal import inlined
from gpuplay.intrinsics.host.streaming import stream_fence
from gpuplay.intrinsics.host.wide import load_wide, wide_lanes

from .._shared.activations import CODE, apply

# ---- python:loop ----


def _sigmoid(x):
    e = math.exp(-abs(x))
    return (e if x < 0 else 1.0) / (1.0 + e)


def _gelu(x):
    limited = max(x, -40.0)
    return limited * (0.5 * math.erfc(limited * -math.sqrt(0.5)))


FUNCTIONS = {
    "relu": lambda x: 0.0 if x <= 0 else x,
    "leaky_relu": lambda x: 0.01 * x if x < 0 else x,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "gelu": _gelu,
    "silu": lambda x: max(x, -800.0) * _sigmoid(x),
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "identity": lambda x: x,
}


def loop(p):
    """An interpreter between any two operations.

    One call and one list access after another; X and Y are lists.
    """
    function = FUNCTIONS[p.function]

    def run(Y, X):
        for i in range(len(X)):
            Y[i] = function(X[i])

    return run


# ---- cpu:libm ----

_RELU, _LEAKY_RELU, _TANH = CODE["relu"], CODE["leaky_relu"], CODE["tanh"]
_GELU, _SILU, _SOFTPLUS, _IDENTITY = CODE["gelu"], CODE["silu"], CODE["softplus"], CODE["identity"]


@inlined
def at_least(x, low):
    """The larger of both; NaN where ``x`` is, which ``max`` does not promise."""
    if x < low:
        return low
    return x


@inlined
def _libm(code, x):
    """The functions as `_shared.activations` has them, with the C library's exp, tanh, erfc and log1p."""
    zero = type(x)(0)
    one = type(x)(1)
    if code == _RELU:
        value = at_least(x, zero)
    elif code == _LEAKY_RELU:
        value = x * type(x)(0.01) if x < zero else x
    elif code == _TANH:
        value = type(x)(math.tanh(x))
    elif code == _GELU:
        limited = at_least(x, type(x)(-40))
        value = limited * (type(x)(0.5) * type(x)(math.erfc(limited * type(x)(-0.7071067811865476))))
    elif code == _SOFTPLUS:
        value = at_least(x, zero) + type(x)(math.log1p(math.exp(-abs(x))))
    elif code == _IDENTITY:
        value = x
    else:
        e = type(x)(math.exp(-abs(x)))
        value = (e if x < zero else one) / (one + e)
        if code == _SILU:
            value *= at_least(x, type(x)(-800))
    return value


def libm(p):
    """Compiled, but a call into the C library for each element.

    A call is opaque to the vectoriser.
    """
    code = CODE[p.function]

    @njit(cache=True, error_model="numpy")
    def run(Y, X):
        for i in range(X.size):
            Y[i] = _libm(code, X[i])

    return run


# ---- cpu:scalar, cpu:simd ----


@inlined
def _elements(code, Y, X, first, end):
    """Elements ``first`` to ``end``: by vectors of two registers, then of one, the last one cut short."""
    pair, lanes = wide_lanes(X), vectors.lanes(X)
    i = first
    while i + pair <= end:
        vectors.store(Y, i, apply(code, load_wide(X, i)))
        i += pair
    while i < end:
        vectors.store_first(Y, i, apply(code, vectors.load_first(X, i, end - i)), end - i)
        i += lanes


def simd(p):
    """The same source: without a call or branch, one instruction serves a whole vector.

    All elements by vectors; vectors of one lane make it cpu:scalar.
    """
    code = CODE[p.function]

    @njit(cache=True)
    def run(Y, X):
        _elements(code, Y, X, 0, X.size)

    return run


# ---- cpu:threads ----


def threads(p, chunk):
    """Chunks of the array shared out over all cores.

    The loop of cpu:simd over chunks; neighbouring chunks go to the same core.
    """
    code = CODE[p.function]

    @njit(cache=True, parallel=True)
    def run(Y, X):
        for c in prange((X.size + chunk - 1) // chunk):
            _elements(code, Y, X, c * chunk, min((c + 1) * chunk, X.size))

    return run


# ---- cpu:parallel ----

AHEAD = 2048  # bytes between what is prefetched and what is computed: what memory delivers in its own latency


@inlined
def _streamed(code, Y, X, first, end):
    """Elements ``first`` to ``end``, whole lines of Y past the caches; what is left over, as `_elements`."""
    pair, line = wide_lanes(X), vectors.LINE // X.itemsize
    begin = min(end, first + vectors.to_boundary(Y, first))
    whole = end - (end - begin) % pair
    _elements(code, Y, X, first, begin)
    for i in range(begin, whole, pair):
        for asked in range(i, i + pair, line):
            vectors.prefetch(X, asked + AHEAD // X.itemsize)
        vectors.stream(Y, i, apply(code, load_wide(X, i)))
    _elements(code, Y, X, whole, end)
    stream_fence()


def _streaming(p, chunk):
    """cpu:threads with `_streamed` as its loop."""
    code = CODE[p.function]

    @njit(cache=True, parallel=True)
    def run(Y, X):
        for c in prange((X.size + chunk - 1) // chunk):
            _streamed(code, Y, X, c * chunk, min((c + 1) * chunk, X.size))

    return run


def parallel(p, chunk):
    """One thread for little; much goes past the caches, which saves reading what is overwritten.

    One thread where there are not two chunks; streaming stores where the caches would not keep Y.
    """
    if p.n < 2 * chunk:
        return simd(p)
    if 2 * p.n * p.itemsize < kept_bytes():
        return threads(p, chunk)
    return _streaming(p, chunk)
