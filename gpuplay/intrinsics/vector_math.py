"""exp, log, tanh, sigmoid and erf of the vectors of `simd`: straight arithmetic, no call, no table, no branch.

Each keeps the dtype of its vector, float32 or float64, and is right over the whole range: infinities
give the limits, NaN gives NaN, zeros keep their sign where the function goes through the origin, denormal
arguments count in full and denormal results are rounded once.

Largest errors in units in the last place of a normal result, asserted by ``tests/intrinsics/test_vector_math.py``:

=============================== ======= =======
function                        float32 float64
=============================== ======= =======
`exp`, `log`, `erf`             2       2
`sigmoid`, `tanh`               3       3
`exp_negative`, `log1p_unit`    2       2
=============================== ======= =======
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types
from numba.extending import overload

from gpuplay.intrinsics.host import polynomials
from gpuplay.intrinsics.host.internal import WITHOUT_WRAPPERS
from gpuplay.intrinsics.host.vector_types import Vector
from gpuplay.intrinsics.simd import absolute, bits, broadcast, from_bits, maximum, minimum, select, with_sign

__all__ = [
    "erf",
    "exp",
    "exp_negative",
    "expm1_negative",
    "log",
    "log1p_unit",
    "normal_tail",
    "sigmoid",
    "tail_argument",
    "tanh",
]

_OPTIONS = {"forceinline": True, "error_model": "numpy", **WITHOUT_WRAPPERS}
_inlined = njit(**_OPTIONS)

# Adding 1.5·2^23 (1.5·2^52) rounds to a whole number n, which then stands in the low bits of the sum.
# With the exponent's bias added too, a shift of these bits makes the float 2^n. `_LIFTED` makes it
# 2^(n + LOWER), a normal number also where 2^n is none; its partner is a polynomial that was lowered.
_ROUND_32, _ROUND_64 = 1.5 * 2**23, 1.5 * 2**52
_ROUND_BITS_32, _ROUND_BITS_64 = 0x4B400000, 0x4338000000000000
_BIAS_32, _BIAS_64 = 127, 1023
_BIASED_32, _BIASED_64 = _ROUND_32 + _BIAS_32, _ROUND_64 + _BIAS_64
_LIFTED_32, _LIFTED_64 = _BIASED_32 + polynomials.LOWER_32, _BIASED_64 + polynomials.LOWER_64
_LOG2E = 1.4426950408889634
# ln 2 in two parts, the first short enough that its product with a whole number is exact (Cody and Waite).
_LN2_32, _LN2_LOW_32 = 0.693359375, -2.12194440e-4
_LN2_64, _LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROOT_HALF_BITS_32, _MANTISSA_32 = 0x3F3504F3, (1 << 23) - 1
_ROOT_HALF_BITS_64, _MANTISSA_64 = 0x3FE6A09E667F3BCD, (1 << 52) - 1
_HIGH_HALF_64 = -(1 << 27)
_ROOT_2 = 1.4142135623730951
_INFINITY, _NAN = float("inf"), float("nan")


def _by_dtype(single: Callable[..., Any], double: Callable[..., Any]) -> Any:
    """A function that compiles as ``single`` for vectors of float32, as ``double`` for vectors of float64."""

    def chosen(*_: Any) -> Any:
        raise NotImplementedError(f"only compiled code calls {double.__name__.removesuffix('_64')}")

    def choose(*arguments: Any) -> Any:
        if not isinstance(arguments[0], Vector):
            return None
        return {types.float32: single, types.float64: double}.get(arguments[0].dtype)

    chosen.__doc__ = double.__doc__
    overload(chosen, jit_options=_OPTIONS, strict=False)(choose)
    return chosen


# ---- exponentials ----


def _exp_32(x: Any) -> Any:
    """e^x."""
    x = maximum(-104.0, minimum(89.0, x))
    shifted = x * _LOG2E + _ROUND_32
    n = shifted - _ROUND_32
    r = (x - n * _LN2_32) - n * _LN2_LOW_32
    value = polynomials.EXP_32(r)
    # 2^n in two factors, since neither 2^128 nor 2^-150 is a normal float.
    whole = bits(shifted) - _ROUND_BITS_32
    half = whole >> 1
    return value * from_bits((half + _BIAS_32) << 23) * from_bits((whole - half + _BIAS_32) << 23)


def _exp_64(x: Any) -> Any:
    """e^x."""
    x = maximum(-746.0, minimum(710.0, x))
    shifted = x * _LOG2E + _ROUND_64
    n = shifted - _ROUND_64
    r = (x - n * _LN2_64) - n * _LN2_LOW_64
    value = polynomials.EXP_64(r)
    # 2^n in two factors, since neither 2^1024 nor 2^-1076 is a normal float.
    whole = bits(shifted) - _ROUND_BITS_64
    half = whole >> 1
    return value * from_bits((half + _BIAS_64) << 52) * from_bits((whole - half + _BIAS_64) << 52)


def _exp_negative_32(x: Any, low: Any) -> Any:
    """e^(x + low) for x <= 0 and a small ``low``, down to the last denormal; cheaper than `exp`."""
    x = maximum(-104.0, x)
    shifted = x * _LOG2E + _LIFTED_32
    n = shifted - _LIFTED_32
    r = (x - n * _LN2_32) - n * _LN2_LOW_32 + low
    return polynomials.EXP_LOWERED_32(r) * from_bits(bits(shifted) << 23)


def _exp_negative_64(x: Any, low: Any) -> Any:
    """e^(x + low) for x <= 0 and a small ``low``, down to the last denormal; cheaper than `exp`."""
    x = maximum(-746.0, x)
    shifted = x * _LOG2E + _LIFTED_64
    n = shifted - _LIFTED_64
    r = (x - n * _LN2_64) - n * _LN2_LOW_64 + low
    return polynomials.EXP_LOWERED_64(r) * from_bits(bits(shifted) << 52)


def _expm1_negative_32(x: Any) -> Any:
    """e^x - 1 for x <= 0, relative accuracy near 0: 2^n·(e^r - 1) + (2^n - 1)."""
    x = maximum(-20.0, x)
    shifted = x * _LOG2E + _BIASED_32
    n = shifted - _BIASED_32
    r = (x - n * _LN2_32) - n * _LN2_LOW_32
    scale = from_bits(bits(shifted) << 23)
    return scale * (r * polynomials.EXPM1_32(r)) + (scale - 1)


def _expm1_negative_64(x: Any) -> Any:
    """e^x - 1 for x <= 0, relative accuracy near 0: 2^n·(e^r - 1) + (2^n - 1)."""
    x = maximum(-40.0, x)
    shifted = x * _LOG2E + _BIASED_64
    n = shifted - _BIASED_64
    r = (x - n * _LN2_64) - n * _LN2_LOW_64
    scale = from_bits(bits(shifted) << 52)
    return scale * (r * polynomials.EXPM1_64(r)) + (scale - 1)


# ---- logarithms ----


def _log_32(x: Any) -> Any:
    """The natural logarithm; -inf of zeros, NaN below."""
    # x = 2^k·(1 + f), √½ <= 1 + f < √2, a denormal being made normal first.
    denormal = x < 2.0**-126
    above = bits(select(denormal, x * 2.0**24, x)) - _ROOT_HALF_BITS_32
    whole = above >> 23
    k = from_bits(select(denormal, whole - 24, whole) + _ROUND_BITS_32) - _ROUND_32
    f = from_bits((above & _MANTISSA_32) + _ROOT_HALF_BITS_32) - 1
    square = f * f
    small = (f * square * polynomials.LOG_32(f) + k * _LN2_LOW_32) - 0.5 * square
    return _with_specials(x, k * _LN2_32 + (f + small))


def _log_64(x: Any) -> Any:
    """The natural logarithm; -inf of zeros, NaN below."""
    # As for float32; then ln(1 + f) = f - (f²/2 - t·(f²/2 + R)), t = f/(2 + f), R = 2·(atanh(t)/t - 1): the
    # form of fdlibm's e_log.c, in which the rounding of t does not count.
    denormal = x < 2.0**-1022
    above = bits(select(denormal, x * 2.0**54, x)) - _ROOT_HALF_BITS_64
    whole = above >> 52
    k = from_bits(select(denormal, whole - 54, whole) + _ROUND_BITS_64) - _ROUND_64
    f = from_bits((above & _MANTISSA_64) + _ROOT_HALF_BITS_64) - 1
    t = f / (2 + f)
    half = 0.5 * f * f
    rest = 2 * t * t * polynomials.ATANH_64(t * t)
    return _with_specials(x, k * _LN2_64 - ((half - (t * (half + rest) + k * _LN2_LOW_64)) - f))


@_inlined
def _with_specials(x: Any, logarithm: Any) -> Any:
    """The logarithm of a positive finite ``x``, or what stands in for it."""
    others = select(x == 0, -_INFINITY, broadcast(x, _NAN))
    return select(x > 0, select(x < _INFINITY, logarithm, x), others)


def _log1p_unit_32(e: Any) -> Any:
    """ln(1 + e) for 0 <= e <= 1."""
    return e + e * e * polynomials.LOG1P_32(e)


def _log1p_unit_64(e: Any) -> Any:
    """ln(1 + e) for 0 <= e <= 1."""
    t = e / (2 + e)  # ln(1 + e) = 2·atanh(t)
    square = t * t
    return 2 * t + 2 * t * square * polynomials.ATANH_64(square)


# ---- the normal distribution and erf ----


def _tail_argument_32(x: Any) -> Any:
    """|x|, cut where the normal distribution's tail has become zero."""
    return minimum(14.5, absolute(x))


