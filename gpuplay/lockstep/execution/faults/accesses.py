"""Accesses to memory that are out of bounds, unordered, of unset words, misaligned; and division by zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution.faults.statements import by_one_statement
from gpuplay.lockstep.memory import shadow
from gpuplay.lockstep.record import Fault, Place

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.allocation import Allocation
    from gpuplay.lockstep.memory.sites import Site
    from gpuplay.lockstep.memory.values import Number, View

_VERBS = {"load": "reads", "store": "writes", "atomic": "updates"}
_DONE = {shadow.LOAD: "read", shadow.STORE: "wrote", shadow.ATOMIC: "updated"}


def at_lane(value: Number, lane: int) -> Any:
    """A number as one lane sees it."""
    return value.item() if isinstance(value, np.generic) else value[lane].item()


def out_of_bounds(batch: Batch, site: Site, view: View, indices: tuple[Number, ...], axis: int, lane: int) -> None:
    """An index below 0 or beyond the extent of its axis."""
    batch.strays += 1
    index = tuple(at_lane(i, lane) for i in indices)
    extent = at_lane(view.shape[axis], lane)
    thread = batch.thread(lane)
    many = f"{extent} element{'' if extent == 1 else 's'}"
    which = f"axis {axis} has {many}" if len(index) > 1 else f"it has {many}"
    wraps = ": Numba would wrap it round to the end" if -extent <= index[axis] < 0 else ""
    batch.fault(
        Fault(
            "out of bounds",
            f"{thread} {_VERBS[site.action]} {site.array}[{', '.join(map(str, index))}], but {which}{wraps}",
            site.place,
            thread,
            array=site.array,
            index=index,
            remedy="guard the access, as in `if i > 0:`" if index[axis] < 0 else "guard the access, as in `if i < n:`",
        )
    )


def beyond_axis(batch: Batch, place: Place, lane: int, at: int, extent: int) -> None:
    """A part of an axis, or of a tuple, that does not exist."""
    thread = batch.thread(lane)
    text = f"{thread} takes the part {at} of an axis that has {extent}"
    remedy = "guard the access, as in `if i < n:`"
    batch.fault(Fault("out of bounds", text, place, thread, index=(at,), remedy=remedy))


def unset(batch: Batch, site: Site, memory: Allocation, offset: int, lane: int) -> None:
    """A word that nobody has written."""
    thread = batch.thread(lane)
    index = _index(site, memory, offset, lane)
    element = f"{site.array}[{', '.join(map(str, index))}]"
    batch.fault(
        Fault(
            "unset",
            f"{thread} {_VERBS[site.action]} {element} ({memory.space} memory) before any thread wrote it",
            site.place,
            thread,
            array=site.array,
            index=index,
            remedy="set the word first, for every thread that may read it",
        )
    )


def race(
    batch: Batch, site: Site, memory: Allocation, lane: int, earlier: int, time: int, kind: int, offset: int
) -> None:
    """Two accesses to one word, one of them a write, with nothing that orders them."""
    before: Site = batch.order.sites[time]
    mine, theirs = batch.threads.thread_of(lane), batch.threads.thread_of(earlier)
    index = _index(site, memory, offset, lane - batch.order.first_lane)
    element = f"{site.array}[{', '.join(map(str, index))}]"
    if site.place == before.place and (advice := by_one_statement(site, kind)):
        remedy = advice
    elif mine.block != theirs.block:
        remedy = "blocks run in any order: let one block own each word, use atomics, or split the launch"
    elif lane // 32 == earlier // 32:
        remedy = "lanes of a warp need not run in step: put cuda.syncwarp() or cuda.syncthreads() between"
    else:
        remedy = "put cuda.syncthreads() between the two"
    batch.fault(
        Fault(
            "race",
            f"{mine} {_VERBS[site.action]} {element}, which {theirs} {_DONE[kind]} at line "
            f"{before.place.line}, and nothing orders the two",
            site.place,
            mine,
            before.place,
            theirs,
            site.array,
            index,
            _word(site, memory, offset),
            remedy,
        )
    )


def under_way(batch: Batch, site: Site, memory: Allocation, lane: int, owner: int, offset: int) -> None:
    """A word into which an asynchronous copy is under way: lane ``owner`` of the batch has not waited for it."""
    copy = batch.copies.holding(memory, owner, offset)
    mine, theirs = batch.thread(lane), batch.thread(owner)
    index = _index(site, memory, offset, lane)
    whose = "it" if lane == owner else str(theirs)
    commit = "commit_copies(), then " if copy.group[owner] == batch.copies.open[owner] else ""
    order = "" if lane == owner else " by the thread that copies, then cuda.syncthreads(),"
    batch.fault(
        Fault(
            "race",
            f"{mine} {_VERBS[site.action]} {site.array}[{', '.join(map(str, index))}], into which {whose} began a copy "
            f"at line {copy.site.place.line} that nobody has waited for",
            site.place,
            mine,
            copy.site.place,
            theirs,
            site.array,
            index,
            remedy=f"put {commit}wait_for_copies(…){order} before the access",
        )
    )


def changed(batch: Batch, site: Site, memory: Allocation, lane: int, writer: int, time: int, offset: int) -> None:
    """A word that was written in this launch, read by the path for what never changes while one runs."""
    before: Site = batch.order.sites[time]
    mine, theirs = batch.thread(lane), batch.threads.thread_of(writer)
    index = _index(site, memory, offset, lane)
    text = f"{mine} reads {site.array}[{', '.join(map(str, index))}] by the read-only path, but {theirs} wrote it at "
    text += f"line {before.place.line} of the same launch"
    remedy = "load it by the ordinary path, or write it in an earlier launch"
    batch.fault(Fault("race", text, site.place, mine, before.place, theirs, site.array, index, remedy=remedy))


def changed_under_copy(batch: Batch, site: Site, memory: Allocation, lane: int, offset: int) -> None:
    """A word of global memory that was written while an asynchronous copy from it was under way."""
    thread = batch.thread(lane)
    index = _index(site, memory, offset, lane)
    text = f"{thread} copies {site.array}[{', '.join(map(str, index))}], which is written while the copy is under way"
    remedy = "wait for the copy before anyone writes what it reads"
    batch.fault(Fault("race", text, site.place, thread, array=site.array, index=index, remedy=remedy))


def too_many(batch: Batch, site: Site, lane: int, given: int, most: int) -> None:
    """A copy whose count is none of those that the instruction has."""
    thread = batch.thread(lane)
    text = f"{thread} copies {given} elements of {site.array}; a copy at this line takes 0 to {most}"
    remedy = f"clip the count, as in `min(max(n - i, 0), {most})`"
    batch.fault(Fault("out of bounds", text, site.place, thread, array=site.array, remedy=remedy))


def misaligned(batch: Batch, site: Site, lane: int, index: Number) -> None:
    """A wide access whose address is no multiple of its width."""
    thread, at, width = batch.thread(lane), at_lane(index, lane), site.width
    text = (
        f"{thread} {_VERBS[site.action]} {width} bytes at {site.array}[{at}], whose address is no multiple of {width}"
    )
    remedy = f"let the index be a multiple of {width // _itemsize(site)}"
    batch.fault(Fault("alignment", text, site.place, thread, array=site.array, index=(at,), remedy=remedy))


def division(batch: Batch, place: Place, dividend: Number, divisor: Number) -> None:
    """A whole number divided by zero, where some active lane does so."""
    if isinstance(divisor, np.generic):
        bad = batch.mask.array if divisor == 0 else None
    else:
        zero = divisor == 0
        bad = zero & batch.mask.array if zero.any() else None
    if bad is None or not bad.any():
        return
    lane = int(bad.argmax())
    thread, value = batch.thread(lane), str(at_lane(dividend, lane))
    text = f"{thread} divides {value} by zero, and gets 0"
    batch.fault(Fault("division", text, place, thread, value=value, remedy="guard the division"))


def unaligned_array(batch: Batch, site: Site, lane: int, alignment: int) -> None:
    """A wide access to a shared array that may begin anywhere: it works while the compiler places it well."""
    thread, width = batch.thread(lane), site.width
    text = (
        f"{thread} {_VERBS[site.action]} {width} bytes of {site.array}, an array that is aligned to {alignment} alone"
    )
    remedy = f"declare it by cuda.shared.array(…, alignment={width})"
    batch.fault(Fault("alignment", text, site.place, thread, array=site.array, remedy=remedy))


def _itemsize(site: Site) -> int:
    """Bytes of an element of the array that a site touched last."""
    assert site.view is not None
    return site.view.dtype.itemsize


def _word(site: Site, memory: Allocation, offset: int) -> str:
    """What stands in an element before the access; '' where the line accesses a field, or several elements at once."""
    view = site.view
    if view is None or view.memory is not memory or view.dtype.fields or view.dtype.itemsize != site.width:
        return ""
    return str(memory.typed(view.dtype)[offset // site.width])


def _index(site: Site, memory: Allocation, offset: int, lane: int) -> tuple[int, ...]:
    """The indices of an element in its array as the line names it, from its byte offset; of records, its number."""
    view = site.view
    if view is None or view.memory is not memory or 0 in view.strides:
        within = offset % memory.period if memory.period else offset - site.base
        return (within // site.width,)
    rest, indices = offset - at_lane(np.asarray(view.offset)[()], lane), [0] * len(view.strides)
    for axis in sorted(range(len(view.strides)), key=lambda axis: -abs(view.strides[axis])):
        indices[axis], rest = divmod(rest, view.strides[axis])
    return tuple(indices)
