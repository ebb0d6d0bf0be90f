"""Elementwise activation functions for Numba on the CPU, written so that LLVM vectorises them.

``apply(code, x)`` keeps the dtype of ``x``, float32 or float64. With ``code`` a closed-over integer the
branches fold, and what is left is straight arithmetic with selects: no call, no table, no branch.

Everything is right over the whole range: infinities give limits (silu(-inf) = gelu(-inf) = -0),
NaN gives NaN, the sign of zero is kept where the function goes through the origin, denormal
results are rounded. The fast-math set is ``contract`` alone: reassociation would undo the two-part
range reduction, and nnan, ninf and nsz would drop the special values.

Accuracy, measured against a float64 reference (``tests/test_activation_accuracy.py``): normal results
of sigmoid, tanh, softplus are within 3 units in the last place in both dtypes, silu within 4,
leaky_relu within 1. gelu errs by at most 2 (float64: 3) roundings u of max(|x|, 1), u = 2^-24 or
2^-53; of its left tail float32 keeps a relative 5e-6 down to x = -5 and 2 % down to -13, where the
usual 0.5·x·(1 + erf(x/√2)) has lost 6 % at -5.
silu's own tail loses digits where the sigmoid beside x is denormal (float32: below -87).
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

CODE = {"relu": 0, "leaky_relu": 1, "sigmoid": 2, "tanh": 3, "gelu": 4, "silu": 5, "softplus": 6, "identity": 7}

_RELU, _LEAKY_RELU, _SIGMOID, _TANH, _GELU, _SILU, _SOFTPLUS, _IDENTITY = CODE.values()

_OPTIONS = {"forceinline": True, "fastmath": {"contract"}, "error_model": "numpy"}
_inlined = njit(**_OPTIONS)


def _single(*coefficients):
    return tuple(np.float32(c) for c in coefficients)


# Polynomials are minimax fits on the intervals stated, highest power first, made for this file by
# least squares with Lawson's weights in 50 digits. Float32 coefficients were rounded one after the
# other, refitting the rest.

# (e^r - 1 - r) / r² for |r| <= 0.35; the error times r² is below 3.5e-9, and below 7e-18.
EXP_32 = _single(0.0013939625, 0.008369528, 0.041666415, 0.16666514, 0.5)
EXP_64 = (
    *(2.5117229748009306e-08, 2.763279560954309e-07, 2.7557218678338836e-06, 2.4801485890776495e-05),
    *(0.00019841269914191046, 0.0013888888950712303, 0.008333333333308993, 0.041666666666502275),
    *(0.16666666666666696, 0.5000000000000014),
)
# (ln(1 + e) - e) / e² for 0 <= e <= 1; the relative error of the logarithm is below 5.3e-9.
LOG1P_32 = _single(
    *(-0.0033045483, 0.020142214, -0.057548158, 0.10668882, -0.15348583),
    *(0.19693075, -0.24958146, 0.3333047, -0.4999993),
)
# (atanh(t)/t - 1) / t² in powers of t², for 0 <= t <= 1/3; error below 1.7e-18.
ATANH_64 = (
    *(0.08473407232322466, 0.04190616144164546, 0.060480112295085466, 0.06651172129948758, 0.07693223176677744),
    *(0.09090874898633593, 0.11111111891501547, 0.14285714275651648, 0.20000000000062326, 0.3333333333333321),
)
# log2 Φ(-a), Φ the normal distribution function, for 0 <= a <= 14.5: the error times ln 2 is below
# 1.1e-7·(1 + a²/2) for a <= 5, the rounding of such an exponent; looser beyond, where Φ is below 3e-7.
LOG2_TAIL_32 = _single(
    *(-2.7278822e-11, 1.9111726e-09, -5.7497456e-08, 9.733856e-07, -1.0163397e-05, 6.615729e-05),
    *(-0.00023319563, -0.00011015022, 0.0070907143, -0.052539714, -0.45919037, -1.1511071, -1.0),
)
# 2^r for |r| <= 0.5, relative error below 3e-9.
EXP2_32 = _single(
    *(0.00015329279, 0.001339097, 0.009618499, 0.055503596, 0.24022648, 0.6931472, 1.0),
)
# e^(a²/2)·Φ(-a) in powers of t = (a - 5)/(a + 5), for a <= 38.7, relative error below 5.1e-16.
TAIL_64_HIGH = (
    *(-1.7267736681849218e-10, 1.1494199644154578e-09, 4.334628797007252e-09, -1.0168145915089257e-08),
    *(-3.71635889527162e-08, 7.655356628034235e-08, 2.41666290054196e-07, -6.748518442954143e-07),
    *(-1.269201646609727e-06, 6.64435840101675e-06, 9.61015944302811e-07),
)
TAIL_64_LOW = (
    *(-6.042746911397771e-05, 0.00013427690419883726, 0.00021955073508125346, -0.0023788443643842144),
    *(0.008991370550931015, -0.023413900487157992, 0.04785535228414521, -0.08088387726414425),
    *(0.11606881188600399, -0.14345755526401183, 0.07691930497500629),
)

# Adding 1.5·2^23 (1.5·2^52) rounds to a whole number n, which then stands in the low bits of the sum.
# With the exponent's bias added too, a shift of these bits makes the float 2^(n + _LIFT): lifted so far
# that denormal results stay normal until the last multiplication, by 2^-_LIFT, rounds them once.
_LIFT_32, _LIFT_64 = 64, 128
_ROUND_32, _ROUND_64 = np.float32(1.5 * 2**23 + 127), 1.5 * 2**52 + 1023
_ROUND_LIFTED_32, _ROUND_LIFTED_64 = np.float32(_ROUND_32 + _LIFT_32), _ROUND_64 + _LIFT_64
_LOWER_32, _LOWER_64 = np.float32(2.0**-_LIFT_32), 2.0**-_LIFT_64
_LOG2E_32, _LOG2E_64 = np.float32(1.4426950408889634), 1.4426950408889634
# ln 2 in two parts, the first short enough that its product with a whole number is exact (Cody and Waite).
_LN2_32 = _single(0.693359375, -2.12194440e-4)
_LN2_64 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
_HIGH_HALF_64 = np.int64(-(1 << 27))


@_inlined
def _polynomial(x, coefficients):
    """Horner's rule in x², odd and even powers apart: half the chain of dependent operations."""
    square = x * x
    one, other = coefficients[0], coefficients[1]
    for k in range(2, len(coefficients) - 1, 2):
        one = one * square + coefficients[k]
        other = other * square + coefficients[k + 1]
    value = one * x + other
    if len(coefficients) % 2:
        value = value * x + coefficients[len(coefficients) - 1]
    return value


