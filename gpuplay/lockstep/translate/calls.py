"""Calls: what a GPU function may call, and what each call becomes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda, literal_unroll

from gpuplay.lockstep.emit.call import Call, Handler
from gpuplay.lockstep.front.dtypes import class_name, dtype_of, is_array, is_tuple
from gpuplay.lockstep.front.inference import dispatcher_of, infer
from gpuplay.lockstep.memory.values import Range, Slice
from gpuplay.lockstep.scalars import functions
from gpuplay.lockstep.words import numba, ptx
from gpuplay.lockstep.words.numba.barriers import grid_sync

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64 = np.dtype(np.int64)
GRID_SYNC = "grid.sync()"


def note_static(t: Emitter, target: str, value: Any) -> None:
    """Remember what a variable is known to hold before anything runs: a module, a function, a type, a constant."""
    kind = type(value).__name__
    if kind in ("Const", "Global", "FreeVar"):
        known = dtype_of(t.kind(target)) is not None or is_tuple(t.kind(target)) or isinstance(value.value, np.ndarray)
        if known:
            t.constants[target] = value.value
        elif value.value is not None:
            t.statics[target] = value.value
    elif kind == "Var" and value.name in t.statics:
        t.statics[target] = t.statics[value.name]
    elif kind == "Expr" and value.op == "getattr":
        _note_attribute(t, target, value)


def _note_attribute(t: Emitter, target: str, expression: Any) -> None:
    base = expression.value.name
    if class_name(t.kind(base)) == "GridGroup" and expression.attr == "sync":
        t.statics[target] = GRID_SYNC
        return
    owner = t.statics.get(base)
    if owner is None or not hasattr(owner, expression.attr):
        return
    found, dtype = getattr(owner, expression.attr), dtype_of(t.kind(target))
    if dtype is None:
        t.statics[target] = found
    elif isinstance(found, bool | int | float | complex):
        t.constants[target] = found
        t.build.initial[t.slot(target)] = dtype.type(found)


def thread_attribute(t: Emitter, base: str, attribute: str) -> Callable[[Batch], Any] | None:
    """What gives threadIdx.x and the like for all lanes; None where the attribute is another one."""
    owner = t.statics.get(base)
    if owner is cuda and attribute == "laneid":
        return lambda e: (np.arange(e.lanes) % 32).astype(np.int32)
    if owner is cuda and attribute == "warpsize":
        return lambda _e: np.int32(32)
    if attribute not in ("x", "y", "z") or not isinstance(owner, type):
        return None
    axis = "xyz".index(attribute)
    indices: dict[Any, Callable[[Batch], Any]] = {
        cuda.threadIdx: lambda e: e.thread_index[axis],
        cuda.blockIdx: lambda e: e.block_index[axis],
        cuda.blockDim: lambda e: np.int32(e.block[axis]),
        cuda.gridDim: lambda e: np.int32(e.grid[axis]),
    }
    return indices.get(owner)


def call(t: Emitter, target: str, expression: Any) -> None:
    """Emit a call."""
    if getattr(expression, "vararg", None) is not None:
        raise t.unsupported("a call with *arguments")
    arguments = tuple(argument.name for argument in expression.args)
    keywords = {name: value.name for name, value in expression.kws}
    made = Call(target, arguments, keywords, t.typed.signatures.get(expression))
    function = t.static(expression.func.name)
    handler = _handler(function)
    if isinstance(function, type) and issubclass(function, BaseException):
        return  # what a raise statement raises: on the GPU the thread just ends
    if handler is not None:
        handler(t, made)
    elif dispatcher_of(function) is not None:
        _device_function(t, made, dispatcher_of(function))
    elif class_name(t.kind(expression.func.name)) in ("NumberClass", "DType") or function in _CONVERSIONS:
        t.convert(target, expression.args[0].name)
    else:
        _scalar_function(t, made, function, expression)


_CONVERSIONS = (int, float, bool)


def _handler(function: Any) -> Handler | None:
    try:
        return _HANDLERS.get(function)
    except TypeError:  # not hashable
        return None


def _device_function(t: Emitter, made: Call, dispatcher: Any) -> None:
    """Inline a function compiled for the device, for the types that inference chose."""
    typed = infer(dispatcher.py_func, made.signature.args, device=True)
    parameters = inspect.signature(dispatcher.py_func)
    bound = parameters.bind(*made.arguments, **made.keywords)
    slots = []
    for name, kind in zip(parameters.parameters, made.signature.args, strict=True):
        dtype = dtype_of(kind)
        if name in bound.arguments:
            slots.append(t.number(bound.arguments[name], dtype))
        else:
            slots.append(t.build.slot(dtype=dtype, value=np.asarray(getattr(kind, "value", None))[()]))
    t.inline(t, typed, tuple(slots), made.target)


def _scalar_function(t: Emitter, made: Call, function: Any, expression: Any) -> None:
    operation = functions.function(function) if function is not None else None
    if operation is None or made.signature is None:
        shown = getattr(function, "__name__", None) or str(t.kind(expression.func.name))
        raise t.unsupported(f"the call of {shown}")
    dtypes = []
    for kind in _unstarred(made.signature.args):
        dtype = dtype_of(kind)
        if dtype is None:
            raise t.unsupported(f"{function.__name__} of {', '.join(map(str, made.signature.args))}")
        dtypes.append(dtype)
    slots = tuple(t.number(name, dtype) for name, dtype in zip(made.arguments, dtypes, strict=True))
    returned = made.signature.return_type
    result = tuple(map(dtype_of, returned)) if is_tuple(returned) else dtype_of(returned)
    compute = operation.call(tuple(dtypes), result)
    kind, many = functions.classify(function, tuple(dtypes))
    t.count(**{kind: many})
    single = None if isinstance(result, tuple) else result
    t.define(made.target, single, lambda e: compute(*(e.v[s] for s in slots)), slots)


def _unstarred(kinds: Sequence[Any]) -> Iterator[Any]:
    """The types of all arguments: of ``min(*values)`` one version of the CUDA target makes a single tuple."""
    for kind in kinds:
        if class_name(kind).startswith("StarArg"):
            yield from kind
        else:
            yield kind


# --- what Python itself brings ---


def _range(t: Emitter, made: Call) -> None:
    dtype = np.dtype(str(made.signature.return_type).removeprefix("range_state_"))
    slots = tuple(t.number(name, dtype) for name in made.arguments)
    zero, one = dtype.type(0), dtype.type(1)

    def make(e: Batch) -> Range:
        values = [e.v[slot] for slot in slots]
        return Range(*((zero, *values, one) if len(values) == 1 else (*values, one)[:3]))

    t.define(made.target, None, make, slots)


def _length(t: Emitter, made: Call) -> None:
    kind, source = t.kind(made.arguments[0]), t.slot(made.arguments[0])
    if is_array(kind):
        t.define(made.target, INT64, lambda e: e.v[source].shape[0], (source,))
    elif is_tuple(kind):
        t.build.initial[t.slot(made.target)] = np.int64(len(kind))
    else:
        raise t.unsupported(f"len of {kind}")


def _slice(t: Emitter, made: Call) -> None:
    slots = tuple(-1 if t.dtype(name) is None else t.slot(name) for name in made.arguments)

    def make(e: Batch) -> Slice:
        values = [None if slot < 0 else e.v[slot] for slot in slots]
        return Slice(*((None, *values, None) if len(values) == 1 else (*values, None)[:3]))

    uses = tuple(slot for slot in slots if slot >= 0)
    t.define(made.target, None, make, uses)


def _truth(t: Emitter, made: Call) -> None:
    """A condition of a branch is a truth already, or is compared with 0."""
    t.convert(made.target, made.arguments[0])


def _complex(t: Emitter, made: Call) -> None:
    """``complex(real, imaginary)``."""
    dtype = dtype_of(made.signature.return_type)
    assert dtype is not None
    slots = tuple(t.number(name, dtype) for name in made.arguments)
    unit = dtype.type(1j)

    def make(e: Batch) -> Any:
        parts = [e.v[slot] for slot in slots]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1] * unit

    t.define(made.target, dtype, make, slots)


def _itself(t: Emitter, made: Call) -> None:
    t.copy(t.slot(made.target), t.slot(made.arguments[0]))


def _nothing(_t: Emitter, _made: Call) -> None:
    pass


def _grid(t: Emitter, made: Call) -> None:
    """``cuda.grid``: the thread's absolute position, in as many axes as asked for."""
    axes = int(t.constants[made.arguments[0]])
    t.count(integer=axes)
    _axes(t, made, axes, _position)


