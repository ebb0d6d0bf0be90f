"""What ``+``, ``<``, ``-x`` and the other operators do with vectors; importing this module teaches it to Numba.

A multiplication and an addition may be contracted to one fused multiply-add; nothing else is reordered.
A scalar beside a vector is cast to the vector's dtype and spread over its lanes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.core.errors import TypingError
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import Mask, Vector


def as_vectors(context: Any, builder: Any, called: Any, values: Any, vector: Vector, *, first: int = 0) -> list[Any]:
    """The arguments from number ``first`` on as vectors: scalars are cast and spread over the lanes."""

    def spread(kind: Any, value: Any) -> Any:
        return lowering.splat(builder, context.cast(builder, value, kind, vector.dtype), vector.lanes)

    pairs = zip(called.args[first:], values, strict=True)
    return [value if kind == vector else spread(kind, value) for kind, value in pairs]


def _operator(function: Callable[..., Any], real: Any, whole: Any, *, compares: bool = False) -> None:
    """Give vectors a binary operator; ``real`` and ``whole`` emit it for both kinds of lanes, or are None."""

    @infer_global(function)
    class _Typed(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, _kws: Any) -> Any:
            vector = next((a for a in args if isinstance(a, Vector)), None)
            if vector is None or len(args) != 2 or any(a != vector and not isinstance(a, types.Number) for a in args):
                return None
            return signature(Mask(vector.lanes) if compares else vector, *args)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        vector = next(a for a in called.args if isinstance(a, Vector))
        emit = real if isinstance(vector.dtype, types.Float) else whole
        if emit is None:
            raise TypingError(f"{function.__name__}: not for lanes of {vector.dtype}")
        return emit(builder, *as_vectors(context, builder, called, arguments, vector))

    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(function, *kinds)(generate)


def _arithmetic() -> None:
    flags = lowering.CONTRACT
    for plain, in_place, real, whole in (
        (operator.add, operator.iadd, lambda b, x, y: b.fadd(x, y, flags=flags), lambda b, x, y: b.add(x, y)),
        (operator.sub, operator.isub, lambda b, x, y: b.fsub(x, y, flags=flags), lambda b, x, y: b.sub(x, y)),
        (operator.mul, operator.imul, lambda b, x, y: b.fmul(x, y, flags=flags), lambda b, x, y: b.mul(x, y)),
        (operator.truediv, operator.itruediv, lambda b, x, y: b.fdiv(x, y), None),
        (operator.and_, operator.iand, None, lambda b, x, y: b.and_(x, y)),
        (operator.or_, operator.ior, None, lambda b, x, y: b.or_(x, y)),
        (operator.xor, operator.ixor, None, lambda b, x, y: b.xor(x, y)),
        (operator.lshift, operator.ilshift, None, lambda b, x, y: b.shl(x, y)),
        (operator.rshift, operator.irshift, None, lambda b, x, y: b.ashr(x, y)),
    ):
        _operator(plain, real, whole)
        _operator(in_place, real, whole)
    for compare, sign in (
        *((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">")),
        *((operator.ge, ">="), (operator.eq, "=="), (operator.ne, "!=")),
    ):
        _operator(
            compare,
            # Every comparison with NaN is false, but != is true.
            lambda b, x, y, s=sign: (b.fcmp_unordered if s == "!=" else b.fcmp_ordered)(s, x, y),
            lambda b, x, y, s=sign: b.icmp_signed(s, x, y),
            compares=True,
        )


_arithmetic()


@infer_global(operator.neg)
class _Negated(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, _kws: Any) -> Any:
        return signature(args[0], args[0]) if isinstance(args[0], Vector) else None


@lower_builtin(operator.neg, Vector)
def _negate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
    real = isinstance(called.args[0].dtype, types.Float)
    return builder.fneg(arguments[0]) if real else builder.neg(arguments[0])
