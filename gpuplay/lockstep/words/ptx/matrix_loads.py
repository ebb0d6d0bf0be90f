"""Fragments of matrices as `gpuplay.intrinsics.device.matrix_loads` loads them from shared memory, a warp at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device.matrix_loads import ROW_BYTES, ldmatrix4, ldmatrix4_transposed
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.faults.units import not_shared
from gpuplay.lockstep.front.dtypes import element_of
from gpuplay.lockstep.words.ptx import vectors
from gpuplay.lockstep.words.ptx.matrix_units import FLOAT32, GROUPS, WITHIN, all_lanes

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64 = np.dtype(np.int64)


def _load_matrices(*, transposed: bool) -> Handler:
    """Rows of 16 bytes: eight lanes give those of one matrix, which is one phase of the banks."""

    def handler(emit: Emitter, made: Call) -> None:
        base, at = made.arguments
        dtype, place = element_of(emit.kind(base)), emit.place
        source, index, site = emit.slot(base), emit.number(at, INT64), emit.site(base, "load", ROW_BYTES)
        result = FLOAT32 if dtype == FLOAT32 else np.dtype(np.uint32)

        def load(batch: Batch) -> Any:
            all_lanes(batch, place, "ldmatrix")
            view = batch.v[source]
            if view.memory.space != "shared":
                not_shared(batch, place, site.array)
            offset, active = vectors.aligned(batch, view, batch.v[index], site)
            offset = np.broadcast_to(offset, batch.lanes)
            access.touch(batch, view.memory, offset, active, site)
            words = [access.fetch(view.memory, result, offset + 4 * word) for word in range(4)]
            rows = np.stack(words, axis=-1).reshape(-1, 4, GROUPS, WITHIN)  # warps, matrices, rows, words
            return _across(rows) if transposed else _along(rows)

        emit.define(made.target, None, load, (source, index))

    return handler


def _along(rows: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Lane 4·g + t gets word t of row g."""
    return tuple(np.ascontiguousarray(rows[:, matrix]).reshape(-1) for matrix in range(4))


def _across(rows: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Lane 4·g + t gets the 16-bit numbers of rows 2t and 2t+1 in column g."""
    halves = np.ascontiguousarray(rows).view(np.uint16)  # warps, matrices, rows, columns
    columns = np.ascontiguousarray(halves.transpose(0, 1, 3, 2)).view(np.uint32)
    return _along(columns)


HANDLERS: Vocabulary[object] = {
    ldmatrix4: _load_matrices(transposed=False),
    ldmatrix4_transposed: _load_matrices(transposed=True),
}
