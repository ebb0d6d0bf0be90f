"""What functions of scalars compute on the GPU: those of ``math``, Python, NumPy, ``cuda`` and ``libdevice``.

Sources: numba/cuda/mathimpl.py and cudaimpl.py (the same in numba-cuda) for which function of libdevice
each name is, cudamath.py for the signatures: ``math.floor`` gives a float there, and integers go through
float64. Results are those of the host's mathematics library, within the last places of libdevice's.
A ufunc that the installed compiler has no GPU code for (``np.exp``, say, in numba-cuda 0.30) is not
covered here either, although Numba's inference gives it a type.
"""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numba import types

from gpuplay.lockstep.scalars import bits, compiled, dtypes_of_functions
from gpuplay.lockstep.scalars.dtypes_of_functions import FLOAT64, Maker
from gpuplay.lockstep.scalars.operators import Dtype, Value, converted, plain

Weight: TypeAlias = Literal["arithmetic", "special", "fused", "conversion"]
Kind: TypeAlias = Literal["float32", "float64", "integer", "special"]


@dataclass(frozen=True)
class Operation:
    """A function: ``call(operands, result)`` makes it for these dtypes; ``kind`` is what it counts as.

    ``operands`` are the dtypes of the signature's arguments, after Numba's own casts; ``result`` is a
    dtype, or a tuple of them where the function returns several values.
    """

    call: Maker
    kind: Weight = "special"


def function(pyobj: Any) -> Operation | None:
    """The operation that a global of a GPU function is, or None where it is none of ours."""
    if isinstance(pyobj, np.ufunc):
        return _ufunc(pyobj)
    if (isinstance(pyobj, type) and issubclass(pyobj, np.generic)) or isinstance(pyobj, types.Number | types.Boolean):
        return _CONVERSION
    try:
        return _table().get(pyobj)
    except TypeError:  # not hashable
        return None


def classify(fn: Any, operands: tuple[Dtype, ...]) -> tuple[Kind, int]:
    """What one lane's operation counts as, and how many.

    On floats, add, subtract, multiply, negate, compare, the minimum, maximum (one less than there are
    operands), the absolute value and rounding count one of the widest operand's width, fma two. Division
    (of integers with ``/`` too), remainders and powers of floats, roots, and all that ``math`` computes
    by a series count one special each. On integers and booleans everything else counts one integer
    operation; conversions count none.
    """
    operation = function(fn)
    floats = [dtype.itemsize for dtype in operands if dtype.kind == "f"]
    weight = operation.kind if operation else _operator_weight(plain(fn), is_float=bool(floats))
    if weight == "special":
        return "special", 1
    if weight == "conversion":
        return "integer", 0
    many = max(len(operands) - 1, 1) if fn is min or fn is max else 1
    if not floats:
        return "integer", many
    return "float64" if max(floats) == FLOAT64.itemsize else "float32", 2 if weight == "fused" else many


def _operator_weight(fn: Any, *, is_float: bool) -> Weight:
    divides = is_float and fn in {operator.floordiv, operator.mod, operator.pow}
    return "special" if fn is operator.truediv or divides else "arithmetic"


_CONVERSION = Operation(dtypes_of_functions.to_result, "conversion")

_SERIES: dict[str, Callable[..., Value]] = {
    **{name: getattr(np, name) for name in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "fmod")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{name: getattr(compiled, name) for name in ("erf", "erfc", "gamma", "lgamma")},
    "pow": compiled.power,
    "remainder": dtypes_of_functions.ieee_remainder,
}

_CHEAP: dict[str, Callable[..., Value]] = {
    **{name: getattr(np, name) for name in ("floor", "ceil", "trunc", "fabs", "copysign", "nextafter")},
}

# The ufuncs that are divisions, remainders, powers, roots or computed by a series.
_SPECIAL_UFUNCS = frozenset({"divide", "true_divide", "floor_divide", "remainder", "fmod", "power", "sqrt", "cbrt"}) | {
    fn.__name__ for fn in _SERIES.values() if isinstance(fn, np.ufunc)
}
_FACTORS = {"degrees": 180 / math.pi, "rad2deg": 180 / math.pi, "radians": math.pi / 180, "deg2rad": math.pi / 180}


