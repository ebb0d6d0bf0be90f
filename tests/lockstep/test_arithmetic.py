"""Operators and conversions of scalars against Numba's compiled code and against stated truths.

Signatures are those that the CUDA typing rules infer. Values are compared with the same operator compiled
for the host with the same error model, since the CUDA compiler lowers operators by the same code
(numba/cpython/numbers.py); where LLVM leaves the result to the hardware, the truth is the PTX ISA's.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.np.numpy_support import from_dtype
from proofs.scalars import B1, F4, F8, I4, I8, U4, U8, converted, inferred, same

from gpuplay.lockstep.scalars.operators import binary, cast, unary

INFINITY = math.inf
NASTY = {
    B1: [False, True],
    I4: [0, 1, -1, 2, 7, -7, 33, -(2**31), 2**31 - 1],
    I8: [0, 1, -1, 3, -5, 64, 2**53 + 1, -(2**63), 2**63 - 1],
    U4: [0, 1, 2, 31, 2**31, 2**32 - 1],
    U8: [0, 1, 5, 2**53 + 1, 2**63, 2**64 - 1],
    F4: [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 7.0, 3e38, 1e-40, INFINITY, -INFINITY, math.nan],
    F8: [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 7.0, 1e308, 5e-324, INFINITY, -INFINITY, math.nan],
}
VALUES = {dtype: np.array(values, dtype) for dtype, values in NASTY.items()}
SYMBOLS = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.floordiv: "//",
    operator.mod: "%",
    operator.pow: "**",
    operator.and_: "&",
    operator.or_: "|",
    operator.xor: "^",
    operator.lshift: "<<",
    operator.rshift: ">>",
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
}
INPLACE = {"+": operator.iadd, "-": operator.isub, "*": operator.imul, "//": operator.ifloordiv, "<<": operator.ilshift}


def compiled(symbol: str) -> Any:
    """A host function that applies an operator element by element, its error model that of CUDA."""
    namespace: dict[str, Any] = {}
    body = f"def apply(a, b, out):\n    for i in range(a.size):\n        out[i] = a[i] {symbol} b[i]"
    exec(body, namespace)
    return njit(error_model="numpy")(namespace["apply"])


def defined(symbol: str, a: np.ndarray, b: np.ndarray, result: np.dtype[Any]) -> np.ndarray:
    """Where the host's compiled code is a truth: no shift by the width or more, no power that overflows to LLVM."""
    if symbol in {"<<", ">>"}:
        return (b >= 0) & (b < 8 * result.itemsize)
    if symbol == "**" and b.dtype.kind in "iu":
        tame = (np.abs(a.astype(F8)) >= 0.5) & (np.abs(a.astype(F8)) <= 7) & (np.abs(b.astype(F8)) < 9)
        return tame | ((b >= 0) & ((result.kind == "f") | (np.abs(b.astype(F8)) < 2**16)))
    return np.ones(a.size, np.bool_)


SIGNATURES = sorted(
    {
        (symbol, *found[0], found[1])
        for fn, symbol in SYMBOLS.items()
        for pair in itertools.product(VALUES, VALUES)
        if (found := inferred(fn, *pair)) is not None and set(found[0]) <= set(VALUES)
    },
    key=str,
)


@pytest.mark.parametrize(("symbol", "left", "right", "result"), SIGNATURES, ids=str)
def test_an_operator_gives_what_compiled_code_gives(
    symbol: str, left: np.dtype[Any], right: np.dtype[Any], result: np.dtype[Any]
) -> None:
    fn = next(fn for fn, sign in SYMBOLS.items() if sign == symbol)
    a, b = (grid.ravel() for grid in np.meshgrid(VALUES[left], VALUES[right]))
    keep = defined(symbol, a, b, result)
    a, b = a[keep], b[keep]
    truth = np.zeros(a.size, result)
    compiled(symbol)(a, b, truth)
    with np.errstate(all="ignore"):
        compute = binary(fn, (left, right), result)
        vectors = compute(a, b)
        scalars = [compute(x, y) for x, y in zip(a, b, strict=True)]
    assert vectors.dtype == result
    assert all(isinstance(value, np.generic) and value.dtype == result for value in scalars)
    for got in (vectors, np.array(scalars)):
        equal = same(got, truth)
        if symbol == "**" and right.kind == "f":  # two mathematics libraries may round differently
            equal |= np.isclose(got, truth, rtol=4 * np.finfo(result).eps, atol=0)
        assert equal.all(), (a[~equal], b[~equal], got[~equal], truth[~equal])


def test_the_signatures_tested_are_those_of_all_pairs_of_types() -> None:
    assert inferred(operator.add, I4, I4) == ((I8, I8), I8)
    assert inferred(operator.add, I8, U4) == ((I8, U8), I8)
    assert inferred(operator.mul, F4, I4) == ((F8, F8), F8)
    assert inferred(operator.lt, I8, U8) == ((F8, F8), B1)
    assert inferred(operator.truediv, I4, U4) == ((I8, U8), F8)
    assert inferred(operator.lshift, U4, I8) == ((U4, I8), U8)
    assert len(SIGNATURES) > 90


@pytest.mark.parametrize(("symbol", "fn"), INPLACE.items())
def test_an_in_place_operator_is_the_plain_one(symbol: str, fn: Any) -> None:
    plain = next(plain for plain, sign in SYMBOLS.items() if sign == symbol)
    assert binary(fn, (I8, I8), I8)(np.int64(13), np.int64(3)) == plain(13, 3)


