"""Elementwise activation functions of vectors, for Numba on the CPU.

``apply(code, x)`` takes a vector of `gpuplay.intrinsics.simd` and keeps its dtype, float32 or float64.
With ``code`` a closed-over integer the branches fold, and what is left is straight arithmetic with
selects: no call, no table, no branch. With vectors of one lane the same source is the scalar form.

Everything is right over the whole range: infinities give limits (silu(-inf) = gelu(-inf) = -0),
NaN gives NaN, the sign of zero is kept where the function goes through the origin, denormal
results are rounded.

Accuracy, measured against a float64 reference (``tests/kernels/test_activation_accuracy.py``): normal results
of sigmoid, tanh, softplus are within 3 units in the last place in both dtypes, silu within 4,
leaky_relu within 1. gelu errs by at most 2 (float64: 3) roundings u of max(|x|, 1), u = 2^-24 or
2^-53; of its left tail float32 keeps a relative 5e-6 down to x = -5 and 2 % down to -13, where the
usual 0.5·x·(1 + erf(x/√2)) has lost 6 % at -5.
silu's own tail loses digits where the sigmoid beside x is denormal (float32: below -87).
"""

from gpuplay.intrinsics.host.internal import inlined
from gpuplay.intrinsics.simd import absolute, maximum, select
from gpuplay.intrinsics.vector_math import exp_negative, log1p_unit, normal_tail, sigmoid, tail_argument, tanh

CODE = {"relu": 0, "leaky_relu": 1, "sigmoid": 2, "tanh": 3, "gelu": 4, "silu": 5, "softplus": 6, "identity": 7}

_RELU, _LEAKY_RELU, _SIGMOID, _TANH, _GELU, _SILU, _SOFTPLUS, _IDENTITY = CODE.values()


# `maximum` gives its second argument where either is NaN: with x second, NaN stays NaN.


@inlined
def _gelu(x):
    # x·Φ(x) = max(x, 0) - a·Φ(-a) with a = |x|, for x >= 0 because Φ(x) = 1 - Φ(-x); with -0 as the 0, small
    # results keep their sign. Where the tail is zero a stays small: infinity times zero would be NaN.
    a = tail_argument(x)
    return maximum(-0.0, x) - a * normal_tail(a)


@inlined
def _softplus(x):
    return maximum(0.0, x) + log1p_unit(exp_negative(-absolute(x), -0.0))


@inlined
def apply(code, x):
    """The activation ``code`` (a value of `CODE`) of a vector of float32 or float64, in its own dtype."""
    if code == _RELU:
        value = maximum(0.0, x)
    elif code == _LEAKY_RELU:
        value = select(x < 0, 0.01 * x, x)
    elif code == _SIGMOID:
        value = sigmoid(x)
    elif code == _TANH:
        value = tanh(x)
    elif code == _GELU:
        value = _gelu(x)
    elif code == _SILU:
        # At -800 the product has been -0 for long, and -inf would make it NaN.
        value = maximum(-800.0, x) * sigmoid(x)
    elif code == _SOFTPLUS:
        value = _softplus(x)
    else:
        value = x
    return value
