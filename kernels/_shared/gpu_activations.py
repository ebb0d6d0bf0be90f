"""Elementwise activation functions for CUDA device code.

Every constant is made in the type of ``x``: a bare literal would turn a float32 function to float64.
The forms are those that stay right over the whole range (see `activations`): the exponential of
-|x| only, which cannot overflow; gelu by erfc, which keeps the tail that 1 + erf cancels.
"""

import math

from numba import cuda

# The same codes as in `activations`; written out, so that CUDA workers do not load the CPU side.
CODE = {"relu": 0, "leaky_relu": 1, "sigmoid": 2, "tanh": 3, "gelu": 4, "silu": 5, "softplus": 6, "identity": 7}

_RELU, _LEAKY_RELU, _SIGMOID, _TANH, _GELU, _SILU, _SOFTPLUS, _IDENTITY = CODE.values()


@cuda.jit(device=True)
def _sigmoid(x):
    one = type(x)(1)
    e = type(x)(math.exp(-abs(x)))
    return (e if x < type(x)(0) else one) / (one + e)


@cuda.jit(device=True)
def _at_least(x, low):
    """The larger of both; NaN where ``x`` is, which ``max`` does not promise."""
    if x < low:
        return low
    return x


@cuda.jit(device=True)
def apply(code, x):
    """The activation ``code`` (a value of `CODE`) of a float32 or float64, in its own dtype."""
    if code == _RELU:
        value = _at_least(x, type(x)(0))
    elif code == _LEAKY_RELU:
        value = x * type(x)(0.01) if x < type(x)(0) else x
    elif code == _SIGMOID:
        value = _sigmoid(x)
    elif code == _TANH:
        value = type(x)(math.tanh(x))
    elif code == _GELU:
        # At -40 and at -800 the products have been -0 for long, and -inf would make them NaN.
        limited = _at_least(x, type(x)(-40))
        value = limited * (type(x)(0.5) * type(x)(math.erfc(limited * type(x)(-0.7071067811865476))))
    elif code == _SILU:
        value = _at_least(x, type(x)(-800)) * _sigmoid(x)
    elif code == _IDENTITY:
        value = x
    else:
        value = _at_least(x, type(x)(0)) + type(x)(math.log1p(math.exp(-abs(x))))
    return value
