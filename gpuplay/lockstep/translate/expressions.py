"""Expressions of Numba's representation: operators, attributes, items, iteration."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.emit import windows
from gpuplay.lockstep.execution.faults.accesses import division
from gpuplay.lockstep.front.dtypes import class_name, dtype_of, element_of, is_array, is_tuple, plain
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.values import View
from gpuplay.lockstep.scalars import functions, operators
from gpuplay.lockstep.translate import calls, items, iteration
from gpuplay.lockstep.words.numba.threads import thread_attribute

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot

INT64 = np.dtype(np.int64)


def translate(emit: Emitter, target: str, expression: Any) -> None:
    """Emit what sets ``target`` to an expression."""
    handler = _HANDLERS.get(expression.op)
    if handler is None:
        raise emit.unsupported(f"the expression {expression.op}")
    handler(emit, target, expression)


def constant(emit: Emitter, target: str, value: Any) -> None:
    """A literal, a global or a captured variable."""
    kind = emit.kind(target)
    slot = emit.slot(target)
    dtype = dtype_of(kind)
    if dtype is not None:
        emit.build.initial[slot] = _scalar(value, dtype)
    elif is_tuple(kind):
        emit.build.initial[slot] = _constant_tuple(value, kind)
    elif isinstance(value, np.ndarray):
        emit.build.initial[slot] = constant_array(value, target)


def constant_array(array: Any, name: str) -> View:
    """A global array, frozen when the function is compiled, as constant memory."""
    frozen = np.ascontiguousarray(array)
    memory = Allocation(name.partition(".")[0], "constant", frozen.reshape(-1).view(np.uint8).copy(), frozen.itemsize)
    return View(memory, frozen.dtype, np.int64(0), tuple(map(np.int64, frozen.shape)), frozen.strides)


def _scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(value, int) and dtype.kind in "iu":
        return np.array(value & (1 << 8 * dtype.itemsize) - 1, f"u{dtype.itemsize}").view(dtype)[()]
    return dtype.type(value)


def _constant_tuple(value: Any, kind: Any) -> Any:
    parts = []
    for item, item_kind in zip(value, kind, strict=True):
        dtype = dtype_of(item_kind)
        if dtype is not None:
            parts.append(_scalar(item, dtype))
        else:
            parts.append(_constant_tuple(item, item_kind) if isinstance(item, tuple) else item)
    return tuple(parts)


def _binop(emit: Emitter, target: str, expression: Any) -> None:
    function = expression.immutable_fn if expression.op == "inplace_binop" else expression.fn
    signature = emit.typed.signatures[expression]
    if function is operator.contains:
        _contains(emit, target, expression)
        return
    if function is operator.add and all(map(is_tuple, signature.args)):
        _joined(emit, target, expression)
        return
    left, right = (dtype_of(kind) for kind in signature.args[:2])
    result = dtype_of(signature.return_type)
    if left is None or right is None or result is None:
        raise emit.unsupported(f"{function.__name__} of {signature.args[0]} and {signature.args[1]}")
    a, b = emit.number(expression.lhs.name, left), emit.number(expression.rhs.name, right)
    compute = operators.binary(function, (left, right), result)
    kind, many = functions.classify(function, (left, right))
    emit.count(**{kind: many})
    _note_promotion(emit, (expression.lhs.name, expression.rhs.name), left, result)
    if result.kind in "iu" and function in (operator.floordiv, operator.mod):
        place = emit.place
        emit.operation(lambda batch: division(batch, place, batch.v[a], batch.v[b]), uses=(a, b))
    emit.define(target, result, lambda batch: compute(batch.v[a], batch.v[b]), (a, b))


def _joined(emit: Emitter, target: str, expression: Any) -> None:
    """The items of one tuple, then those of another."""
    a, b = emit.slot(expression.lhs.name), emit.slot(expression.rhs.name)
    emit.define(target, None, lambda batch: batch.v[a] + batch.v[b], (a, b))


def _contains(emit: Emitter, target: str, expression: Any) -> None:
    """``value in (a, b, c)``."""
    items, value = emit.slot(expression.lhs.name), emit.slot(expression.rhs.name)
    if not is_tuple(emit.kind(expression.lhs.name)):
        raise emit.unsupported(f"`in` of {emit.kind(expression.lhs.name)}")
    emit.count(integer=len(emit.kind(expression.lhs.name)))

    def contains(batch: Batch) -> Any:
        return functools.reduce(operator.or_, (batch.v[value] == item for item in batch.v[items]), np.bool_(0))

    emit.define(target, np.dtype(np.bool_), contains, (items, value))


def _note_promotion(emit: Emitter, operands: tuple[str, str], computed: np.dtype[Any], result: np.dtype[Any]) -> None:
    """Remember a line where float32 or integers become float64 because of how the expression is written."""
    if np.float64 not in (computed, result):
        return
    have = [emit.dtype(name) for name in operands]
    if any(dtype == np.float32 for dtype in have) and any(dtype == np.float64 for dtype in have):
        wide = next(name for name, dtype in zip(operands, have, strict=True) if dtype == np.float64)
        value = emit.constant(wide)
        what = f"the constant {value!r} is float64" if isinstance(value, float) else "one operand is float64"
    elif all(dtype is not None and dtype.kind in "iub" for dtype in have):
        what = "dividing integers gives float64"
    else:
        what = " with ".join(map(str, have)) + " gives float64" if any(d == np.float32 for d in have) else ""
    if what:
        emit.build.promotions.setdefault(emit.place, f"line {emit.place.line} computes in float64: {what}")


def _unary(emit: Emitter, target: str, expression: Any) -> None:
    signature = emit.typed.signatures[expression]
    operand, result = dtype_of(signature.args[0]), dtype_of(signature.return_type)
    if operand is None or result is None:
        raise emit.unsupported(f"{expression.fn.__name__} of {signature.args[0]}")
    a = emit.number(expression.value.name, operand)
    compute = operators.unary(expression.fn, operand, result)
    kind, many = functions.classify(expression.fn, (operand,))
    emit.count(**{kind: many})
    emit.define(target, result, lambda batch: compute(batch.v[a]), (a,))


def _cast(emit: Emitter, target: str, expression: Any) -> None:
    emit.convert(target, expression.value.name)


def _getattr(emit: Emitter, target: str, expression: Any) -> None:
    base, attribute = expression.value.name, expression.attr
    if target in emit.constants:
        return
    index = thread_attribute(emit, base, attribute)
    if index is not None:
        emit.define(target, np.dtype(np.int32), index, ())
        return
    if emit.static(target) is not None or class_name(emit.kind(target)) in (
        "BoundFunction",
        "Module",
        "Function",
        "DType",
    ):
        return
    kind = emit.kind(base)
    source = emit.slot(base)
    if is_array(kind):
        _array_attribute(emit, target, source, attribute, kind)
    elif class_name(kind) == "Record":
        items.load_field(emit, target, base, attribute)
    elif dtype_of(kind) is not None and attribute in ("real", "imag"):
        dtype = dtype_of(kind)
        assert dtype is not None
        if dtype.kind == "c":
            emit.define(target, None, lambda batch: getattr(batch.v[source], attribute), (source,))
        elif attribute == "real":
            emit.copy(emit.slot(target), source)
        else:
            emit.build.initial[emit.slot(target)] = dtype.type(0)
    else:
        raise emit.unsupported(f"the attribute .{attribute} of {kind}")


def _array_attribute(emit: Emitter, target: str, source: Slot, attribute: str, kind: Any) -> None:
    if attribute == "shape":
        emit.define(target, None, lambda batch: batch.v[source].shape, (source,))
    elif attribute == "size":
        emit.define(target, INT64, lambda batch: batch.v[source].size, (source,))
    elif attribute == "ndim":
        emit.build.initial[emit.slot(target)] = np.int64(kind.ndim)
    elif attribute == "itemsize":
        emit.build.initial[emit.slot(target)] = np.int64(element_of(kind).itemsize)
    elif attribute == "T":
        emit.define(target, None, lambda batch: windows.transposed(batch.v[source]), (source,))
    elif attribute == "strides":
        emit.define(target, None, lambda batch: tuple(map(np.int64, batch.v[source].strides)), (source,))
    else:
        raise emit.unsupported(f"the attribute .{attribute} of an array")


def _undefined(emit: Emitter, target: str, _expression: Any) -> None:
    dtype = dtype_of(plain(emit.kind(target)))
    if dtype is not None:
        out, zero = emit.slot(target), dtype.type(0)
        emit.operation(lambda batch: batch.set(out, zero), defs=(out,))


_HANDLERS = {
    "binop": _binop,
    "inplace_binop": _binop,
    "unary": _unary,
    "cast": _cast,
    "getattr": _getattr,
    "getitem": items.get_item,
    "static_getitem": items.get_static_item,
    "typed_getitem": items.get_item,
    "build_tuple": iteration.build_tuple,
    "exhaust_iter": iteration.exhaust,
    "getiter": iteration.get_iterator,
    "iternext": iteration.get_next,
    "pair_first": iteration.pair_item(0),
    "pair_second": iteration.pair_item(1),
    "undef": _undefined,
    "null": _undefined,
    "call": calls.call,
}
