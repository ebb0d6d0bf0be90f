"""Loads and stores of `gpuplay.intrinsics.device.vectors`: 128 bits are one request, four elements a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device import vectors
from gpuplay.intrinsics.device.vectors import BYTES, LANES
from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.faults.accesses import misaligned, unaligned_array
from gpuplay.lockstep.front.dtypes import element_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.sites import Site
    from gpuplay.lockstep.memory.values import Lanes, Number, View

INT64 = np.dtype(np.int64)


def aligned(batch: Batch, view: View, index: Number, site: Site) -> tuple[Number, Lanes]:
    """The byte offset of the first of a site's elements, and the lanes whose elements are all there and aligned."""
    elements = site.width // view.dtype.itemsize
    _, fits = access.locate(batch, view, (index + np.int64(elements - 1),), site)
    offset, active = access.locate(batch, view, (index,), site)
    return offset, without_misaligned(batch, view, offset, index, active & fits, site)


def without_misaligned(batch: Batch, view: View, offset: Number, index: Number, active: Lanes, site: Site) -> Lanes:
    """The active lanes whose address is a multiple of the access's width; a fault where there are others."""
    if active.any() and 0 < view.memory.alignment < site.width:
        unaligned_array(batch, site, int(active.argmax()), view.memory.alignment)
    spread = np.broadcast_to(offset + view.memory.skew, batch.lanes)
    bad = active & (spread % site.width != 0)
    if bad.any():
        misaligned(batch, site, int(bad.argmax()), index)
    kept: Lanes = active & ~bad
    return kept


def _only_global(view: View, site: Site) -> None:
    """Unsupported where an access that exists for global memory alone is of another one."""
    if view.memory.space != "global":
        raise Unsupported(f"a hint to the caches for {view.memory.space} memory", site.place)


def _load(*, hinted: bool = False, unchanged: bool = False) -> Handler:
    """A load of four: of global memory alone if ``hinted``, of what no thread writes if ``unchanged``."""

    def handler(emit: Emitter, made: Call) -> None:
        base, at = made.arguments
        dtype = element_of(emit.kind(base))
        source, index, site = emit.slot(base), emit.number(at, INT64), emit.site(base, "load", BYTES)

        def load(batch: Batch) -> Any:
            view: View = batch.v[source]
            offset, active = aligned(batch, view, batch.v[index], site)
            if hinted:
                _only_global(view, site)
            access.touch(batch, view.memory, offset, active, site)
            if unchanged:
                access.refuse_changed(batch, view.memory, offset, active, site)
            if not active.any():
                return (dtype.type(0),) * LANES
            return tuple(access.fetch(view.memory, dtype, offset + lane * dtype.itemsize) for lane in range(LANES))

        emit.define(made.target, None, load, (source, index))

    return handler


def _load_one_unchanged(emit: Emitter, made: Call) -> None:
    base, at = made.arguments
    dtype = element_of(emit.kind(base))
    source, index, site = emit.slot(base), emit.number(at, INT64), emit.site(base, "load", dtype.itemsize)

    def load(batch: Batch) -> Any:
        view: View = batch.v[source]
        value = access.load(batch, view, (batch.v[index],), site)
        _only_global(view, site)
        offset, active = access.locate(batch, view, (batch.v[index],), site)
        access.refuse_changed(batch, view.memory, offset, active, site)
        return value

    emit.define(made.target, dtype, load, (source, index))


def _store(*, hinted: bool = False) -> Handler:
    """A store of four: to global memory alone if ``hinted``."""

    def handler(emit: Emitter, made: Call) -> None:
        base, at, quad = made.arguments
        dtype = element_of(emit.kind(base))
        values = emit.slot(quad)
        source, index, site = emit.slot(base), emit.number(at, INT64), emit.site(base, "store", BYTES)

        def store(batch: Batch) -> None:
            view: View = batch.v[source]
            offset, active = aligned(batch, view, batch.v[index], site)
            if hinted:
                _only_global(view, site)
            access.touch(batch, view.memory, offset, active, site)
            for lane, value in enumerate(batch.v[values]):
                access.put(batch, view.memory, dtype, offset + lane * dtype.itemsize, active, value)

        emit.operation(store, uses=(source, index, values))

    return handler


HANDLERS: Vocabulary[object] = {
    vectors.load4: _load(),
    vectors.load4_streaming: _load(hinted=True),
    vectors.load4_readonly: _load(hinted=True, unchanged=True),
    vectors.load_readonly: _load_one_unchanged,
    vectors.store4: _store(),
    vectors.store4_streaming: _store(hinted=True),
}