def _position(e: Batch, axis: int) -> Any:
    block: Any = e.block_index[axis]
    return block * np.int64(e.block[axis]) + e.thread_index[axis]


def _gridsize(t: Emitter, made: Call) -> None:
    """``cuda.gridsize``: threads of the grid."""
    axes = int(t.constants[made.arguments[0]])
    _axes(t, made, axes, lambda e, axis: np.int64(e.grid[axis] * e.block[axis]))


def _axes(t: Emitter, made: Call, axes: int, position: Callable[[Batch, int], Any]) -> None:
    if axes == 1:
        t.define(made.target, INT64, lambda e: position(e, 0), ())
        return
    t.define(made.target, None, lambda e: tuple(position(e, a) for a in range(axes)), ())


def _of_cuda(handlers: dict[str, Handler]) -> dict[Any, Handler]:
    """Handlers by the objects of numba.cuda that this version has."""
    found: dict[Any, Handler] = {}
    for path, handler in handlers.items():
        owner: Any = cuda
        for part in path.split("."):
            owner = getattr(owner, part, None)
        if owner is not None:
            found[owner] = handler
    return found


_HANDLERS: dict[Any, Handler] = {
    range: _range,
    len: _length,
    slice: _slice,
    bool: _truth,
    complex: _complex,
    tuple: _itself,
    type: _nothing,  # a class of numbers, which the types know
    literal_unroll: _itself,
    GRID_SYNC: grid_sync,
    **ptx.VOCABULARY,
    **_of_cuda(
        {
            "grid": _grid,
            "gridsize": _gridsize,
            "cg.this_grid": _nothing,
            "nanosleep": _nothing,
            "literal_unroll": _itself,
            **numba.VOCABULARY,
        }
    ),
}