def _tail_argument_64(x: Any) -> Any:
    """|x|, cut where the normal distribution's tail has become zero."""
    return minimum(38.7, absolute(x))


def _normal_tail_32(a: Any) -> Any:
    """Φ(-a), Φ the normal distribution function, for an ``a`` from `tail_argument`."""
    # Two to the power of a polynomial, which needs no division.
    power = polynomials.LOG2_TAIL_32(a)
    shifted = power + _LIFTED_32
    return polynomials.EXP2_LOWERED_32(power - (shifted - _LIFTED_32)) * from_bits(bits(shifted) << 23)


def _normal_tail_64(a: Any) -> Any:
    """Φ(-a), Φ the normal distribution function, for an ``a`` from `tail_argument`."""
    high = from_bits(bits(a) & _HIGH_HALF_64)  # a² goes into the exponential in two parts
    power = exp_negative(-0.5 * high * high, -0.5 * (a - high) * (a + high))
    return power * polynomials.TAIL_64((a - 5) / (a + 5))


def _erf_32(x: Any) -> Any:
    """The error function."""
    outer = with_sign(1 - 2 * normal_tail(tail_argument(_ROOT_2 * x)), x)
    return select(absolute(x) < 0.9, x + x * polynomials.ERF_32(x * x), outer)


