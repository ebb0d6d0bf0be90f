"""How a function of scalars is made for given dtypes: which type it computes in, what its result becomes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from gpuplay.lockstep.scalars.operators import Dtype, Value, binary, cast, converted, power_by_integer

Maker: TypeAlias = Callable[[tuple[Dtype, ...], Any], Callable[..., Any]]

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)


def _working(operand: Dtype, result: Any) -> Dtype:
    """The type in which a function of floats computes."""
    if isinstance(result, np.dtype) and result.kind == "f":
        return result
    return operand if operand.kind == "f" else FLOAT64


def in_floats(fn: Callable[..., Value]) -> Maker:
    """Operands become the result's type, or keep theirs where the result is no float."""

    def make(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
        working = _working(operands[0], result)
        inner = converted(fn, operands, (working,) * len(operands))
        last = cast(working, result) if isinstance(result, np.dtype) else None
        return inner if last is None else lambda *values: last(inner(*values))

    return make


def as_they_are(fn: Callable[..., Value]) -> Maker:
    """Operands keep their types and NumPy gives the result its own."""
    return lambda _operands, _result: fn


def then_cast(fn: Callable[..., Value]) -> Maker:
    """The function keeps its operand's type, its result is converted."""

    def make(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
        last = cast(operands[0], result)
        return fn if last is None else lambda value: last(fn(value))

    return make


def to_result(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
    """A conversion."""
    return cast(operands[0], result) or (lambda value: value)


def of_bits(fn: Callable[[Value], Value]) -> Maker:
    """A function of an integer's bits, whose count is widened to the result."""
    return lambda _operands, result: lambda value: fn(value).astype(result)


def times(constant: float) -> Maker:
    """Multiplication by a constant of the operand's own type."""

    def make(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
        factor = result.type(constant)
        return converted(lambda value: value * factor, operands, (result,))

    return make


def extreme(fused: Callable[..., Value], better: Callable[[Value, Value], Value]) -> Maker:
    """``min`` and ``max``: two floats by the instruction, which passes over a NaN; else Python's comparisons."""

    def pick(held: Value, value: Value) -> Value:
        return _choose(better(value, held), value, held)

    def make(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
        by_instruction = len(operands) == 2 and all(dtype.kind == "f" for dtype in operands)
        fn = fused if by_instruction else lambda *values: reduce(pick, values)
        return converted(fn, operands, (result,) * len(operands))

    return make


def rounding(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
    """``round``: to an integer, halves to even; with digits after CPython's float algorithm, as Numba compiles it."""
    to_integer = cast(FLOAT64, INT64)
    if operands[0].kind != "f" or to_integer is None:
        return to_result(operands, result)
    if len(operands) == 1:
        return converted(lambda value: to_integer(np.rint(value)), operands, (FLOAT64,))

    def digits(value: Value, places: Value) -> Value:
        ten, up = np.float64(10), places >= 0
        beyond = np.where(places > 22, places - 22, 0)
        scale = power_by_integer(ten, np.where(beyond > 0, beyond, np.abs(places)))
        more = np.where(beyond > 0, np.float64(1e22), np.float64(1))
        scaled = np.where(up, value * scale * more, value / scale)
        whole = to_integer(np.rint(scaled)).astype(np.float64)
        rounded = np.where(up, whole / more / scale, whole * scale)
        return np.where(np.isfinite(value) & (np.isfinite(scaled) | ~up), rounded, value).astype(result)[()]

    return converted(digits, operands, (FLOAT64, operands[1]))


def quotient_and_remainder(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Any]:
    """``divmod``: both by their operators."""
    pair = operands[0], operands[1]
    quotient = binary(operator.floordiv, pair, result[0])
    remainder = binary(operator.mod, pair, result[1])
    return lambda a, b: (quotient(a, b), remainder(a, b))


def power(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
    """The operator, called by its name."""
    return binary(operator.pow, (operands[0], operands[1]), result)


def ldexp(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
    """A float times a power of two."""
    return converted(np.ldexp, operands, (result, np.dtype(np.int32)))


def select(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
    """The second operand where the first is true, else the third."""
    return converted(_choose, operands, (np.dtype(np.bool_), result, result))


def ieee_remainder(x: Value, y: Value) -> Value:
    """The IEEE 754 remainder, exact: CPython's algorithm (Modules/mathmodule.c, m_remainder)."""
    wide, divisor = np.abs(x), np.abs(y)
    rest = np.fmod(wide, divisor)
    complement = divisor - rest
    half = x.dtype.type(0.5) * (wide - rest)
    tie = rest - 2 * np.fmod(half, divisor)
    found = np.where(rest < complement, rest, np.where(rest > complement, -complement, tie))
    found = np.where(np.isinf(y) & np.isfinite(x), wide, found)
    return (np.copysign(x.dtype.type(1), x) * found)[()]


def reciprocal_root(x: Value) -> Value:
    """One over the square root."""
    return (1 / np.sqrt(x.astype(np.float64))).astype(x.dtype)


def _choose(test: Value, a: Value, b: Value) -> Value:
    chosen: Value = np.where(test, a, b)
    return chosen[()]
