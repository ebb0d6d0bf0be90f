"""Clusters of blocks: `gpuplay.intrinsics.device.hopper.clusters`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device.hopper import clusters
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import bulk_of
from gpuplay.lockstep.execution.program import Meet
from gpuplay.lockstep.record import Fault
from gpuplay.lockstep.words.ptx.hopper.barriers import barriers_at, ready
from gpuplay.lockstep.words.ptx.hopper.copies import copy

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.record import Place

INT64, UINT32, UINT16 = np.dtype(np.int64), np.dtype(np.uint32), np.dtype(np.uint16)


def _declare(t: Emitter, made: Call) -> None:
    t.build.cluster = made.signature.args[0].literal_value


def _rank(t: Emitter, made: Call) -> None:
    t.count()
    t.define(made.target, UINT32, lambda e: (access.spread(e, e.block_index[0]) % _size(e)).astype(np.uint32), ())


def _size(e: Batch) -> int:
    """Blocks of a cluster."""
    return e.program.cluster


def _sync(t: Emitter, _made: Call) -> None:
    place = t.place
    t.meet(lambda following: Meet("cluster", following, place))


def _arrive(t: Emitter, made: Call) -> None:
    base, at, rank = made.arguments
    source, index, number = t.slot(base), t.number(at, INT64), t.number(rank, UINT32)
    site = t.site(base, "load", 8)

    def arrive(e: Batch) -> None:
        lanes, columns = barriers_at(e, e.v[source], e.v[index], site)
        e.order.tick(site)
        e.changes += 1
        ranks = access.spread(e, e.v[number])[lanes].astype(np.int64)
        inside = ranks < _size(e)
        if not inside.all():
            _no_block(e, int(lanes[inside.argmin()]), int(ranks[inside.argmin()]), site.place)
        lanes, columns, ranks = lanes[inside], columns[inside], ranks[inside]
        blocks = lanes // e.width // _size(e) * _size(e) + ranks
        able = ready(e, lanes, columns, site, blocks)
        for lane, block, column in np.stack([lanes, blocks, columns])[:, able].T.tolist():
            bulk_of(e).phases.arrive(lane, block, column)

    t.emit(arrive, uses=(source, index, number))


def _copy(t: Emitter, made: Call) -> None:
    mask, place = t.number(made.arguments[7], UINT16), t.place

    def receivers(e: Batch, lane: int) -> Iterator[int]:
        bits = int(access.spread(e, e.v[mask])[lane])
        if bits >> _size(e):
            _no_block(e, lane, bits.bit_length() - 1, place)
        first = lane // e.width // _size(e) * _size(e)
        return (first + rank for rank in range(_size(e)) if bits >> rank & 1)

    copy(t, made, receivers, mask)


def _no_block(e: Batch, lane: int, rank: int, place: Place) -> None:
    thread = e.thread(lane)
    text = f"{thread} reaches for block {rank} of its cluster, which has {_size(e)}"
    e.fault(Fault("out of bounds", text, place, thread, index=(rank,), remedy="declare the cluster: cluster_of(…)"))


HANDLERS: dict[Any, Any] = {
    clusters.cluster_of: _declare,
    clusters.cluster_rank: _rank,
    clusters.cluster_sync: _sync,
    clusters.arrive_at_block: _arrive,
    clusters.copy_box_to_blocks: _copy,
}
