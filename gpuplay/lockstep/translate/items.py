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


def get_item(t: Emitter, target: str, expression: Any) -> None:
    """Emit ``value[index]``."""
    _get(t, target, expression.value.name, expression.index.name, None)


def get_static_item(t: Emitter, target: str, expression: Any) -> None:
    """Emit ``value[literal]``."""
    index = expression.index_var.name if expression.index_var is not None else None
    _get(t, target, expression.value.name, index, expression.index)


def _get(t: Emitter, target: str, base: str, index: str | None, literal: Any) -> None:
    kind, source = t.kind(base), t.slot(base)
    if is_tuple(kind):
        _tuple_item(t, target, source, index, literal)
    elif class_name(kind) == "Record":
        load_field(t, target, base, literal)
    elif is_array(kind):
        indices = windows.Index(t, index, literal)
        if is_array(t.kind(target)):
            place = t.place
            uses = (source, *indices.uses)
            t.define(target, None, lambda e: windows.window(e, e.v[source], indices(e), place), uses)
        else:
            _load(t, target, base, source, indices)
    else:
        raise t.unsupported(f"an item of {kind}")


def _load(t: Emitter, target: str, base: str, source: int, indices: windows.Index) -> None:
    dtype = element_of(t.kind(base))
    site = t.site(base, "load", dtype.itemsize)

    def load(e: Batch) -> Any:
        view: View = e.v[source]
        return access.load(e, view, windows.numbers(view, indices(e)), site)

    number = dtype if t.dtype(target) is not None else None
    t.define(target, number, load, (source, *indices.uses))


def _tuple_item(t: Emitter, target: str, source: int, index: str | None, literal: Any) -> None:
    if isinstance(literal, int):
        t.define(target, None, lambda e: e.v[source][literal], (source,))
        return
    if isinstance(literal, slice):
        t.define(target, None, lambda e: e.v[source][literal], (source,))
        return
    assert index is not None
    at, place = t.slot(index), t.place
    t.define(target, None, lambda e: windows.choose(e, e.v[source], e.v[at], place), (source, at))


def _field(t: Emitter, base: str, name: str) -> tuple[np.dtype[Any], int]:
    record = stored(t.kind(base))
    if record.fields is None or name not in record.fields:
        raise t.unsupported(f"the field {name!r} of {t.kind(base)}")
    dtype, offset = record.fields[name][0], int(record.fields[name][1])
    if offset % dtype.itemsize or record.itemsize % dtype.itemsize:
        raise t.unsupported(f"the field {name!r}, which does not lie at a multiple of its size")
    return dtype, offset


def load_field(t: Emitter, target: str, base: str, name: str) -> None:
    """Emit the load of a record's field."""
    dtype, shift = _field(t, base, name)
    source, site = t.slot(base), t.site(base, "load", dtype.itemsize)

    def load(e: Batch) -> Any:
        pointer: Pointer = e.v[source]
        offset = pointer.offset + np.int64(shift)
        access.touch(e, pointer.memory, offset, e.mask.array, site)
        return access.fetch(pointer.memory, dtype, offset)

    t.define(target, dtype, load, (source,))


def set_item(t: Emitter, base: str, index: str | None, literal: Any, value: str) -> None:
    """Emit a store: into an array, or into a field of a record."""
    kind, source = t.kind(base), t.slot(base)
    if class_name(kind) == "Record":
        _store_field(t, base, literal, value)
        return
    if not is_array(kind):
        raise t.unsupported(f"setting an item of {kind}")
    dtype = element_of(kind)
    if t.dtype(value) is None or (index is not None and "slice" in str(t.kind(index)).lower()):
        raise t.unsupported("assigning to a slice or to a whole record")
    indices, number = windows.Index(t, index, literal), t.number(value, dtype)
    site = t.site(base, "store", dtype.itemsize)
    t.emit(
        lambda e: access.store(e, e.v[source], windows.numbers(e.v[source], indices(e)), e.v[number], site),
        uses=(source, number, *indices.uses),
    )


def _store_field(t: Emitter, base: str, name: str, value: str) -> None:
    dtype, shift = _field(t, base, name)
    source, number = t.slot(base), t.number(value, dtype)
    site = t.site(base, "store", dtype.itemsize)

    def op(e: Batch) -> None:
        pointer: Pointer = e.v[source]
        offset = pointer.offset + np.int64(shift)
        access.touch(e, pointer.memory, offset, e.mask.array, site)
        access.put(e, pointer.memory, dtype, offset, e.mask.array, e.v[number])

    t.emit(op, uses=(source, number))
