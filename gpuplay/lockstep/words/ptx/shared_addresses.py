"""Addresses in shared memory: `gpuplay.intrinsics.device.shared_addresses`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device.shared_addresses import elements_to_boundary
from gpuplay.lockstep.execution.bulk import bulk_of
from gpuplay.lockstep.front.dtypes import element_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.values import View

UINT32 = np.dtype(np.uint32)


def _to_boundary(emit: Emitter, made: Call) -> None:
    base, width = made.arguments
    source, boundary = emit.slot(base), emit.number(width, UINT32)
    itemsize = element_of(emit.kind(base)).itemsize
    emit.count(integer=3)

    def skipped(batch: Batch) -> Any:
        view: View = batch.v[source]
        rest = -bulk_of(batch).address(view.memory, view.offset) % np.int64(batch.v[boundary])
        return (rest // itemsize).astype(np.uint32)

    emit.define(made.target, UINT32, skipped, (source, boundary))


HANDLERS: Vocabulary[object] = {elements_to_boundary: _to_boundary}
