"""Shared, local and constant arrays, and loads and stores with cache hints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.program import ALIGNED, SharedArray
from gpuplay.lockstep.front.dtypes import element_of
from gpuplay.lockstep.memory.values import View

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def _shape(t: Emitter, made: Call) -> tuple[int, ...]:
    """The constant shape of a shared or local array."""
    name = made.arguments[0] if made.arguments else made.keywords["shape"]
    value = t.constant(name)
    if value is None:
        value = t.build.initial[t.slot(name)]
    return tuple(int(extent) for extent in (value if isinstance(value, tuple) else (value,)))


def _alignment(t: Emitter, made: Call, itemsize: int) -> int:
    """The bytes that a shared array's address is a multiple of: what was asked for, else its element's."""
    name = made.keywords.get("alignment", made.arguments[2] if len(made.arguments) > 2 else "")
    return int(t.constants.get(name) or itemsize)


def _strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) * itemsize for axis in range(len(shape)))


def _shared(t: Emitter, made: Call) -> None:
    """One array for each block. Of size 0 it is the launch's dynamic shared memory, the same for all such arrays."""
    shape, dtype = _shape(t, made), element_of(t.kind(made.target))
    name = t.shown(made.target)
    count = math.prod(shape)
    key = "dynamic" if count == 0 else (t.typed.source.file, t.typed.source.first, made.target, shape, dtype)
    if key in t.build.shared:
        before = t.build.shared[key]
        if count == 0 and dtype.itemsize < before.dtype.itemsize:
            t.build.shared[key] = SharedArray(name, dtype, 0)
    else:
        alignment = _alignment(t, made, dtype.itemsize)
        t.build.shared[key] = SharedArray(name, dtype, count, alignment=alignment if count else ALIGNED)
    t.build.shared_slots[t.slot(made.target)] = key
    number = list(t.build.shared).index(key)
    extents, strides = tuple(map(np.int64, shape)), _strides(shape, dtype.itemsize)

    def view(e: Batch) -> View:
        memory = e.shared[number]
        offset = e.block_of_lane * memory.period if e.blocks > 1 else np.int64(0)
        shape = extents if count else (np.int64(e.dynamic_bytes // dtype.itemsize),)
        return View(memory, dtype, offset, shape, strides)

    t.define(made.target, None, view, ())


def _local(t: Emitter, made: Call) -> None:
    """An array for each thread."""
    shape, dtype = _shape(t, made), element_of(t.kind(made.target))
    number = len(t.build.locals)
    t.build.locals.append(SharedArray(t.shown(made.target), dtype, math.prod(shape)))
    extents, strides = tuple(map(np.int64, shape)), _strides(shape, dtype.itemsize)

    def view(e: Batch) -> View:
        memory = e.locals[number]
        return View(memory, dtype, np.arange(e.lanes) * memory.period, extents, strides)

    t.define(made.target, None, view, ())


def _constant(t: Emitter, made: Call) -> None:
    """A global array, frozen when the function is compiled."""
    name = made.arguments[0]
    array = t.constant(name)
    if array is None:
        raise t.unsupported("cuda.const.array_like of anything but a global array")
    t.copy(t.slot(made.target), t.slot(name))


def _load(t: Emitter, made: Call) -> None:
    base, index = made.arguments
    dtype = element_of(t.kind(base))
    source, at, site = t.slot(base), t.slot(index), t.site(base, "load", dtype.itemsize)

    def load(e: Batch) -> Any:
        indices = e.v[at] if isinstance(e.v[at], tuple) else (e.v[at],)
        return access.load(e, e.v[source], indices, site)

    t.define(made.target, dtype, load, (source, at))


def _store(t: Emitter, made: Call) -> None:
    base, index, value = made.arguments
    dtype = element_of(t.kind(base))
    source, at, number = t.slot(base), t.slot(index), t.number(value, dtype)
    site = t.site(base, "store", dtype.itemsize)

    def store(e: Batch) -> None:
        indices = e.v[at] if isinstance(e.v[at], tuple) else (e.v[at],)
        access.store(e, e.v[source], indices, e.v[number], site)

    t.emit(store, uses=(source, at, number))


HANDLERS = {
    "shared.array": _shared,
    "local.array": _local,
    "const.array_like": _constant,
    **dict.fromkeys(("ldca", "ldcg", "ldcs", "ldlu", "ldcv"), _load),
    **dict.fromkeys(("stcg", "stcs", "stwb", "stwt"), _store),
}
