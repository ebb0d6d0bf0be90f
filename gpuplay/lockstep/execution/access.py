"""Loads, stores and atomics of all active lanes at once: bounds, order, unset words, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution.faults.accesses import changed, out_of_bounds, race, under_way, unset
from gpuplay.lockstep.memory import shadow
from gpuplay.lockstep.memory.atomic_loops import perform, perform_backwards
from gpuplay.lockstep.memory.traffic import contention, sectors, wavefronts
from gpuplay.lockstep.memory.values import Pointer, View, uniform

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.allocation import Allocation
    from gpuplay.lockstep.memory.sites import Site
    from gpuplay.lockstep.memory.values import Lanes, Number, Vector

ALIGNMENT = 256  # bytes: what an array that owns its memory begins at a multiple of
PUT_BY = 64  # loads of shared memory that wait to be entered: a few megabytes of offsets
_ACTIONS = {"load": shadow.LOAD, "store": shadow.STORE, "atomic": shadow.ATOMIC}


def locate(
    batch: Batch, view: View, indices: tuple[Number, ...], site: Site, lanes: Lanes | None = None
) -> tuple[Number, Lanes]:
    """The byte offset of an element for each active lane, and the lanes whose indices are within bounds.

    ``lanes`` are those that make the access, where they are fewer than the active ones.
    """
    active = batch.mask.array if lanes is None else lanes
    offset = view.offset
    site.view = view
    if uniform(offset):
        site.base = int(offset)
        site.offset = 0 if view.memory.period else (site.base + view.memory.skew) % ALIGNMENT
    varying: list[int] = []
    for axis, index in enumerate(indices):
        extent = view.shape[axis]
        if not (uniform(index) and uniform(extent)):
            varying.append(axis)
        elif 0 <= index < extent:
            offset = offset + np.int64(index) * view.strides[axis]
        else:
            out_of_bounds(batch, site, view, indices, axis, batch.mask.first)
            return np.int64(0), np.zeros_like(active)
    if not varying:
        return offset, active
    vector = np.full(batch.lanes, offset) if uniform(offset) else offset.copy()
    active = active.copy()
    for axis in varying:
        index, extent = spread(batch, indices[axis]), view.shape[axis]
        if not uniform(extent):
            beyond = active & (index >= extent)
            if beyond.any():
                out_of_bounds(batch, site, view, indices, axis, int(beyond.argmax()))
                active &= ~beyond
            extent = np.int64(extent.max())
        bad = shadow.locate(active, index, extent, view.strides[axis], vector)
        if bad >= 0:
            out_of_bounds(batch, site, view, indices, axis, int(bad))
    return vector, active


def spread(batch: Batch, value: Number) -> Vector:
    """A number as a vector over lanes, contiguous."""
    if isinstance(value, np.ndarray):
        return value
    return np.full(batch.lanes, value)


def load(batch: Batch, view: View, indices: tuple[Number, ...], site: Site) -> Any:
    """The elements at these indices: numbers, or pointers where the elements are records."""
    strays = batch.strays
    offset, active = locate(batch, view, indices, site)
    if view.dtype.fields is not None:
        return Pointer(view.memory, view.dtype, offset)
    touch(batch, view.memory, offset, active, site)
    value = fetch(view.memory, view.dtype, offset)
    return value if batch.strays == strays else np.where(active, value, view.dtype.type(0))


def fetch(memory: Allocation, dtype: np.dtype[Any], offset: Number) -> Any:
    """What stands at a byte offset."""
    elements = memory.typed(dtype)
    if not elements.size:
        return dtype.type(0) if uniform(offset) else np.zeros(offset.shape, dtype)
    if uniform(offset):
        return elements[offset // dtype.itemsize]
    return elements.take(_elements(offset, dtype.itemsize), mode="clip")


def store(batch: Batch, view: View, indices: tuple[Number, ...], value: Any, site: Site) -> None:
    """Write one value for each active lane; of lanes that meet at one word, the last wins."""
    offset, active = locate(batch, view, indices, site)
    touch(batch, view.memory, offset, active, site)
    put(batch, view.memory, view.dtype, offset, active, value)


def put(batch: Batch, memory: Allocation, dtype: np.dtype[Any], offset: Number, active: Lanes, value: Number) -> None:
    """Write at a byte offset for each active lane."""
    elements = memory.typed(dtype)
    places = _elements(spread(batch, offset), dtype.itemsize)[active]
    values = value if uniform(value) else value[active]
    before = elements[places] if batch.comparing else None
    elements[places] = values
    batch.changes += before is None or bool((before.view(np.uint8) != elements[places].view(np.uint8)).any())


def update(
    batch: Batch, view: View, indices: tuple[Number, ...], operation: str, value: Any, compare: Any, site: Site
) -> Any:
    """An atomic read-modify-write, lane after lane or from the last one on: the values that stood there before."""
    offset, active = locate(batch, view, indices, site)
    offsets = spread(batch, offset)
    touch(batch, view.memory, offsets, active, site)
    elements = view.memory.typed(view.dtype)
    old = np.zeros(batch.lanes, view.dtype)
    values = spread(batch, value)
    compares = values if compare is None else spread(batch, compare)
    served = (_elements(offsets, view.dtype.itemsize), active, values, compares, old)
    batch.changes += (perform_backwards if batch.launch.last_first else perform)(operation, elements, *served)
    site.worst = max(site.worst, contention(active, offsets)[2])
    if view.memory.space == "global":
        words = offsets >> view.memory.shift
        if view.memory.hits.size:
            np.add.at(view.memory.hits, words[active], 1)
            site.hottest = max(site.hottest, int(view.memory.hits[words[active]].max(initial=0)))
        batch.order.atomic(id(view.memory), words, active, last_first=batch.launch.last_first)
    return old


def touch(batch: Batch, memory: Allocation, offset: Number, active: Lanes, site: Site) -> None:
    """Count an access of the active lanes and check it against everything that is remembered."""
    site.space = memory.space
    now = batch.order.tick(site)
    remembered = memory.written.size or memory.watched
    if uniform(offset) and memory.space in ("global", "constant") and not remembered:
        _count_uniform(batch, memory, int(offset), active, site)
        return
    offsets = spread(batch, offset)
    count(batch, memory, offsets, active, site)
    if remembered:
        _check(batch, memory, offsets, active, site, now)
    if batch.bulk is not None and memory.space == "shared":
        batch.bulk.touched(batch, memory, offsets, active, site)


def check(batch: Batch, memory: Allocation, offset: Vector, active: Lanes, site: Site) -> None:
    """Check an access of the active lanes against everything that is remembered; it was counted elsewhere."""
    site.space = memory.space
    now = batch.order.tick(site)
    if memory.written.size or memory.watched:
        _check(batch, memory, offset, active, site, now)


def claim(memory: Allocation, offset: Vector, active: Lanes, site: Site) -> None:
    """An asynchronous copy into these words was begun by ``site``: nobody may touch them until it arrives."""
    if not memory.claims.size:
        memory.claims = np.zeros(memory.words, np.int32)
    span = max(site.width >> memory.shift, 1)
    memory.claimed += int(shadow.claim(active, offset, memory.shift, span, memory.claims, 1))


def release(batch: Batch, memory: Allocation, offset: Vector, active: Lanes, site: Site) -> None:
    """The copy that ``site`` began has arrived: from now on its words are as the lanes' own stores would leave them."""
    span = max(site.width >> memory.shift, 1)
    memory.claimed += int(shadow.claim(active, offset, memory.shift, span, memory.claims, 0))
    now = batch.order.tick(site)
    _history(batch, memory, shadow.STORE, now, offset, active, site.width)  # what conflicts was told at the access
    memory.last_write = now


