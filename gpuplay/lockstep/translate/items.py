"""Items of arrays, records and tuples: loads, stores, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.emit import windows
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.front.dtypes import class_name, element_of, is_array, is_tuple, stored
from gpuplay.lockstep.memory.values import Pointer, View

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot


def get_item(emit: Emitter, target: str, expression: Any) -> None:
    """Emit ``value[index]``."""
    _get(emit, target, expression.value.name, expression.index.name, None)


def get_static_item(emit: Emitter, target: str, expression: Any) -> None:
    """Emit ``value[literal]``."""
    index = expression.index_var.name if expression.index_var is not None else None
    _get(emit, target, expression.value.name, index, expression.index)


def _get(emit: Emitter, target: str, base: str, index: str | None, literal: Any) -> None:
    kind, source = emit.kind(base), emit.slot(base)
    if is_tuple(kind):
        _tuple_item(emit, target, source, index, literal)
    elif class_name(kind) == "Record":
        load_field(emit, target, base, literal)
    elif is_array(kind):
        indices = windows.Index(emit, index, literal)
        if is_array(emit.kind(target)):
            place = emit.place
            uses = (source, *indices.uses)
            emit.define(target, None, lambda batch: windows.window(batch, batch.v[source], indices(batch), place), uses)
        else:
            _load(emit, target, base, source, indices)
    else:
        raise emit.unsupported(f"an item of {kind}")


def _load(emit: Emitter, target: str, base: str, source: Slot, indices: windows.Index) -> None:
    dtype = element_of(emit.kind(base))
    site = emit.site(base, "load", dtype.itemsize)

    def load(batch: Batch) -> Any:
        view: View = batch.v[source]
        return access.load(batch, view, windows.numbers(view, indices(batch)), site)

    number = dtype if emit.dtype(target) is not None else None
    emit.define(target, number, load, (source, *indices.uses))


def _tuple_item(emit: Emitter, target: str, source: Slot, index: str | None, literal: Any) -> None:
    if isinstance(literal, int):
        emit.define(target, None, lambda batch: batch.v[source][literal], (source,))
        return
    if isinstance(literal, slice):
        emit.define(target, None, lambda batch: batch.v[source][literal], (source,))
        return
    assert index is not None
    at, place = emit.slot(index), emit.place
    emit.define(target, None, lambda batch: windows.choose(batch, batch.v[source], batch.v[at], place), (source, at))


def _field(emit: Emitter, base: str, name: str) -> tuple[np.dtype[Any], int]:
    record = stored(emit.kind(base))
    if record.fields is None or name not in record.fields:
        raise emit.unsupported(f"the field {name!r} of {emit.kind(base)}")
    dtype, offset = record.fields[name][0], int(record.fields[name][1])
    if offset % dtype.itemsize or record.itemsize % dtype.itemsize:
        raise emit.unsupported(f"the field {name!r}, which does not lie at a multiple of its size")
    return dtype, offset


def load_field(emit: Emitter, target: str, base: str, name: str) -> None:
    """Emit the load of a record's field."""
    dtype, shift = _field(emit, base, name)
    source, site = emit.slot(base), emit.site(base, "load", dtype.itemsize)

    def load(batch: Batch) -> Any:
        pointer: Pointer = batch.v[source]
        offset = pointer.offset + np.int64(shift)
        access.touch(batch, pointer.memory, offset, batch.mask.array, site)
        return access.fetch(pointer.memory, dtype, offset)

    emit.define(target, dtype, load, (source,))


def set_item(emit: Emitter, base: str, index: str | None, literal: Any, value: str) -> None:
    """Emit a store: into an array, or into a field of a record."""
    kind, source = emit.kind(base), emit.slot(base)
    if class_name(kind) == "Record":
        _store_field(emit, base, literal, value)
        return
    if not is_array(kind):
        raise emit.unsupported(f"setting an item of {kind}")
    dtype = element_of(kind)
    if emit.dtype(value) is None or (index is not None and "slice" in str(emit.kind(index)).lower()):
        raise emit.unsupported("assigning to a slice or to a whole record")
    indices, number = windows.Index(emit, index, literal), emit.number(value, dtype)
    site = emit.site(base, "store", dtype.itemsize)

    def store(batch: Batch) -> None:
        view: View = batch.v[source]
        access.store(batch, view, windows.numbers(view, indices(batch)), batch.v[number], site)

    emit.operation(store, uses=(source, number, *indices.uses))


def _store_field(emit: Emitter, base: str, name: str, value: str) -> None:
    dtype, shift = _field(emit, base, name)
    source, number = emit.slot(base), emit.number(value, dtype)
    site = emit.site(base, "store", dtype.itemsize)

    def store(batch: Batch) -> None:
        pointer: Pointer = batch.v[source]
        offset = pointer.offset + np.int64(shift)
        access.touch(batch, pointer.memory, offset, batch.mask.array, site)
        access.put(batch, pointer.memory, dtype, offset, batch.mask.array, batch.v[number])

    emit.operation(store, uses=(source, number))
