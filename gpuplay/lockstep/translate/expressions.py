"""Expressions of Numba's representation: operators, attributes, items, iteration."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.emit import windows
from gpuplay.lockstep.execution import faults
from gpuplay.lockstep.front.dtypes import class_name, dtype_of, element_of, is_array, is_tuple, plain
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.values import Items, Range, View, uniform
from gpuplay.lockstep.scalars import functions, operators
from gpuplay.lockstep.translate import calls, items

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64 = np.dtype(np.int64)


def translate(t: Emitter, target: str, expression: Any) -> None:
    """Emit what sets ``target`` to an expression."""
    handler = _HANDLERS.get(expression.op)
    if handler is None:
        raise t.unsupported(f"the expression {expression.op}")
    handler(t, target, expression)


def constant(t: Emitter, target: str, value: Any) -> None:
    """A literal, a global or a captured variable."""
    kind = t.kind(target)
    slot = t.slot(target)
    dtype = dtype_of(kind)
    if dtype is not None:
        t.build.initial[slot] = _scalar(value, dtype)
    elif is_tuple(kind):
        t.build.initial[slot] = _constant_tuple(value, kind)
    elif isinstance(value, np.ndarray):
        t.build.initial[slot] = constant_array(value, target)


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


# --- operators ---


def _binop(t: Emitter, target: str, expression: Any) -> None:
    function = expression.immutable_fn if expression.op == "inplace_binop" else expression.fn
    signature = t.typed.signatures[expression]
    if function is operator.contains:
        _contains(t, target, expression)
        return
    if function is operator.add and all(map(is_tuple, signature.args)):
        _joined(t, target, expression)
        return
    left, right = (dtype_of(kind) for kind in signature.args[:2])
    result = dtype_of(signature.return_type)
    if left is None or right is None or result is None:
        raise t.unsupported(f"{function.__name__} of {signature.args[0]} and {signature.args[1]}")
    a, b = t.number(expression.lhs.name, left), t.number(expression.rhs.name, right)
    compute = operators.binary(function, (left, right), result)
    kind, many = functions.classify(function, (left, right))
    t.count(**{kind: many})
    _note_promotion(t, (expression.lhs.name, expression.rhs.name), left, result)
    if result.kind in "iu" and function in (operator.floordiv, operator.mod):
        place = t.place
        t.emit(lambda e: faults.division(e, place, e.v[a], e.v[b]), uses=(a, b))
    t.define(target, result, lambda e: compute(e.v[a], e.v[b]), (a, b))


def _joined(t: Emitter, target: str, expression: Any) -> None:
    """The items of one tuple, then those of another."""
    a, b = t.slot(expression.lhs.name), t.slot(expression.rhs.name)
    t.define(target, None, lambda e: e.v[a] + e.v[b], (a, b))


def _contains(t: Emitter, target: str, expression: Any) -> None:
    """``value in (a, b, c)``."""
    items, value = t.slot(expression.lhs.name), t.slot(expression.rhs.name)
    if not is_tuple(t.kind(expression.lhs.name)):
        raise t.unsupported(f"`in` of {t.kind(expression.lhs.name)}")
    t.count(integer=len(t.kind(expression.lhs.name)))

    def contains(e: Batch) -> Any:
        return functools.reduce(operator.or_, (e.v[value] == item for item in e.v[items]), np.bool_(0))

    t.define(target, np.dtype(np.bool_), contains, (items, value))


def _note_promotion(t: Emitter, operands: tuple[str, str], computed: np.dtype[Any], result: np.dtype[Any]) -> None:
    """Remember a line where float32 or integers become float64 because of how the expression is written."""
    if np.float64 not in (computed, result):
        return
    have = [t.dtype(name) for name in operands]
    if any(dtype == np.float32 for dtype in have) and any(dtype == np.float64 for dtype in have):
        wide = next(name for name, dtype in zip(operands, have, strict=True) if dtype == np.float64)
        value = t.constant(wide)
        what = f"the constant {value!r} is float64" if isinstance(value, float) else "one operand is float64"
    elif all(dtype is not None and dtype.kind in "iub" for dtype in have):
        what = "dividing integers gives float64"
    else:
        what = " with ".join(map(str, have)) + " gives float64" if any(d == np.float32 for d in have) else ""
    if what:
        t.build.promotions.setdefault(t.place, f"line {t.place.line} computes in float64: {what}")


def _unary(t: Emitter, target: str, expression: Any) -> None:
    signature = t.typed.signatures[expression]
    operand, result = dtype_of(signature.args[0]), dtype_of(signature.return_type)
    if operand is None or result is None:
        raise t.unsupported(f"{expression.fn.__name__} of {signature.args[0]}")
    a = t.number(expression.value.name, operand)
    compute = operators.unary(expression.fn, operand, result)
    kind, many = functions.classify(expression.fn, (operand,))
    t.count(**{kind: many})
    t.define(target, result, lambda e: compute(e.v[a]), (a,))


def _cast(t: Emitter, target: str, expression: Any) -> None:
    t.convert(target, expression.value.name)


# --- attributes ---


def _getattr(t: Emitter, target: str, expression: Any) -> None:
    base, attribute = expression.value.name, expression.attr
    if target in t.constants:
        return
    index = calls.thread_attribute(t, base, attribute)
    if index is not None:
        t.define(target, np.dtype(np.int32), index, ())
        return
    if t.static(target) is not None or class_name(t.kind(target)) in ("BoundFunction", "Module", "Function", "DType"):
        return
    kind = t.kind(base)
    source = t.slot(base)
    if is_array(kind):
        _array_attribute(t, target, source, attribute, kind)
    elif class_name(kind) == "Record":
        items.load_field(t, target, base, attribute)
    elif dtype_of(kind) is not None and attribute in ("real", "imag"):
        dtype = dtype_of(kind)
        assert dtype is not None
        if dtype.kind == "c":
            t.define(target, None, lambda e: getattr(e.v[source], attribute), (source,))
        elif attribute == "real":
            t.copy(t.slot(target), source)
        else:
            t.build.initial[t.slot(target)] = dtype.type(0)
    else:
        raise t.unsupported(f"the attribute .{attribute} of {kind}")


def _array_attribute(t: Emitter, target: str, source: int, attribute: str, kind: Any) -> None:
    if attribute == "shape":
        t.define(target, None, lambda e: e.v[source].shape, (source,))
    elif attribute == "size":
        t.define(target, INT64, lambda e: e.v[source].size, (source,))
    elif attribute == "ndim":
        t.build.initial[t.slot(target)] = np.int64(kind.ndim)
    elif attribute == "itemsize":
        t.build.initial[t.slot(target)] = np.int64(element_of(kind).itemsize)
    elif attribute == "T":
        t.define(target, None, lambda e: windows.transposed(e.v[source]), (source,))
    elif attribute == "strides":
        t.define(target, None, lambda e: tuple(map(np.int64, e.v[source].strides)), (source,))
    else:
        raise t.unsupported(f"the attribute .{attribute} of an array")


# --- tuples and iteration ---


def _build_tuple(t: Emitter, target: str, expression: Any) -> None:
    kinds = list(t.kind(target))
    t.tuples[target] = tuple(item.name for item in expression.items)
    slots = tuple(t.number(item.name, dtype_of(kind)) for item, kind in zip(expression.items, kinds, strict=True))
    if all(t.build.initial[slot] is not None for slot in slots):
        t.build.initial[t.slot(target)] = tuple(t.build.initial[slot] for slot in slots)
        return
    t.define(target, None, lambda e: tuple(e.v[slot] for slot in slots), slots)


def _exhaust_iter(t: Emitter, target: str, expression: Any) -> None:
    t.copy(t.slot(target), t.slot(expression.value.name))


def _getiter(t: Emitter, target: str, expression: Any) -> None:
    kind, source = t.kind(expression.value.name), t.slot(expression.value.name)
    if is_tuple(kind):
        t.define(target, None, lambda e: Items(e.v[source], 0), (source,))
    elif str(kind).startswith("range"):
        t.copy(t.slot(target), source)
    else:
        raise t.unsupported(f"iterating over {kind}")


def _iternext(t: Emitter, target: str, expression: Any) -> None:
    iterator, out = t.slot(expression.value.name), t.slot(target)
    t.count(integer=1)

    def op(e: Batch) -> None:
        value = e.v[iterator]
        if isinstance(value, Items):
            more = value.position < len(value.items)
            item = value.items[value.position] if more else value.items[-1]
            e.set(out, (item, np.bool_(more)))
            e.set(iterator, Items(value.items, value.position + 1))
            return
        if uniform(value.step):
            more = value.current < value.stop if value.step > 0 else value.current > value.stop
        else:
            more = np.where(value.step > 0, value.current < value.stop, value.current > value.stop)
        e.set(out, (value.current, more))
        following = value.current + value.step
        wrapped = (following < value.current) != (value.step < 0)
        if wrapped.any():  # beyond the integer's range, where Numba, which counts the turns first, has ended
            following = np.where(wrapped, value.stop, following)[()]
        e.set(iterator, Range(following, value.stop, value.step))

    t.emit(op, defs=(out, iterator), uses=(iterator,))


def _pair(position: int) -> Any:
    def handler(t: Emitter, target: str, expression: Any) -> None:
        pair = t.slot(expression.value.name)
        t.define(target, None, lambda e: e.v[pair][position], (pair,))

    return handler


def _undefined(t: Emitter, target: str, _expression: Any) -> None:
    dtype = dtype_of(plain(t.kind(target)))
    if dtype is not None:
        out, zero = t.slot(target), dtype.type(0)
        t.emit(lambda e: e.set(out, zero), defs=(out,))


_HANDLERS = {
    "binop": _binop,
    "inplace_binop": _binop,
    "unary": _unary,
    "cast": _cast,
    "getattr": _getattr,
    "getitem": items.get_item,
    "static_getitem": items.get_static_item,
    "typed_getitem": items.get_item,
    "build_tuple": _build_tuple,
    "exhaust_iter": _exhaust_iter,
    "getiter": _getiter,
    "iternext": _iternext,
    "pair_first": _pair(0),
    "pair_second": _pair(1),
    "undef": _undefined,
    "null": _undefined,
    "call": calls.call,
}
