"""128-bit loads and stores of `gpuplay.intrinsics.vectors`: one request, four elements a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.vectors import BYTES, LANES, load4, store4
from gpuplay.lockstep import access
from gpuplay.lockstep.dtypes import element_of
from gpuplay.lockstep.faults import misaligned

if TYPE_CHECKING:
    from gpuplay.lockstep.batch import Batch
    from gpuplay.lockstep.emitter import Emitter
    from gpuplay.lockstep.handlers import Call
    from gpuplay.lockstep.sites import Site
    from gpuplay.lockstep.values import Lanes, Number, View

INT64 = np.dtype(np.int64)


def aligned(batch: Batch, view: View, index: Number, site: Site) -> tuple[Number, Lanes]:
    """The byte offset of the first of a site's elements, and the lanes whose elements are all there and aligned."""
    elements = site.width // view.dtype.itemsize
    _, fits = access.locate(batch, view, (index + np.int64(elements - 1),), site)
    offset, active = access.locate(batch, view, (index,), site)
    return offset, without_misaligned(batch, view, offset, index, active & fits, site)


def without_misaligned(batch: Batch, view: View, offset: Number, index: Number, active: Lanes, site: Site) -> Lanes:
    """The active lanes whose address is a multiple of the access's width; a fault where there are others."""
    spread = np.broadcast_to(offset + view.memory.skew, batch.lanes)
    bad = active & (spread % site.width != 0)
    if bad.any():
        misaligned(batch, site, int(bad.argmax()), index)
    kept: Lanes = active & ~bad
    return kept


def _touch(batch: Batch, view: View, index: Number, site: Site) -> tuple[Number, Lanes]:
    """The byte offset of the first of four elements, for the lanes whose four are all there and aligned."""
    offset, active = aligned(batch, view, index, site)
    access.touch(batch, view.memory, offset, active, site)
    return offset, active


def _load(t: Emitter, made: Call) -> None:
    base, at = made.arguments
    dtype = element_of(t.kind(base))
    source, index, site = t.slot(base), t.number(at, INT64), t.site(base, "load", BYTES)

    def load(e: Batch) -> Any:
        view: View = e.v[source]
        offset, active = _touch(e, view, e.v[index], site)
        if not active.any():
            return (dtype.type(0),) * LANES
        return tuple(access.fetch(view.memory, dtype, offset + lane * dtype.itemsize) for lane in range(LANES))

    t.define(made.target, None, load, (source, index))


def _store(t: Emitter, made: Call) -> None:
    base, at, quad = made.arguments
    dtype = element_of(t.kind(base))
    values = t.slot(quad)
    source, index, site = t.slot(base), t.number(at, INT64), t.site(base, "store", BYTES)

    def store(e: Batch) -> None:
        view: View = e.v[source]
        offset, active = _touch(e, view, e.v[index], site)
        for lane, value in enumerate(e.v[values]):
            access.put(e, view.memory, dtype, offset + lane * dtype.itemsize, active, value)

    t.emit(store, uses=(source, index, values))


HANDLERS: dict[Any, Any] = {load4: _load, store4: _store}