def _erf_64(x: Any) -> Any:
    """The error function."""
    outer = with_sign(1 - 2 * normal_tail(tail_argument(_ROOT_2 * x)), x)
    return select(absolute(x) < 0.9, x + x * polynomials.ERF_64(x * x), outer)


exp = _by_dtype(_exp_32, _exp_64)
log = _by_dtype(_log_32, _log_64)
exp_negative = _by_dtype(_exp_negative_32, _exp_negative_64)
expm1_negative = _by_dtype(_expm1_negative_32, _expm1_negative_64)
log1p_unit = _by_dtype(_log1p_unit_32, _log1p_unit_64)
tail_argument = _by_dtype(_tail_argument_32, _tail_argument_64)
normal_tail = _by_dtype(_normal_tail_32, _normal_tail_64)
erf = _by_dtype(_erf_32, _erf_64)


@_inlined
def sigmoid(x: Any) -> Any:
    """1/(1 + e^-x)."""
    # Never e^+|x|, which overflows: for x < 0 the result is e^x/(1 + e^x), right down to denormals.
    e = exp_negative(-absolute(x), -0.0)
    return select(x < 0, e, 1.0) / (1 + e)


@_inlined
def tanh(x: Any) -> Any:
    """The hyperbolic tangent: -m/(2 + m) with m = e^(-2|x|) - 1, and the sign of x."""
    m = expm1_negative(-2 * absolute(x))
    return with_sign(m / (2 + m), x)