@_inlined
def at_least(x, low):
    """The larger of both; NaN where ``x`` is, which ``max`` does not promise."""
    if x < low:
        return low
    return x


@_inlined
def at_most(x, high):
    """The smaller of both; NaN where ``x`` is, which ``min`` does not promise."""
    if x > high:
        return high
    return x


@_inlined
def _power_of_two_32(shifted):
    return np.int32(np.float32(shifted).view(np.int32) << np.int32(23)).view(np.float32)


@_inlined
def _power_of_two_64(shifted):
    return np.int64(np.float64(shifted).view(np.int64) << np.int64(52)).view(np.float64)


def _exp_32(x, low):
    """e^(x + low) for x <= 0 and a small ``low``, down to the last denormal."""
    x = at_least(x, np.float32(-104))
    shifted = x * _LOG2E_32 + _ROUND_LIFTED_32
    n = shifted - _ROUND_LIFTED_32
    r = (x - n * _LN2_32[0]) - n * _LN2_32[1] + low
    value = np.float32(1) + (r + r * r * _polynomial(r, EXP_32))
    return value * _power_of_two_32(shifted) * _LOWER_32


def _exp_64(x, low):
    """e^(x + low) for x <= 0 and a small ``low``, down to the last denormal."""
    x = at_least(x, -746.0)
    shifted = x * _LOG2E_64 + _ROUND_LIFTED_64
    n = shifted - _ROUND_LIFTED_64
    r = (x - n * _LN2_64[0]) - n * _LN2_64[1] + low
    value = 1.0 + (r + r * r * _polynomial(r, EXP_64))
    return value * _power_of_two_64(shifted) * _LOWER_64


def _expm1_32(x):
    """e^x - 1 for x <= 0, relative accuracy near 0: 2^n·(e^r - 1) + (2^n - 1)."""
    x = at_least(x, np.float32(-20))
    shifted = x * _LOG2E_32 + _ROUND_32
    n = shifted - _ROUND_32
    r = (x - n * _LN2_32[0]) - n * _LN2_32[1]
    scale = _power_of_two_32(shifted)
    return scale * (r + r * r * _polynomial(r, EXP_32)) + (scale - np.float32(1))


