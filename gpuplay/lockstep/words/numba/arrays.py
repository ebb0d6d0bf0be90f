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
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def _shape(emit: Emitter, made: Call) -> tuple[int, ...]:
    """The constant shape of a shared or local array."""
    name = made.arguments[0] if made.arguments else made.keywords["shape"]
    value = emit.constant(name)
    if value is None:
        value = emit.build.initial[emit.slot(name)]
    return tuple(int(extent) for extent in (value if isinstance(value, tuple) else (value,)))


def _alignment(emit: Emitter, made: Call, itemsize: int) -> int:
    """The bytes that a shared array's address is a multiple of: what was asked for, else its element's."""
    name = made.keywords.get("alignment", made.arguments[2] if len(made.arguments) > 2 else "")
    return int(emit.constants.get(name) or itemsize)


def _strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) * itemsize for axis in range(len(shape)))


def _shared(emit: Emitter, made: Call) -> None:
    """One array for each block. Of size 0 it is the launch's dynamic shared memory, the same for all such arrays."""
    shape, dtype = _shape(emit, made), element_of(emit.kind(made.target))
    name = emit.shown(made.target)
    count = math.prod(shape)
    key = "dynamic" if count == 0 else (emit.typed.source.file, emit.typed.source.first, made.target, shape, dtype)
    if key in emit.build.shared:
        before = emit.build.shared[key]
        if count == 0 and dtype.itemsize < before.dtype.itemsize:
            emit.build.shared[key] = SharedArray(name, dtype, 0)
    else:
        alignment = _alignment(emit, made, dtype.itemsize)
        emit.build.shared[key] = SharedArray(name, dtype, count, alignment=alignment if count else ALIGNED)
    emit.build.shared_slots[emit.slot(made.target)] = key
    number = list(emit.build.shared).index(key)
    extents, strides = tuple(map(np.int64, shape)), _strides(shape, dtype.itemsize)

    def view(batch: Batch) -> View:
        memory = batch.shared[number]
        offset = batch.threads.block_of_lane * memory.period if batch.blocks > 1 else np.int64(0)
        shape = extents if count else (np.int64(batch.launch.dynamic_bytes // dtype.itemsize),)
        return View(memory, dtype, offset, shape, strides)

    emit.define(made.target, None, view, ())


def _local(emit: Emitter, made: Call) -> None:
    """An array for each thread."""
    shape, dtype = _shape(emit, made), element_of(emit.kind(made.target))
    number = len(emit.build.locals)
    emit.build.locals.append(SharedArray(emit.shown(made.target), dtype, math.prod(shape)))
    extents, strides = tuple(map(np.int64, shape)), _strides(shape, dtype.itemsize)

    def view(batch: Batch) -> View:
        memory = batch.locals[number]
        return View(memory, dtype, np.arange(batch.lanes) * memory.period, extents, strides)

    emit.define(made.target, None, view, ())


def _constant(emit: Emitter, made: Call) -> None:
    """A global array, frozen when the function is compiled."""
    name = made.arguments[0]
    array = emit.constant(name)
    if array is None:
        raise emit.unsupported("cuda.const.array_like of anything but a global array")
    emit.copy(emit.slot(made.target), emit.slot(name))


def _load(emit: Emitter, made: Call) -> None:
    base, index = made.arguments
    dtype = element_of(emit.kind(base))
    source, at, site = emit.slot(base), emit.slot(index), emit.site(base, "load", dtype.itemsize)

    def load(batch: Batch) -> Any:
        indices = batch.v[at] if isinstance(batch.v[at], tuple) else (batch.v[at],)
        return access.load(batch, batch.v[source], indices, site)

    emit.define(made.target, dtype, load, (source, at))


def _store(emit: Emitter, made: Call) -> None:
    base, index, value = made.arguments
    dtype = element_of(emit.kind(base))
    source, at, number = emit.slot(base), emit.slot(index), emit.number(value, dtype)
    site = emit.site(base, "store", dtype.itemsize)

    def store(batch: Batch) -> None:
        indices = batch.v[at] if isinstance(batch.v[at], tuple) else (batch.v[at],)
        access.store(batch, batch.v[source], indices, batch.v[number], site)

    emit.operation(store, uses=(source, at, number))


HANDLERS: Vocabulary[str] = {
    "shared.array": _shared,
    "local.array": _local,
    "const.array_like": _constant,
    **dict.fromkeys(("ldca", "ldcg", "ldcs", "ldlu", "ldcv"), _load),
    **dict.fromkeys(("stcg", "stcs", "stwb", "stwt"), _store),
}
