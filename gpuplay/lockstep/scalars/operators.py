"""What operators and conversions of scalars compute, as Numba's compiled CUDA code does with error_model="numpy".

A *value* is a NumPy scalar, which all lanes share, or a 1-D array over lanes; scalars in give a scalar
out, and every result has exactly the dtype that Numba inferred. Nothing raises: integers wrap, divisions
by zero give 0 (integers), an infinity or a NaN. Callers hold ``np.errstate(all="ignore")``; without it
NumPy warns, and the values are the same.

Sources: numba/cpython/numbers.py (the same text in numba-cuda) for the operators; the PTX ISA ("cvt",
"shl", "shr") for what LLVM leaves open and the hardware decides: conversions out of range saturate, and
shifts by the width or more, a negative amount being a large unsigned one, leave no bit of the value.
The remainder of floats is exact here; a GPU computes ``x - y·trunc(x/y)``, which loses digits of large quotients.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from gpuplay.lockstep.scalars import compiled

Value: TypeAlias = Any
Dtype: TypeAlias = np.dtype[Any]
Unary: TypeAlias = Callable[[Value], Value]
Binary: TypeAlias = Callable[[Value, Value], Value]

COMPARISONS = frozenset({operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge})
LONGEST_CHAIN = 0x10000  # the largest exponent that Numba raises to by multiplying

_INPLACE: dict[Any, Any] = {
    getattr(operator, f"i{name.rstrip('_')}"): getattr(operator, name)
    for name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor"]
}


def plain(fn: Any) -> Any:
    """The operator behind its in-place form: scalars have no place."""
    return _INPLACE.get(fn, fn) if callable(fn) else fn


def cast(source: Dtype, target: Dtype) -> Unary | None:
    """Convert a value: integers wrap, floats truncate toward zero, truth is being unequal to 0.

    A float that the integer type cannot hold saturates. None where there is nothing to do.
    """
    if source == target:
        return None
    if target.kind == "b":
        return truth
    if source.kind == "f" and target.kind in "iu":
        return _truncation(source, target)
    return operator.methodcaller("astype", target)


def truth(value: Value) -> Value:
    """Is it unequal to 0? NaN is."""
    return value != 0


def _truncation(source: Dtype, target: Dtype) -> Unary:
    """Float to integer by PTX's cvt.rzi; a type of 8 bits keeps the low bits of a conversion to 16."""
    if target.itemsize == 1:
        wide = _truncation(source, np.dtype(f"{target.kind}2"))
        return lambda value: wide(value).astype(target)
    limits = np.iinfo(target)
    number = np.dtype(source).type
    lowest = number(limits.min if target.kind == "i" else -1)
    past = number(2.0 ** (limits.bits - (target.kind == "i")))
    not_a_number = 1 << (limits.bits - 1) if source.itemsize == 8 or target.itemsize == 8 else 0
    undefined = target.type(limits.min if not_a_number and target.kind == "i" else not_a_number)

    def truncate(value: Value) -> Value:
        inside = (value > lowest) & (value < past)
        if inside.all():
            return value.astype(target)
        result = np.where(inside, value, number(0)).astype(target)
        result = np.where(value >= past, target.type(limits.max), result)
        result = np.where(value <= lowest, target.type(limits.min), result)
        return np.where(np.isnan(value), undefined, result)[()]

    return truncate


def converted(fn: Callable[..., Value], operands: tuple[Dtype, ...], to: tuple[Dtype, ...]) -> Callable[..., Value]:
    """``fn`` after each operand was converted to its dtype; ``fn`` itself where none needs to be."""
    casts = tuple(cast(source, target) for source, target in zip(operands, to, strict=True))
    if not any(casts):
        return fn
    if len(casts) == 1 and casts[0] is not None:
        only = casts[0]
        return lambda value: fn(only(value))
    return lambda *values: fn(
        *(value if step is None else step(value) for step, value in zip(casts, values, strict=True))
    )


def _then(fn: Unary, source: Dtype, target: Dtype) -> Unary:
    """``fn``, whose result is converted."""
    step = cast(source, target)
    return fn if step is None else lambda value: step(fn(value))


