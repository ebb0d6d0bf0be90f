"""What the lanes of a warp do together: shuffles, votes, matches, syncwarp, masks.

Semantics are those of the CUDA C++ Programming Guide, "Warp Vote Functions", "Warp Match Functions" and
"Warp Shuffle Functions". Every lane named in a mask has to be there; a lane that has left is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.execution.faults.meetings import missing_lane
from gpuplay.lockstep.front.dtypes import dtype_of
from gpuplay.lockstep.record import FaultKind, Place

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot

LANES = np.arange(32)
BITS = np.left_shift(np.int64(1), LANES)
INT32, UINT32 = np.dtype(np.int32), np.dtype(np.uint32)


def _members(batch: Batch, mask: Any) -> NDArray[np.bool_]:
    """(warps, 32, 32): does the mask of a lane name a lane of its warp."""
    bits = np.broadcast_to(np.asarray(mask).astype(np.int64), batch.lanes).reshape(-1, 32)
    named: NDArray[np.bool_] = (bits[:, :, None] & BITS) != 0
    return named


def _together(batch: Batch, mask: Any, place: Place, what: str, kind: FaultKind = "shuffle") -> NDArray[np.bool_]:
    """Which lanes take part with each lane, (warps, 32, 32); a fault where a named lane lives and is elsewhere."""
    active = batch.mask.array.reshape(-1, 32)
    named = _members(batch, mask)
    live = batch.schedule.alive.reshape(-1, 32)
    absent = named & (live & ~active)[:, None, :] & active[:, :, None]
    if absent.any():
        warp, lane, other = (int(i[0]) for i in np.nonzero(absent))
        missing_lane(batch, kind, place, warp * 32 + lane, other, f"{what} names a lane that is not here")
    together: NDArray[np.bool_] = named & active[:, None, :]
    return together


def _number(emit: Emitter, made: Call, position: int) -> tuple[Slot, np.dtype[Any]]:
    """The slot and dtype of an argument, as the signature has it."""
    dtype = dtype_of(made.signature.args[position])
    if dtype is None:
        raise emit.unsupported(f"a warp function of {made.signature.args[position]}")
    return emit.number(made.arguments[position], dtype), dtype


def _shuffle(source_of: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], name: str) -> Handler:
    """A shuffle: ``source_of(lane, operand)`` is the lane to read from, its own where out of range."""

    def handler(emit: Emitter, made: Call) -> None:
        mask, _ = _number(emit, made, 0)
        value, dtype = _number(emit, made, 1)
        operand, _ = _number(emit, made, 2)
        place = emit.place
        emit.count(shuffles=1)

        def shuffle(batch: Batch) -> Any:
            active = batch.mask.array.reshape(-1, 32)
            _together(batch, batch.v[mask], place, name)
            by = np.broadcast_to(batch.v[operand], batch.lanes).reshape(-1, 32).astype(np.int64)
            source = source_of(np.broadcast_to(LANES, by.shape), by)
            there = np.take_along_axis(active, source, axis=1)
            lost = active & ~there
            if lost.any():
                warp, lane = (int(i[0]) for i in np.nonzero(lost))
                other, text = int(source[warp, lane]), f"{name} reads a lane that is not active"
                missing_lane(batch, "shuffle", place, warp * 32 + lane, other, text)
            values = np.broadcast_to(batch.v[value], batch.lanes).reshape(-1, 32)
            return np.take_along_axis(values, source, axis=1).reshape(-1)

        emit.define(made.target, dtype, shuffle, (mask, value, operand))

    return handler


def _up(lane: NDArray[Any], by: NDArray[Any]) -> NDArray[Any]:
    return np.where(lane - by >= 0, lane - by, lane)


def _down(lane: NDArray[Any], by: NDArray[Any]) -> NDArray[Any]:
    return np.where((lane + by < 32) & (by >= 0), lane + by, lane)


def _xor(lane: NDArray[Any], by: NDArray[Any]) -> NDArray[Any]:
    return np.where((lane ^ by) < 32, lane ^ by, lane) & 31


def _vote(decide: Callable[[Any, Any], Any], name: str) -> Handler:
    """A vote: ``decide(those that take part, those of them for which it holds)``, both (warps, 32, 32)."""

    def handler(emit: Emitter, made: Call) -> None:
        mask, _ = _number(emit, made, 0)
        predicate, _ = _number(emit, made, 1)
        dtype = dtype_of(made.signature.return_type)
        place = emit.place
        emit.count(shuffles=1)

        def vote(batch: Batch) -> Any:
            part = _together(batch, batch.v[mask], place, name)
            holds = np.broadcast_to(batch.v[predicate] != 0, batch.lanes).reshape(-1, 1, 32)
            return decide(part, part & holds).reshape(-1).astype(dtype)

        emit.define(made.target, dtype, vote, (mask, predicate))

    return handler


def _ballot(_part: Any, holding: Any) -> Any:
    return (holding * BITS).sum(axis=2).astype(np.uint32)


def _match(*, all_equal: bool) -> Handler:
    """A match with the lanes whose value is equal, or with all lanes where every value is."""
    name = "match_all_sync" if all_equal else "match_any_sync"

    def handler(emit: Emitter, made: Call) -> None:
        mask, _ = _number(emit, made, 0)
        value, _ = _number(emit, made, 1)
        place = emit.place
        emit.count(shuffles=1)

        def match(batch: Batch) -> Any:
            part = _together(batch, batch.v[mask], place, name)
            values = np.broadcast_to(batch.v[value], batch.lanes).reshape(-1, 32)
            equal = part & (values[:, :, None] == values[:, None, :])
            found = _ballot(part, equal).view(np.int32).reshape(-1)
            if not all_equal:
                return found
            every = (equal == part).all(axis=2).reshape(-1)
            return np.where(every, _ballot(part, part).view(np.int32).reshape(-1), np.int32(0)), every

        emit.define(made.target, None, match, (mask, value))

    return handler


def _syncwarp(emit: Emitter, made: Call) -> None:
    place = emit.place
    mask = emit.number(made.arguments[0], dtype_of(made.signature.args[0])) if made.arguments else None
    emit.count()

    def sync(batch: Batch) -> None:
        bits = np.int64(-1) if mask is None else batch.v[mask]
        _together(batch, bits, place, "syncwarp", "barrier")
        members = np.broadcast_to(np.asarray(bits).astype(np.int64) & 0xFFFFFFFF, batch.lanes)
        live = batch.schedule.alive.reshape(-1, 32)
        whole = (batch.mask.array.reshape(-1, 32) == live).all(axis=1) & live.any(axis=1)
        whole &= (_members(batch, bits) | ~live[:, None, :]).all(axis=(1, 2))
        batch.order.tick(place)
        batch.order.syncwarp(batch.mask.array, whole, members)

    emit.operation(sync, uses=() if mask is None else (mask,))


def _activemask(emit: Emitter, made: Call) -> None:
    emit.count(integer=1)

    def active(batch: Batch) -> Any:
        bits = (batch.mask.array.reshape(-1, 32) * BITS).sum(axis=1).astype(np.uint32)
        return np.repeat(bits, 32)

    emit.define(made.target, UINT32, active, ())


def _lanemask_lt(emit: Emitter, made: Call) -> None:
    emit.count(integer=1)
    below = (BITS - 1).astype(np.uint32)
    emit.define(made.target, UINT32, lambda batch: np.tile(below, batch.lanes // 32), ())


HANDLERS: Vocabulary[str] = {
    "shfl_sync": _shuffle(lambda _lane, by: by & 31, "shfl_sync"),
    "shfl_up_sync": _shuffle(_up, "shfl_up_sync"),
    "shfl_down_sync": _shuffle(_down, "shfl_down_sync"),
    "shfl_xor_sync": _shuffle(_xor, "shfl_xor_sync"),
    "all_sync": _vote(lambda part, holding: (part == holding).all(axis=2), "all_sync"),
    "any_sync": _vote(lambda _part, holding: holding.any(axis=2), "any_sync"),
    "eq_sync": _vote(lambda part, holding: (part == holding).all(axis=2) | ~holding.any(axis=2), "eq_sync"),
    "ballot_sync": _vote(_ballot, "ballot_sync"),
    "match_any_sync": _match(all_equal=False),
    "match_all_sync": _match(all_equal=True),
    "syncwarp": _syncwarp,
    "activemask": _activemask,
    "lanemask_lt": _lanemask_lt,
}