def refuse_changed(batch: Batch, memory: Allocation, offset: Number, active: Lanes, site: Site) -> None:
    """A fault where an active lane reads, by a path that does not see it, what this launch wrote."""
    if memory.watched:
        span = max(site.width >> memory.shift, 1)
        lane, word = shadow.written(active, spread(batch, offset), memory.shift, span, memory.history)
        if lane >= 0:
            owner, time = memory.history[word, :2].tolist()
            changed(batch, site, memory, int(lane), owner - 1, time, int(word) << memory.shift)


def _check(batch: Batch, memory: Allocation, offset: Vector, active: Lanes, site: Site, now: int) -> None:
    """Copies under way, unset words and races."""
    action, span = _ACTIONS[site.action], max(site.width >> memory.shift, 1)
    if memory.claimed:
        lane, word = shadow.claimed(active, offset, memory.shift, span, memory.claims)
        if lane >= 0:
            under_way(batch, site, memory, int(lane), int(memory.claims[word]) - 1, int(word) << memory.shift)
    if memory.may_be_unset():
        bare = shadow.mark(action, active, offset, memory.shift, span, memory.written)
        if bare >= 0:
            unset(batch, site, memory, int(offset[bare]), int(bare))
    if memory.watched:
        batch.polls += site.action != "store"
        _find_races(batch, memory, offset, active, site, now)


