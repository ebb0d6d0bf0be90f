"""Outer products of `gpuplay.intrinsics.device.register_tiles`: for every lane, and for every element, one fma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpuplay.intrinsics.device.register_tiles import add_outer
from gpuplay.lockstep.scalars import compiled

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def _add_outer(emit: Emitter, made: Call) -> None:
    tile, column, row = (emit.slot(name) for name in made.arguments)
    kind = made.signature.return_type
    emit.count(instructions=kind.count, **{str(kind.dtype): 2 * kind.count})

    def add(batch: Batch) -> Any:
        sums = iter(batch.v[tile])
        return tuple(compiled.fma(a, b, next(sums)) for a in batch.v[column] for b in batch.v[row])

    emit.define(made.target, None, add, (tile, column, row))


HANDLERS: Vocabulary[object] = {add_outer: _add_outer}
