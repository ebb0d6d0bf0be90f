"""Functions of scalars that NumPy lacks, compiled with Numba on the host; each works on numbers and on arrays.

They are compiled for a type when first called with it, and kept in Numba's cache.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types, vectorize
from numba.extending import intrinsic


@intrinsic
def _fused(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """LLVM's fma: one rounding, also where the host has no such instruction."""
    if not (isinstance(a, types.Float) and a == b == c):
        return None

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> ir.Value:
        return builder.fma(*values)

    return a(a, a, a), generate


@vectorize(cache=True)
def fma(a: Any, b: Any, c: Any) -> Any:
    """``a·b + c`` rounded once; float32 or float64, all of one type."""
    return _fused(a, b, c)


@vectorize(cache=True)
def power(base: Any, exponent: Any) -> Any:
    """C's pow, also where NumPy takes a square root: of -0.0 and of minus infinity it differs."""
    return math.pow(base, exponent)


@vectorize(cache=True)
def erf(x: Any) -> Any:
    """The error function."""
    return math.erf(x)


@vectorize(cache=True)
def erfc(x: Any) -> Any:
    """The complementary error function."""
    return math.erfc(x)


@vectorize(cache=True)
def gamma(x: Any) -> Any:
    """The gamma function."""
    return math.gamma(x)


@vectorize(cache=True)
def lgamma(x: Any) -> Any:
    """The logarithm of the gamma function's absolute value."""
    return math.lgamma(x)