def _find_races(batch: Batch, memory: Allocation, offset: Vector, active: Lanes, site: Site, now: int) -> None:
    """Look for unordered accesses to the same words.

    Loads of shared memory that nobody wrote since the last barrier are only put by: they matter where a
    write follows before the next barrier, which in a tiled loop is never.
    """
    order = batch.order
    if memory.space == "shared":
        met = order.met()
        if site.action == "load" and memory.last_write <= met and len(memory.put_by) < PUT_BY:
            memory.put_by.append((now, offset, active, site.width))
            return
        for then, offsets, lanes, width in memory.put_by:
            if then > met:
                _history(batch, memory, shadow.LOAD, then, offsets, lanes, width)
        memory.put_by.clear()
    found = _history(batch, memory, _ACTIONS[site.action], now, offset, active, site.width)
    if site.action != "load":
        memory.last_write = now
    for lane, earlier, time, kind in batch.conflicts[:found].tolist():
        if not order.excused(earlier, time, lane):
            race(batch, site, memory, lane, earlier, time, kind, int(offset[lane - order.first_lane]))


def _history(batch: Batch, memory: Allocation, action: int, now: int, offset: Vector, active: Lanes, width: int) -> int:
    """Enter an access into the history of the memory's words: how many conflicts it has."""
    span = max(width >> memory.shift, 1)
    times = batch.order.times()
    return int(shadow.check(action, now, active, offset, memory.shift, span, memory.history, times, batch.conflicts))


def count(batch: Batch, memory: Allocation, offset: Vector, active: Lanes, site: Site) -> None:
    """Count what an access of the active lanes costs."""
    if memory.space == "global":
        addresses = offset + memory.skew if memory.skew else offset
        requests, cost, ideal, lanes, warp, worst, least = sectors(active, addresses, site.width)
        ways = 1
    elif memory.space == "shared":
        requests, cost, ideal, ways, lanes, warp, worst = wavefronts(active, offset, site.width)
        site.ways = max(site.ways, ways)
        least = 0
    else:
        site.bytes_asked += int(np.count_nonzero(active)) * site.width
        return
    site.requests += requests
    site.cost += cost
    site.ideal += ideal
    site.bytes_asked += lanes * site.width
    if requests and (site.map is None or worst > site.map.cost):
        _draw(batch, memory, offset, active, site, warp, worst, least, ways)


def _draw(
    batch: Batch,
    memory: Allocation,
    offset: Vector,
    active: Lanes,
    site: Site,
    warp: int,
    worst: int,
    least: int,
    ways: int,
) -> None:
    """Keep the worst warp's addresses, where they are worse than those kept so far."""
    if memory.space == "shared":
        phases = max(site.width // 4, 1)
        groups = active[warp * 32 : warp * 32 + 32].reshape(phases, -1)
        least = int(groups.any(axis=1).sum())
    lanes = slice(warp * 32, warp * 32 + 32)
    base = int(offset[lanes].max()) // memory.period * memory.period if memory.period else site.base
    addresses = tuple(int(at) - base if here else None for at, here in zip(offset[lanes], active[lanes], strict=True))
    site.draw(addresses, batch.thread(warp * 32), worst, least, ways if memory.space == "shared" else 1)


def _count_uniform(batch: Batch, memory: Allocation, offset: int, active: Lanes, site: Site) -> None:
    """All lanes of all warps touch one element: a broadcast."""
    mask = batch.mask
    if memory.space == "constant" or active is not mask.array:
        return
    start = offset + memory.skew
    cost = (start + site.width - 1) // 32 - start // 32 + 1
    site.requests += mask.warps
    site.cost += mask.warps * cost
    site.ideal += mask.warps * -(-site.width // 32)
    site.bytes_asked += mask.lanes * site.width
    if site.map is None:
        first = mask.first // 32 * 32
        lanes = batch.mask.array[first : first + 32]
        site.draw(tuple(offset - site.base if here else None for here in lanes), batch.thread(mask.first), cost, 1, 1)


def _elements(offset: Vector, itemsize: int) -> Vector:
    """Byte offsets as element numbers."""
    if itemsize & (itemsize - 1):
        return offset // itemsize
    return offset >> (itemsize.bit_length() - 1)