def _expm1_64(x):
    """e^x - 1 for x <= 0, relative accuracy near 0: 2^n·(e^r - 1) + (2^n - 1)."""
    x = at_least(x, -40.0)
    shifted = x * _LOG2E_64 + _ROUND_64
    n = shifted - _ROUND_64
    r = (x - n * _LN2_64[0]) - n * _LN2_64[1]
    scale = _power_of_two_64(shifted)
    return scale * (r + r * r * _polynomial(r, EXP_64)) + (scale - 1.0)


def _log1p_32(e):
    """ln(1 + e) for 0 <= e <= 1."""
    return e + e * e * _polynomial(e, LOG1P_32)


def _log1p_64(e):
    """ln(1 + e) = 2·atanh(e/(2 + e)) for 0 <= e <= 1."""
    t = e / (2.0 + e)
    square = t * t
    return 2.0 * t + 2.0 * t * square * _polynomial(square, ATANH_64)


def _normal_tail_32(a):
    """Φ(-a) for a >= 0, zero from 14.5 on: two to the power of a polynomial, which needs no division."""
    power = _polynomial(at_most(a, np.float32(14.5)), LOG2_TAIL_32)
    shifted = power + _ROUND_LIFTED_32
    value = _polynomial(power - (shifted - _ROUND_LIFTED_32), EXP2_32)
    return value * _power_of_two_32(shifted) * _LOWER_32


def _normal_tail_64(a):
    """Φ(-a) for a >= 0, zero from 38.7 on; a² goes into the exponential in two parts."""
    a = at_most(a, 38.7)
    high = np.int64(np.float64(a).view(np.int64) & _HIGH_HALF_64).view(np.float64)
    power = _exp(-0.5 * high * high, -0.5 * (a - high) * (a + high))
    t = (a - 5.0) / (a + 5.0)
    # In two halves, since LLVM does not unroll a loop of 22, and a loop inside is not vectorised.
    t_11 = (t * t * t) * ((t * t) * (t * t)) * ((t * t) * (t * t))
    return power * (_polynomial(t, TAIL_64_HIGH) * t_11 + _polynomial(t, TAIL_64_LOW))


def _by_dtype(single, double):
    """A function that compiles as ``single`` where its first argument is float32, else as ``double``."""

    def chosen(*_):
        raise NotImplementedError("only compiled code calls this")

    overload(chosen, jit_options=_OPTIONS, strict=False)(lambda *a: single if a[0] == types.float32 else double)
    return chosen


_exp = _by_dtype(_exp_32, _exp_64)
_expm1 = _by_dtype(_expm1_32, _expm1_64)
_log1p = _by_dtype(_log1p_32, _log1p_64)
_normal_tail = _by_dtype(_normal_tail_32, _normal_tail_64)


@_inlined
def _sigmoid(x):
    # Never e^+|x|, which overflows: for x < 0 the result is e^x/(1 + e^x), right down to denormals.
    one = type(x)(1)
    e = _exp(-abs(x), type(x)(-0.0))
    return (e if x < type(x)(0) else one) / (one + e)


@_inlined
def _tanh(x):
    two = type(x)(2)
    m = _expm1(-two * abs(x))
    return np.copysign(m / (two + m), x)


@_inlined
def _gelu(x):
    one = type(x)(1)
    tail = _normal_tail(abs(x))
    # At -40 the product has been -0 for long, and -inf would make it NaN.
    return at_least(x, type(x)(-40)) * (tail if x < type(x)(0) else one - tail)


@_inlined
def _softplus(x):
    return at_least(x, type(x)(0)) + _log1p(_exp(-abs(x), type(x)(-0.0)))


@_inlined
def apply(code, x):
    """The activation ``code`` (a value of `CODE`) of a float32 or float64, in its own dtype."""
    if code == _RELU:
        value = at_least(x, type(x)(0))
    elif code == _LEAKY_RELU:
        value = x * type(x)(0.01) if x < type(x)(0) else x
    elif code == _SIGMOID:
        value = _sigmoid(x)
    elif code == _TANH:
        value = _tanh(x)
    elif code == _GELU:
        value = _gelu(x)
    elif code == _SILU:
        # At -800 the product has been -0 for long, and -inf would make it NaN.
        value = at_least(x, type(x)(-800)) * _sigmoid(x)
    elif code == _IDENTITY:
        value = x
    else:
        value = _softplus(x)
    return value
