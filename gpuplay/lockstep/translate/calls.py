"""Calls: what a GPU function may call, and what each call becomes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep import words
from gpuplay.lockstep.emit.call import Call, Handler
from gpuplay.lockstep.front.dtypes import class_name, dtype_of, is_tuple
from gpuplay.lockstep.front.inference import dispatcher_of, infer
from gpuplay.lockstep.scalars import functions
from gpuplay.lockstep.words.numba.barriers import GRID_SYNC

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter


def note_static(emit: Emitter, target: str, value: Any) -> None:
    """Remember what a variable is known to hold before anything runs: a module, a function, a type, a constant."""
    kind = type(value).__name__
    if kind in ("Const", "Global", "FreeVar"):
        held = emit.kind(target)
        if dtype_of(held) is not None or is_tuple(held) or isinstance(value.value, np.ndarray):
            emit.constants[target] = value.value
        elif value.value is not None:
            emit.statics[target] = value.value
    elif kind == "Var" and value.name in emit.statics:
        emit.statics[target] = emit.statics[value.name]
    elif kind == "Expr" and value.op == "getattr":
        _note_attribute(emit, target, value)


def _note_attribute(emit: Emitter, target: str, expression: Any) -> None:
    base = expression.value.name
    if class_name(emit.kind(base)) == "GridGroup" and expression.attr == "sync":
        emit.statics[target] = GRID_SYNC
        return
    owner = emit.statics.get(base)
    if owner is None or not hasattr(owner, expression.attr):
        return
    found, dtype = getattr(owner, expression.attr), dtype_of(emit.kind(target))
    if dtype is None:
        emit.statics[target] = found
    elif isinstance(found, bool | int | float | complex):
        emit.constants[target] = found
        emit.build.initial[emit.slot(target)] = dtype.type(found)


def call(emit: Emitter, target: str, expression: Any) -> None:
    """Emit a call."""
    if getattr(expression, "vararg", None) is not None:
        raise emit.unsupported("a call with *arguments")
    arguments = tuple(argument.name for argument in expression.args)
    keywords = {name: value.name for name, value in expression.kws}
    made = Call(target, arguments, keywords, emit.typed.signatures.get(expression))
    function = emit.static(expression.func.name)
    handler = _handler(function)
    if isinstance(function, type) and issubclass(function, BaseException):
        return  # what a raise statement raises: on the GPU the thread just ends
    if handler is not None:
        handler(emit, made)
    elif dispatcher_of(function) is not None:
        _device_function(emit, made, dispatcher_of(function))
    elif class_name(emit.kind(expression.func.name)) in ("NumberClass", "DType") or function in _CONVERSIONS:
        emit.convert(target, expression.args[0].name)
    else:
        _scalar_function(emit, made, function, expression)


_CONVERSIONS = (int, float, bool)


def _handler(function: Any) -> Handler | None:
    try:
        return words.VOCABULARY.get(function)
    except TypeError:  # not hashable
        return None


def _device_function(emit: Emitter, made: Call, dispatcher: Any) -> None:
    """Inline a function compiled for the device, for the types that inference chose."""
    typed = infer(dispatcher.py_func, made.signature.args, device=True)
    parameters = inspect.signature(dispatcher.py_func)
    bound = parameters.bind(*made.arguments, **made.keywords)
    slots = []
    for name, kind in zip(parameters.parameters, made.signature.args, strict=True):
        dtype = dtype_of(kind)
        if name in bound.arguments:
            slots.append(emit.number(bound.arguments[name], dtype))
        else:
            slots.append(emit.build.slot(dtype=dtype, value=np.asarray(getattr(kind, "value", None))[()]))
    emit.inline(emit, typed, tuple(slots), made.target)


def _scalar_function(emit: Emitter, made: Call, function: Any, expression: Any) -> None:
    operation = functions.function(function) if function is not None else None
    if operation is None or made.signature is None:
        shown = getattr(function, "__name__", None) or str(emit.kind(expression.func.name))
        raise emit.unsupported(f"the call of {shown}")
    dtypes = []
    for kind in _unstarred(made.signature.args):
        dtype = dtype_of(kind)
        if dtype is None:
            raise emit.unsupported(f"{function.__name__} of {', '.join(map(str, made.signature.args))}")
        dtypes.append(dtype)
    slots = tuple(emit.number(name, dtype) for name, dtype in zip(made.arguments, dtypes, strict=True))
    returned = made.signature.return_type
    result = tuple(map(dtype_of, returned)) if is_tuple(returned) else dtype_of(returned)
    compute = operation.call(tuple(dtypes), result)
    kind, many = functions.classify(function, tuple(dtypes))
    emit.count(**{kind: many})
    single = None if isinstance(result, tuple) else result
    emit.define(made.target, single, lambda batch: compute(*(batch.v[s] for s in slots)), slots)


def _unstarred(kinds: Sequence[Any]) -> Iterator[Any]:
    """The types of all arguments: of ``min(*values)`` one version of the CUDA target makes a single tuple."""
    for kind in kinds:
        if class_name(kind).startswith("StarArg"):
            yield from kind
        else:
            yield kind