@cache
def _table() -> dict[Any, Operation]:
    """By the Python object that a GPU function names."""
    arithmetic: Weight = "arithmetic"
    table: dict[Any, Operation] = {
        **{getattr(math, name): Operation(dtypes_of_functions.in_floats(fn)) for name, fn in _SERIES.items()},
        **{
            getattr(math, name): Operation(dtypes_of_functions.in_floats(fn), arithmetic) for name, fn in _CHEAP.items()
        },
        **{
            getattr(math, n): Operation(dtypes_of_functions.as_they_are(getattr(np, n)), arithmetic)
            for n in ("isnan", "isinf", "isfinite")
        },
        **{
            getattr(math, name): Operation(dtypes_of_functions.times(_FACTORS[name]), arithmetic)
            for name in ("degrees", "radians")
        },
        math.modf: Operation(dtypes_of_functions.as_they_are(np.modf), arithmetic),
        math.frexp: Operation(dtypes_of_functions.as_they_are(np.frexp), arithmetic),
        math.ldexp: Operation(dtypes_of_functions.ldexp, arithmetic),
        abs: Operation(dtypes_of_functions.then_cast(np.abs), arithmetic),
        min: Operation(dtypes_of_functions.extreme(np.fmin, operator.lt), arithmetic),
        max: Operation(dtypes_of_functions.extreme(np.fmax, operator.gt), arithmetic),
        round: Operation(dtypes_of_functions.rounding, arithmetic),
        pow: Operation(dtypes_of_functions.power),
        divmod: Operation(dtypes_of_functions.quotient_and_remainder),
        **dict.fromkeys((int, float, bool), _CONVERSION),
    }
    table.update(_of_module("numba.cuda", _cuda_functions()))
    table.update(_of_module("numba.cuda.libdevice", _libdevice_functions()))
    return table


def _cuda_functions() -> Iterable[tuple[str, Operation]]:
    yield "fma", Operation(dtypes_of_functions.in_floats(compiled.fma), "fused")
    yield "cbrt", Operation(dtypes_of_functions.in_floats(np.cbrt))
    yield "selp", Operation(dtypes_of_functions.select, "arithmetic")
    of_bits = {"popc": bits.population, "clz": bits.leading_zeros, "ffs": bits.first_set, "brev": bits.reverse}
    for name, fn in of_bits.items():
        yield name, Operation(dtypes_of_functions.of_bits(fn), "arithmetic")


def _libdevice_functions() -> Iterable[tuple[str, Operation]]:
    """The names of libdevice: for float64 bare, for float32 with an f behind it, approximations with fast_ before."""
    named: dict[str, Callable[..., Any]] = {
        **_SERIES,
        **_CHEAP,
        "tgamma": compiled.gamma,
        "cbrt": np.cbrt,
        "rsqrt": dtypes_of_functions.reciprocal_root,
    }
    for name, fn in named.items():
        for full in (name, f"{name}f", f"fast_{name}f"):
            yield full, Operation(dtypes_of_functions.in_floats(fn), "arithmetic" if name in _CHEAP else "special")
    for name in ("fma", "fmaf", "fma_rn", "fmaf_rn"):
        yield name, Operation(dtypes_of_functions.in_floats(compiled.fma), "fused")
    for name, extreme in (("fmin", np.fmin), ("fmax", np.fmax)):
        yield name, Operation(dtypes_of_functions.in_floats(extreme), "arithmetic")
        yield f"{name}f", Operation(dtypes_of_functions.in_floats(extreme), "arithmetic")
    yield "fast_fdividef", Operation(dtypes_of_functions.in_floats(np.divide))
    for name in ("float_as_int", "int_as_float", "double_as_longlong", "longlong_as_double"):
        yield name, Operation(lambda _operands, result: operator.methodcaller("view", result), "conversion")


def _of_module(module: str, functions: Iterable[tuple[str, Operation]]) -> dict[Any, Operation]:
    """By the objects of a module; names that this copy of it does not have are left out."""
    home = importlib.import_module(module)
    return {getattr(home, name): operation for name, operation in functions if hasattr(home, name)}


@cache
def _compiled_ufuncs() -> frozenset[Any]:
    """The ufuncs that the installed compiler has code for on the GPU."""
    from numba.cuda.ufuncs import ufunc_db

    return frozenset(ufunc_db())


def _ufunc(ufunc: np.ufunc) -> Operation | None:
    if ufunc not in _compiled_ufuncs() or ufunc.nout != 1:
        return None
    name = ufunc.__name__
    if name in _FACTORS:
        return Operation(dtypes_of_functions.times(_FACTORS[name]), "arithmetic")

    def make(operands: tuple[Dtype, ...], result: Any) -> Callable[..., Value]:
        return ufunc if result.kind == "b" else converted(ufunc, operands, (result,) * len(operands))

    return Operation(make, "special" if name in _SPECIAL_UFUNCS else "arithmetic")
