"""Functions of scalars that NumPy lacks, compiled with Numba on the host; each works on numbers and on arrays.

They are compiled for float32 and float64 when first called, and kept in Numba's cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from llvmlite import ir
from numba import types, vectorize
from numba.extending import intrinsic


@cache
def _ufunc(function: Callable[..., Any]) -> Any:
    """The ufunc, its loop for float32 first: NumPy takes the first loop that the operands fit."""
    arity = function.__code__.co_argcount
    signatures = [f"{kind}({', '.join([kind] * arity)})" for kind in ("float32", "float64")]
    return vectorize(signatures, cache=True)(function)


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of floats, all of one type, to scalars or arrays."""

    @wraps(function)
    def apply(*values: Any) -> Any:
        return _ufunc(function)(*values)

    return apply


@intrinsic
def _fused(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """LLVM's fma: one rounding, also where the host has no such instruction."""
    if not (isinstance(a, types.Float) and a == b == c):
        return None

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> ir.Value:
        return builder.fma(*values)

    return a(a, a, a), generate


@_elementwise
def fma(a: Any, b: Any, c: Any) -> Any:
    """``a·b + c`` rounded once; float32 or float64, all of one type."""
    return _fused(a, b, c)


@_elementwise
def power(base: Any, exponent: Any) -> Any:
    """C's pow, also where NumPy takes a square root: of -0.0 and of minus infinity it differs."""
    return math.pow(base, exponent)


@_elementwise
def erf(x: Any) -> Any:
    """The error function."""
    return math.erf(x)


@_elementwise
def erfc(x: Any) -> Any:
    """The complementary error function."""
    return math.erfc(x)


@_elementwise
def gamma(x: Any) -> Any:
    """The gamma function."""
    return math.gamma(x)


@_elementwise
def lgamma(x: Any) -> Any:
    """The logarithm of the gamma function's absolute value."""
    return math.lgamma(x)
