"""Functions of scalars against Python's own and against stated truths, and what each operation counts as.

Signatures are those that the CUDA typing rules infer.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest
from numba import cuda, njit
from proofs.scalars import B1, F4, F8, I4, I8, U4, converted, inferred, same

from gpuplay.lockstep.scalars.functions import classify, function

INFINITY = math.inf
POWERS = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "erf", "erfc", "gamma", "lgamma"]
ANGLES = ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"]
NAMES = [*POWERS, *ANGLES, "floor", "ceil", "trunc", "fabs", "degrees", "radians"]
SERIES = [name for name in NAMES if inferred(getattr(math, name), F4)]  # older compilers have no exp2
PAIRS = [
    name
    for name in ("pow", "hypot", "fmod", "atan2", "copysign", "remainder", "nextafter")
    if inferred(getattr(math, name), F4, F4)
]
DOMAIN = {"acosh": (1.0, 9.0), "asin": (-1.0, 1.0), "acos": (-1.0, 1.0), "atanh": (-0.99, 0.99)}


def call(fn: Any, *values: Any) -> Any:
    """A function of these values, as a GPU function calls it."""
    found = inferred(fn, *(value.dtype for value in values))
    operation = function(fn)
    assert found is not None
    assert operation is not None
    with np.errstate(all="ignore"):
        operands = [converted(value, dtype) for value, dtype in zip(values, found[0], strict=True)]
        result = operation.call(*found)(*operands)
    parts, wanted = (result, found[1]) if isinstance(result, tuple) else ((result,), (found[1],))
    assert tuple(part.dtype for part in parts) == wanted
    return result


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("name", SERIES)
def test_a_function_of_math_is_right_to_the_last_places(name: str, dtype: np.dtype[Any]) -> None:
    low, high = DOMAIN.get(name, (0.1, 9.0))
    values = np.linspace(low, high, 40).astype(dtype)
    fn = getattr(math, name)
    truth = np.array([fn(float(value)) for value in values])
    got = call(fn, values)
    np.testing.assert_allclose(got.astype(F8), truth, rtol=8 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)
    assert same([call(fn, value) for value in values[:5]], got[:5]).all()


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("name", PAIRS)
def test_a_function_of_two_floats_is_right_to_the_last_places(name: str, dtype: np.dtype[Any]) -> None:
    a, b = (grid.ravel() for grid in np.meshgrid(np.linspace(0.5, 6.5, 13), [-2.5, -1.0, 0.75, 2.0, 3.0]))
    a, b = a.astype(dtype), b.astype(dtype)
    fn = getattr(math, name)
    truth = np.array([fn(float(x), float(y)) for x, y in zip(a, b, strict=True)])
    if name == "nextafter":
        truth = np.nextafter(a, b).astype(F8)
    np.testing.assert_allclose(call(fn, a, b).astype(F8), truth, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


def test_integers_go_through_float64_in_functions_of_math() -> None:
    assert call(math.sqrt, np.int32(2)) == math.sqrt(2)
    assert call(math.floor, np.int64(7)).dtype == F8
    assert call(math.exp, np.uint32(1)).dtype == F8


def test_floats_are_told_apart() -> None:
    values = np.array([1.0, INFINITY, -INFINITY, math.nan], F4)
    assert call(math.isnan, values).tolist() == [False, False, False, True]
    assert call(math.isinf, values).tolist() == [False, True, True, False]
    assert call(math.isfinite, values).tolist() == [True, False, False, False]
    assert not call(math.isnan, np.int32(3))


def test_floats_come_apart_and_together() -> None:
    fraction, whole = call(math.modf, np.float32(-2.75))
    assert (fraction, whole) == (-0.75, -2.0)
    mantissa, exponent = call(math.frexp, np.float32(10.0))
    assert (mantissa, exponent) == (0.625, 4)
    assert call(math.ldexp, mantissa, exponent) == 10.0


def test_two_floats_pass_over_a_nan_in_min_and_max_and_more_compare_in_turn() -> None:
    one, nan, three = np.float32(1), np.float32(math.nan), np.float32(3)
    for first, second in ((one, nan), (nan, one)):
        assert call(min, first, second) == one
        assert call(max, first, second) == one
    assert np.isnan(call(max, nan, one, three))
    assert call(max, one, nan, three) == three
    assert call(min, np.array([4, 5], I4), np.int32(4), np.int32(9)).tolist() == [4, 4]
    assert call(max, np.int32(3), np.float32(2.5)).dtype == F8


def test_rounding_takes_halves_to_even() -> None:
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5], F4)
    assert call(round, halves).tolist() == [0, 2, 2, 0, -2]
    digits = njit(lambda value, places: round(value, places))  # noqa: PLW0108 - numba compiles no builtin
    for value, places in itertools.product((2.675, -1234.5678, 1e-9, 5e8), (-3, 0, 2, 9)):
        assert call(round, np.float64(value), np.int64(places)) == digits(value, places)
    assert call(round, np.float64(2.675), np.int64(25)) == 2.0**63 / 1e22 / 1e3  # by way of int64, which saturates
    assert call(round, np.array([1234.5, -15.0]), np.int64(-1)).tolist() == [1230.0, -20.0]
    assert call(round, np.float32(INFINITY), np.int64(1)) == INFINITY


def test_builtins_keep_numbers_in_their_types() -> None:
    assert call(abs, np.int32(-5)).dtype == I4
    assert same(call(abs, np.array([-0.0, -2.5], F4)), [0.0, 2.5]).all()
    assert call(divmod, np.int32(-7), np.int32(2)) == (-4, 1)
    assert call(pow, np.float32(2), np.int32(-2)) == 0.25
    assert call(int, np.float32(-1.9)) == -1
    assert call(float, np.int32(3)).dtype == F8
    assert bool(call(bool, np.float32(0.5)))
    assert call(np.float32, np.int64(3)).dtype == F4


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
def test_a_fused_multiply_add_rounds_once(dtype: np.dtype[Any]) -> None:
    tiny = np.finfo(dtype).eps
    above, below, minus = dtype.type(1 + tiny), dtype.type(1 - tiny), dtype.type(-1)
    assert call(cuda.fma, above, below, minus) == -(dtype.type(tiny) ** 2)
    assert call(cuda.fma, np.array([above, above]), below, minus).tolist() == [-(float(tiny) ** 2)] * 2


@pytest.mark.parametrize("fn", [math.pow, math.atan2, math.erf, math.gamma, cuda.fma])
def test_a_function_keeps_its_operands_width_in_whatever_order_types_come(fn: Any) -> None:
    many = {math.pow: 2, math.atan2: 2, cuda.fma: 3}.get(fn, 1)
    for dtype in (F8, F4, F8):
        assert call(fn, *[np.ones(3, dtype)] * many).dtype == dtype
        assert call(fn, *[dtype.type(1)] * many).dtype == dtype


BITS = [0, 1, 0b1011000, 2**31, 2**32 - 1]


def test_bits_are_counted_and_turned() -> None:
    values = np.array(BITS, U4)
    words = [f"{value:032b}" for value in BITS]
    assert call(cuda.popc, values).tolist() == [word.count("1") for word in words]
    assert call(cuda.popc, values.view(I4)).tolist() == [word.count("1") for word in words]
    assert call(cuda.clz, values.view(I4)).tolist() == [len(word) - len(word.lstrip("0")) for word in words]
    assert call(cuda.ffs, values.view(I4)).tolist() == [word[::-1].find("1") + 1 for word in words]
    assert call(cuda.brev, values).tolist() == [int(word[::-1], 2) for word in words]
    assert call(cuda.brev, np.uint64(1)) == 2**63
    assert call(cuda.clz, np.int64(1)) == 63
    assert call(cuda.selp, np.array([True, False]), np.float32(1), np.float32(2)).tolist() == [1.0, 2.0]
    assert call(cuda.cbrt, np.float64(27)) == 3.0


def test_names_of_libdevice_are_known() -> None:
    libdevice = pytest.importorskip("numba.cuda.libdevice")
    assert call(libdevice.rsqrt, np.float64(4)) == 0.5
    assert call(libdevice.expf, np.float32(0)) == 1
    assert call(libdevice.fast_fdividef, np.float32(1), np.float32(4)) == 0.25
    assert call(libdevice.float_as_int, np.float32(1)) == 0x3F800000


def test_a_ufunc_is_covered_where_the_compiler_has_code_for_it() -> None:
    assert call(np.sin, np.float32(0.5)).dtype == F4
    assert call(np.maximum, np.int32(3), np.float32(2.5)).dtype == F4
    assert np.isnan(call(np.maximum, np.float32(1), np.float32(math.nan)))
    assert call(np.left_shift, np.int32(1), np.int32(4)).dtype == I4
    assert call(np.greater, np.int64(-1), np.uint64(3)) == np.bool_(0)
    assert same(call(np.radians, np.float32(180)), np.float32(math.pi)).all()
    from numba.cuda.ufuncs import ufunc_db

    assert (function(np.exp) is None) == (np.exp not in ufunc_db())


def test_what_is_no_function_of_scalars_is_none() -> None:
    assert function(cuda.syncthreads) is None
    assert function(print) is None
    assert function([]) is None


@pytest.mark.parametrize(
    ("fn", "operands", "counted"),
    [
        (operator.add, (F4, F4), ("float32", 1)),
        (operator.imul, (F8, F8), ("float64", 1)),
        (operator.neg, (F4,), ("float32", 1)),
        (operator.lt, (F8, F8), ("float64", 1)),
        (operator.truediv, (F4, F4), ("special", 1)),
        (operator.truediv, (I8, I8), ("special", 1)),
        (operator.floordiv, (I8, I8), ("integer", 1)),
        (operator.mod, (F4, F4), ("special", 1)),
        (operator.pow, (I8, I8), ("integer", 1)),
        (operator.pow, (F4, I8), ("special", 1)),
        (operator.and_, (B1, B1), ("integer", 1)),
        (operator.not_, (B1,), ("integer", 1)),
        (math.exp, (F4,), ("special", 1)),
        (math.sqrt, (I8,), ("special", 1)),
        (math.fabs, (F8,), ("float64", 1)),
        (min, (F4, F4), ("float32", 1)),
        (max, (I8, I8, I8), ("integer", 2)),
        (cuda.fma, (F4, F4, F4), ("float32", 2)),
        (cuda.popc, (I4,), ("integer", 1)),
        (np.sin, (F4,), ("special", 1)),
        (np.maximum, (F4, F4), ("float32", 1)),
        (np.float32, (I8,), ("integer", 0)),
        (int, (F4,), ("integer", 0)),
    ],
)
def test_an_operation_counts_as_what_the_hardware_does_with_it(fn: Any, operands: Any, counted: Any) -> None:
    assert classify(fn, operands) == counted
