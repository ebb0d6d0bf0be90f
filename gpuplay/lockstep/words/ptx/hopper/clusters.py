"""Clusters of blocks: `gpuplay.intrinsics.device.hopper.clusters`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device.hopper import clusters
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import bulk_of
from gpuplay.lockstep.execution.faults.units import no_block
from gpuplay.lockstep.execution.program import Meet
from gpuplay.lockstep.words.ptx.hopper.barriers import barriers_at, ready
from gpuplay.lockstep.words.ptx.hopper.copies import copy

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64, UINT32, UINT16 = np.dtype(np.int64), np.dtype(np.uint32), np.dtype(np.uint16)


def _declare(emit: Emitter, made: Call) -> None:
    emit.build.cluster = made.signature.args[0].literal_value


def _rank(emit: Emitter, made: Call) -> None:
    emit.count()

    def rank(batch: Batch) -> Any:
        return (access.spread(batch, batch.threads.block_index[0]) % _size(batch)).astype(np.uint32)

    emit.define(made.target, UINT32, rank, ())


def _size(batch: Batch) -> int:
    """Blocks of a cluster."""
    return batch.program.cluster


def _sync(emit: Emitter, _made: Call) -> None:
    place = emit.place
    emit.meet(lambda following: Meet("cluster", following, place))


def _arrive(emit: Emitter, made: Call) -> None:
    base, at, rank = made.arguments
    source, index, number = emit.slot(base), emit.number(at, INT64), emit.number(rank, UINT32)
    site = emit.site(base, "load", 8)

    def arrive(batch: Batch) -> None:
        lanes, columns = barriers_at(batch, batch.v[source], batch.v[index], site)
        batch.order.tick(site)
        batch.changes += 1
        ranks = access.spread(batch, batch.v[number])[lanes].astype(np.int64)
        inside = ranks < _size(batch)
        if not inside.all():
            no_block(batch, site.place, int(lanes[inside.argmin()]), int(ranks[inside.argmin()]))
        lanes, columns, ranks = lanes[inside], columns[inside], ranks[inside]
        blocks = lanes // batch.width // _size(batch) * _size(batch) + ranks
        able = ready(batch, lanes, columns, site, blocks)
        for lane, block, column in np.stack([lanes, blocks, columns])[:, able].T.tolist():
            bulk_of(batch).phases.arrive(lane, block, column)

    emit.operation(arrive, uses=(source, index, number))


def _copy(emit: Emitter, made: Call) -> None:
    mask, place = emit.number(made.arguments[7], UINT16), emit.place

    def receivers(batch: Batch, lane: int) -> Iterator[int]:
        bits = int(access.spread(batch, batch.v[mask])[lane])
        if bits >> _size(batch):
            no_block(batch, place, lane, bits.bit_length() - 1)
        first = lane // batch.width // _size(batch) * _size(batch)
        return (first + rank for rank in range(_size(batch)) if bits >> rank & 1)

    copy(emit, made, receivers, mask)


HANDLERS: Vocabulary[object] = {
    clusters.cluster_of: _declare,
    clusters.cluster_rank: _rank,
    clusters.cluster_sync: _sync,
    clusters.arrive_at_block: _arrive,
    clusters.copy_box_to_blocks: _copy,
}