def binary(fn: Any, operands: tuple[Dtype, Dtype], result: Dtype) -> Binary:
    """An operator of two values; ``operands`` are the dtypes of the signature, after Numba's own casts.

    Raises KeyError for what is no operator of scalars.
    """
    fn = plain(fn)
    left, right = operands
    if fn in COMPARISONS:
        return _comparison(fn)
    if fn is operator.is_ or fn is operator.is_not:
        return _identity(fn, left, right)
    if fn is operator.pow and right.kind in "iu":
        return converted(_power_of_integers if result.kind in "iu" else power_by_integer, operands, (result, right))
    if fn is operator.floordiv or fn is operator.mod:
        return converted(_DIVISIONS[fn, result.kind], operands, (result, result))
    return converted(_SAME_TYPE[fn], operands, (result, result))


def unary(fn: Any, operand: Dtype, result: Dtype) -> Unary:
    """An operator of one value. Signs and bits flip at the operand's own width, before the result widens.

    Raises KeyError for what is no operator of scalars.
    """
    if fn is operator.pos:
        return cast(operand, result) or _itself
    if fn is operator.not_:
        return np.logical_not
    if fn is operator.truth or fn is bool:
        return cast(operand, np.dtype(np.bool_)) or _itself
    if fn is operator.neg and operand.kind == "b":
        return converted(operator.neg, (operand,), (result,))
    return _then(_AT_OWN_WIDTH[fn], operand, result)


def _itself(value: Value) -> Value:
    return value


def _comparison(fn: Any) -> Binary:
    """NumPy compares integers of different signedness by their values, as Numba does."""
    return fn  # type: ignore[no-any-return]


def _identity(fn: Any, left: Dtype, right: Dtype) -> Binary:
    """``is`` between numbers: equality within a type, never across types."""
    if left == right:
        return operator.eq if fn is operator.is_ else operator.ne
    answer = np.bool_(fn is operator.is_not)
    return lambda _a, _b: answer


def _floor_divide(a: Value, b: Value) -> Value:
    """The quotient rounded down; by zero 0; of the least integer by -1 it is 0 too, where NumPy wraps."""
    quotient = a // b
    if not np.any(b == -1):
        return quotient
    return np.where((b == -1) & (a == np.iinfo(quotient.dtype).min), quotient.dtype.type(0), quotient)[()]


def power_by_integer(base: Value, exponent: Value) -> Value:
    """A float to an integer power: the chain of multiplications of Numba, then the inverse if negative."""
    product, negative, long = _chain(base, exponent)
    product = np.where(negative, base.dtype.type(1) / product, product)
    if np.any(long):
        general = compiled.power(base.astype(np.float64), np.asarray(exponent).astype(np.float64)).astype(base.dtype)
        product = np.where(long, general, product)
    return product[()]


def _power_of_integers(base: Value, exponent: Value) -> Value:
    """An integer to an integer power: wraps; to a negative power only ±1 is not 0, and 0 gives the least integer."""
    dtype = base.dtype
    product, negative, long = _chain(base, exponent)
    if np.any(negative):
        unit = (base == 1) | (base == -1)
        product = np.where(negative & ~unit, dtype.type(0), product)
        least = np.uint64(1 << (8 * dtype.itemsize - 1)).astype(dtype)
        product = np.where(negative & (base == 0), least, product)
        long = long & (~negative | unit)
    if np.any(long):
        general = compiled.power(np.asarray(base).astype(np.float64), np.asarray(exponent).astype(np.float64))
        to_integer = _truncation(general.dtype, dtype)
        product = np.where(long, to_integer(general), product)
    return product[()]


def _chain(base: Value, exponent: Value) -> tuple[Value, Value, Value]:
    """``base`` to the power |exponent| by squaring; where the exponent is negative; where it is too long for that."""
    negative = exponent < 0
    left = np.where(negative, -exponent, exponent)
    long = (left > LONGEST_CHAIN) | (left < 0)
    left = np.where(long, 0, left)
    product = base.dtype.type(1)
    while left.any():
        product = np.where(left & 1, product * base, product)
        left = left >> 1
        base = base * base
    return product, negative, long


_SAME_TYPE: dict[Any, Binary] = {
    **{fn: fn for fn in (operator.add, operator.sub, operator.mul, operator.truediv)},
    **{fn: fn for fn in (operator.lshift, operator.rshift, operator.and_, operator.or_, operator.xor)},
    operator.pow: compiled.power,
}

_DIVISIONS: dict[tuple[Any, str], Binary] = {
    **{(operator.floordiv, kind): operator.floordiv for kind in "uf"},
    **{(operator.mod, kind): operator.mod for kind in "iuf"},
    (operator.floordiv, "i"): _floor_divide,
}

_AT_OWN_WIDTH: dict[Any, Unary] = {operator.neg: operator.neg, operator.invert: operator.invert}
