"""Asynchronous copies of `gpuplay.intrinsics.device.async_copies`: begun, committed, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpuplay.intrinsics.device import async_copies as intrinsics
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.faults.accesses import changed_under_copy, too_many
from gpuplay.lockstep.front.dtypes import element_of
from gpuplay.lockstep.memory.sites import Site
from gpuplay.lockstep.memory.underway import Copy, CopySource
from gpuplay.lockstep.words.ptx import vectors

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.values import Lanes, Number, Vector, View

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def _copy(elements: int) -> Handler:
    """A copy of so many elements, of which a count is read."""

    def handler(emit: Emitter, made: Call) -> None:
        shared, at, array, start, count = made.arguments
        dtype = element_of(emit.kind(array))
        width = elements * dtype.itemsize
        read, written = emit.site(array, "load", width), emit.site(shared, "store", width, issued=False)
        single = Site(read.place, read.array, "load", dtype.itemsize)  # what is read of a part is checked one by one
        source, target = emit.slot(array), emit.slot(shared)
        first, place, many = emit.number(start, INT64), emit.number(at, INT64), emit.number(count, INT32)

        def copy(batch: Batch) -> None:
            counts = _counts(batch, batch.v[many], elements, read)
            begin = access.spread(batch, batch.v[first])
            begun, values = _read(batch, batch.v[source], begin, counts, (read, single))
            offset, active = vectors.aligned(batch, batch.v[target], batch.v[place], written)
            offset = access.spread(batch, offset)
            memory = batch.v[target].memory
            access.touch(batch, memory, offset, active, written)
            access.claim(memory, offset, active, written)
            group = batch.copies.open.copy()
            batch.copies.begin(Copy(memory, dtype, offset, values, active.copy(), group, written, begun))

        emit.operation(copy, uses=(source, target, first, place, many))

    return handler


def _counts(batch: Batch, count: Number, elements: int, site: Site) -> Vector:
    """How many elements each lane reads; a fault where that is none of 0 to ``elements``."""
    counts = access.spread(batch, count)
    bad = batch.mask.array & ((counts < 0) | (counts > elements))
    if bad.any():
        lane = int(bad.argmax())
        too_many(batch, site, lane, int(counts[lane]), elements)
    return np.where(batch.mask.array, np.clip(counts, 0, elements), 0)


def _read(
    batch: Batch, view: View, begin: Vector, counts: Vector, sites: tuple[Site, Site]
) -> tuple[CopySource, tuple[Number, ...]]:
    """The elements that each lane reads, zeros behind them; counted as one access, checked element by element."""
    whole, single = sites
    dtype, some = view.dtype, counts > 0
    elements = whole.width // dtype.itemsize
    _, fits = access.locate(batch, view, (begin + np.maximum(counts - 1, 0),), whole, some)
    offset, active = access.locate(batch, view, (begin,), whole, some & fits)
    active = vectors.without_misaligned(batch, view, offset, begin, active, whole)
    offset = access.spread(batch, offset)
    full = active & (counts == elements)
    access.count(batch, view.memory, offset, active, whole)
    whole.bytes_asked -= int((elements - counts[active]).sum()) * dtype.itemsize
    access.check(batch, view.memory, offset, full, whole)
    values = []
    for element in range(elements):
        at, here = offset + element * dtype.itemsize, active & (counts > element)
        if (here & ~full).any():
            single.view = view
            access.check(batch, view.memory, at, here & ~full, single)
        values.append(np.where(here, access.fetch(view.memory, dtype, at), dtype.type(0)))
    return CopySource(view.memory, offset, np.where(active, counts, 0), whole), tuple(values)


def _commit(emit: Emitter, _made: Call) -> None:
    emit.count()
    emit.operation(lambda batch: batch.copies.commit(batch.mask.array))


def _wait(emit: Emitter, made: Call) -> None:
    groups = made.signature.args[0].literal_value
    emit.count()

    def wait(batch: Batch) -> None:
        for copy, lanes in batch.copies.due(batch.mask.array, groups):
            _refuse_changed_source(batch, copy, lanes)
            for element, value in enumerate(copy.values):
                at = copy.offset + element * copy.dtype.itemsize
                access.put(batch, copy.memory, copy.dtype, at, lanes, value)
            access.release(batch, copy.memory, copy.offset, lanes, copy.site)

    emit.operation(wait)


def _refuse_changed_source(batch: Batch, copy: Copy, lanes: Lanes) -> None:
    """A fault where what these lanes copy was written since they began: the copy may bring either."""
    source = copy.source
    if not source.memory.watched:
        return
    bits = np.dtype(f"u{copy.dtype.itemsize}")
    for element, value in enumerate(copy.values):
        now = access.fetch(source.memory, copy.dtype, source.offset + element * copy.dtype.itemsize)
        bad = lanes & (source.counts > element) & (now.view(bits) != value.view(bits))
        if bad.any():
            lane = int(bad.argmax())
            changed_under_copy(
                batch, source.site, source.memory, lane, int(source.offset[lane]) + element * bits.itemsize
            )


HANDLERS: Vocabulary[object] = {
    intrinsics.copy4_async: _copy(4),
    intrinsics.copy8_async: _copy(8),
    intrinsics.copy1_async: _copy(1),
    intrinsics.commit_copies: _commit,
    intrinsics.wait_for_copies: _wait,
}