def test_integer_division_has_no_exceptions() -> None:
    least, numbers = np.int64(-(2**63)), np.array([7, -7, 0], I8)
    with np.errstate(all="ignore"):
        for fn in (operator.floordiv, operator.mod):
            compute = binary(fn, (I8, I8), I8)
            assert compute(numbers, np.int64(0)).tolist() == [0, 0, 0]
            assert compute(least, np.int64(-1)) == 0
            assert compute(np.array([least, 6]), np.array([-1, -1])).tolist()[0] == 0
    assert binary(operator.floordiv, (I8, I8), I8)(np.int64(-7), np.int64(2)) == -4
    assert binary(operator.mod, (I8, I8), I8)(np.int64(-7), np.int64(2)) == 1


@pytest.mark.parametrize(("amount", "left", "right"), [(63, -(2**63), -1), (64, 0, -1), (65, 0, -1), (-1, 0, -1)])
def test_a_shift_by_the_width_or_more_leaves_nothing_but_the_sign(amount: int, left: int, right: int) -> None:
    value, by = np.int64(-5), np.int64(amount)
    assert binary(operator.lshift, (I8, I8), I8)(value, by) == left
    assert binary(operator.rshift, (I8, I8), I8)(value, by) == right
    assert binary(operator.rshift, (U8, I8), U8)(np.uint64(2**63), np.int64(64)) == 0


@pytest.mark.parametrize(
    ("base", "exponent", "power"),
    [(0, -1, -(2**63)), (1, -3, 1), (-1, -3, -1), (2, -1, 0), (3, 39, 3**39), (1, 2**40, 1), (2, 2**20, 2**63 - 1)],
)
def test_integers_to_integer_powers_wrap_or_vanish(base: int, exponent: int, power: int) -> None:
    with np.errstate(all="ignore"):
        assert binary(operator.pow, (I8, I8), I8)(np.int64(base), np.int64(exponent)) == power


@pytest.mark.parametrize(("source", "target"), list(itertools.product(VALUES, VALUES)), ids=str)
def test_a_conversion_gives_what_compiled_code_gives(source: np.dtype[Any], target: np.dtype[Any]) -> None:
    values = VALUES[source]
    if source.kind == "f" and target.kind in "iu":
        values = np.array(
            [0.0, -0.0, 0.99, 1.5, 2.5, 1e6, *((-0.99, -1.5, -1e6) if target.kind == "i" else ())], source
        )
    maker = from_dtype(target)
    convert = njit(lambda value: maker(value))  # noqa: PLW0108 - numba compiles no bare type
    truth = np.array([convert(value) for value in values], target)
    with np.errstate(all="ignore"):
        got = converted(values, target)
        scalars = [converted(value, target) for value in values]
    assert got.dtype == target
    assert all(isinstance(value, np.generic) and value.dtype == target for value in scalars)
    assert same(got, truth).all()
    assert same(scalars, truth).all()


@pytest.mark.parametrize(
    ("source", "target", "value", "result"),
    [
        (F4, I4, 3e9, 2**31 - 1),
        (F4, I4, -3e9, -(2**31)),
        (F4, I4, math.nan, 0),
        (F8, I4, math.nan, -(2**31)),
        (F8, I4, -(2.0**31) - 0.5, -(2**31)),
        (F8, I8, INFINITY, 2**63 - 1),
        (F8, I8, math.nan, -(2**63)),
        (F4, I8, -1e30, -(2**63)),
        (F8, U4, -1.5, 0),
        (F8, U4, 2.0**32, 2**32 - 1),
        (F8, U4, 2.0**32 - 0.5, 2**32 - 1),
        (F4, U8, 1e30, 2**64 - 1),
        (F4, np.dtype("i2"), 1e6, 2**15 - 1),
        (F8, np.dtype("i1"), 300.0, 44),
        (F8, np.dtype("u1"), -5.0, 0),
    ],
)
def test_a_float_that_does_not_fit_an_integer_saturates(
    source: np.dtype[Any], target: np.dtype[Any], value: float, result: int
) -> None:
    convert = cast(source, target)
    assert convert is not None
    with np.errstate(all="ignore"):
        assert convert(source.type(value)) == result
        assert convert(np.array([1.0, value], source)).tolist() == [1, result]


def test_a_conversion_to_the_same_type_is_none() -> None:
    assert all(cast(dtype, dtype) is None for dtype in VALUES)


@pytest.mark.parametrize(
    ("fn", "operand", "value", "result"),
    [
        (operator.neg, U4, 1, 2**32 - 1),
        (operator.neg, I4, -(2**31), -(2**31)),
        (operator.neg, B1, True, -1),
        (operator.neg, F4, 0.0, -0.0),
        (operator.pos, U4, 2**32 - 1, 2**32 - 1),
        (operator.invert, U4, 1, 2**32 - 2),
        (operator.invert, I4, 1, -2),
        (operator.invert, B1, True, False),
        (operator.not_, F8, math.nan, False),
        (operator.not_, I4, 0, True),
        (operator.not_, B1, True, False),
    ],
)
def test_signs_and_bits_flip_before_the_result_widens(fn: Any, operand: np.dtype[Any], value: Any, result: Any) -> None:
    found = inferred(fn, operand)
    assert found is not None
    with np.errstate(all="ignore"):
        for given in (operand.type(value), np.array([value], operand)):
            got = unary(fn, found[0][0], found[1])(given)
            assert got.dtype == found[1]
            assert same(got, np.array(result, found[1])).all()


def test_truth_is_being_unequal_to_zero() -> None:
    assert unary(operator.truth, F4, B1)(np.array([0.0, -0.0, 0.1, math.nan], F4)).tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert unary(bool, B1, B1)(np.bool_(1)) == np.bool_(1)
