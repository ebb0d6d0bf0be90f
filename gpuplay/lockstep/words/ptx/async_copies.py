"""Asynchronous copies of `gpuplay.intrinsics.device.async_copies`: begun, committed, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device import async_copies as intrinsics
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.faults import changed_under_copy, too_many
from gpuplay.lockstep.front.dtypes import element_of
from gpuplay.lockstep.memory.sites import Site
from gpuplay.lockstep.memory.underway import Copy, Source
from gpuplay.lockstep.words.ptx import vectors

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.values import Lanes, Number, View

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def _copy(elements: int) -> Handler:
    """A copy of so many elements, of which a count is read."""

    def handler(t: Emitter, made: Call) -> None:
        shared, at, array, start, count = made.arguments
        dtype = element_of(t.kind(array))
        width = elements * dtype.itemsize
        read, written = t.site(array, "load", width), t.site(shared, "store", width, issued=False)
        single = Site(read.place, read.array, "load", dtype.itemsize)  # what is read of a part is checked one by one
        source, target = t.slot(array), t.slot(shared)
        first, place, many = t.number(start, INT64), t.number(at, INT64), t.number(count, INT32)

        def copy(e: Batch) -> None:
            counts = _counts(e, e.v[many], elements, read)
            begin = access.spread(e, e.v[first])
            begun, values = _read(e, e.v[source], begin, counts, (read, single))
            offset, active = vectors.aligned(e, e.v[target], e.v[place], written)
            offset = access.spread(e, offset)
            memory = e.v[target].memory
            access.touch(e, memory, offset, active, written)
            access.claim(memory, offset, active, written)
            group = e.copies.open.copy()
            e.copies.begin(Copy(memory, dtype, offset, values, active.copy(), group, written, begun))

        t.emit(copy, uses=(source, target, first, place, many))

    return handler


def _counts(e: Batch, count: Number, elements: int, site: Site) -> Lanes:
    """How many elements each lane reads; a fault where that is none of 0 to ``elements``."""
    counts = access.spread(e, count)
    bad = e.mask.array & ((counts < 0) | (counts > elements))
    if bad.any():
        lane = int(bad.argmax())
        too_many(e, site, lane, int(counts[lane]), elements)
    return np.where(e.mask.array, np.clip(counts, 0, elements), 0)


def _read(
    e: Batch, view: View, begin: Lanes, counts: Lanes, sites: tuple[Site, Site]
) -> tuple[Source, tuple[Number, ...]]:
    """The elements that each lane reads, zeros behind them; counted as one access, checked element by element."""
    whole, single = sites
    dtype, some = view.dtype, counts > 0
    elements = whole.width // dtype.itemsize
    _, fits = access.locate(e, view, (begin + np.maximum(counts - 1, 0),), whole, some)
    offset, active = access.locate(e, view, (begin,), whole, some & fits)
    active = vectors.without_misaligned(e, view, offset, begin, active, whole)
    offset = access.spread(e, offset)
    full = active & (counts == elements)
    access.count(e, view.memory, offset, active, whole)
    whole.bytes_asked -= int((elements - counts[active]).sum()) * dtype.itemsize
    access.check(e, view.memory, offset, full, whole)
    values = []
    for element in range(elements):
        at, here = offset + element * dtype.itemsize, active & (counts > element)
        if (here & ~full).any():
            single.view = view
            access.check(e, view.memory, at, here & ~full, single)
        values.append(np.where(here, access.fetch(view.memory, dtype, at), dtype.type(0)))
    return Source(view.memory, offset, np.where(active, counts, 0), whole), tuple(values)


def _commit(t: Emitter, _made: Call) -> None:
    t.count()
    t.emit(lambda e: e.copies.commit(e.mask.array))


def _wait(t: Emitter, made: Call) -> None:
    groups = made.signature.args[0].literal_value
    t.count()

    def wait(e: Batch) -> None:
        for copy, lanes in e.copies.due(e.mask.array, groups):
            _refuse_changed_source(e, copy, lanes)
            for element, value in enumerate(copy.values):
                at = copy.offset + element * copy.dtype.itemsize
                access.put(e, copy.memory, copy.dtype, at, lanes, value)
            access.release(e, copy.memory, copy.offset, lanes, copy.site)

    t.emit(wait)


def _refuse_changed_source(e: Batch, copy: Copy, lanes: Lanes) -> None:
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
            changed_under_copy(e, source.site, source.memory, lane, int(source.offset[lane]) + element * bits.itemsize)


HANDLERS: dict[Any, Any] = {
    intrinsics.copy4_async: _copy(4),
    intrinsics.copy8_async: _copy(8),
    intrinsics.copy1_async: _copy(1),
    intrinsics.commit_copies: _commit,
    intrinsics.wait_for_copies: _wait,
}
