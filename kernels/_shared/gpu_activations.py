"""Elementwise activation functions for CUDA device code.

``activation(name, dtype)`` gives a device function of one number, float32 or float64, that keeps its type: every
constant is made in the type of ``x``, for a bare literal would turn a float32 function to float64. None branches
and none calls, so that a warp's lanes stay together. The forms stay right over the whole range (see `activations`):
the exponential of -|x| only, which cannot overflow; for gelu the normal distribution's tail, which 1 + erf cancels.
"""

import math

import numpy as np
from numba import cuda, float32

from gpuplay.intrinsics import coefficients
from gpuplay.intrinsics.ptx import fast_exp2, fast_reciprocal


@cuda.jit(device=True)
def _at_least(x, low):
    """The larger of both; NaN where ``x`` is, which ``max`` does not promise."""
    if x < low:
        return low
    return x


@cuda.jit(device=True)
def identity(x):
    """The number itself."""
    return x


@cuda.jit(device=True)
def relu(x):
    """max(x, 0)."""
    return _at_least(x, type(x)(0))


@cuda.jit(device=True)
def leaky_relu(x):
    """x, a hundredth of it where it is negative."""
    return x * type(x)(0.01) if x < type(x)(0) else x


@cuda.jit(device=True)
def sigmoid(x):
    """1/(1 + e⁻ˣ): for x < 0 the same as eˣ/(1 + eˣ), right down to denormals."""
    one = type(x)(1)
    e = type(x)(math.exp(-abs(x)))
    return (e if x < type(x)(0) else one) * fast_reciprocal(one + e)


@cuda.jit(device=True)
def tanh(x):
    """The hyperbolic tangent."""
    return type(x)(math.tanh(x))


@cuda.jit(device=True)
def silu(x):
    """x·sigmoid(x). At -800 the product has been -0 for long, and -inf would make it NaN."""
    return _at_least(x, type(x)(-800)) * sigmoid(x)


@cuda.jit(device=True)
def _gelu_64(x):
    """x·Φ(x) by erfc. At -40 the product has been -0 for long, and -inf would make it NaN."""
    limited = _at_least(x, -40.0)
    return limited * (0.5 * math.erfc(limited * -0.7071067811865476))


@cuda.jit(device=True)
def _softplus_64(x):
    """max(x, 0) + ln(1 + e^-|x|)."""
    return _at_least(x, 0.0) + math.log1p(math.exp(-abs(x)))


# --- float32: polynomials in the place of erfc and log1p, which take three times as long as memory needs ---

_LOG1P = tuple(np.float32(c) for c in coefficients.LOG1P_32)
_LOG2_TAIL = tuple(np.float32(c) for c in coefficients.LOG2_TAIL_32)


@cuda.jit(device=True)
def _gelu_32(x):
    """x·Φ(x) = max(x, 0) - a·Φ(-a), a = |x|, with Φ(-a) as two to the power of a polynomial.

    With -0 as the 0, small results keep their sign; beyond 14.5 the tail is zero, and infinity times zero
    would be NaN.
    """
    a = min(abs(x), float32(14.5))
    power = float32(0)
    for c in cuda.literal_unroll(_LOG2_TAIL):
        power = power * a + c
    return _at_least(x, float32(-0.0)) - a * fast_exp2(power)


@cuda.jit(device=True)
def _softplus_32(x):
    """max(x, 0) + ln(1 + e), e = e^-|x|, with ln(1 + e) = e + e²·P(e)."""
    e = math.exp(-abs(x))
    total = float32(0)
    for c in cuda.literal_unroll(_LOG1P):
        total = total * e + c
    return _at_least(x, float32(0)) + (e + e * e * total)


_EITHER = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "silu": silu,
    "identity": identity,
}
_OF = {
    "float32": _EITHER | {"gelu": _gelu_32, "softplus": _softplus_32},
    "float64": _EITHER | {"gelu": _gelu_64, "softplus": _softplus_64},
}


def activation(name, dtype):
    """The device function of this name for numbers of this dtype."""
    return _OF[dtype][name]
