"""Threads that should be together and are not: at a barrier, in a loop, as a warp, as a warpgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.lockstep.execution.program import Meet
from gpuplay.lockstep.record import WARP, Fault, FaultKind, Place, Thread

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.values import Lanes


def deadlock(batch: Batch) -> None:
    """All lanes that could run turn in loops that change nothing, while they read what others might change."""
    number = min(batch.schedule.pending)
    thread, subject, plural = _subject(batch, number)
    text = f"{subject} wait{plural} in this loop for a change that no thread can make"
    other = None
    if batch.schedule.waiting:
        barrier, who = next(iter(batch.schedule.waiting.items()))
        other = _barrier(batch, barrier).place
        text += f"; {int(who.sum())} others wait at the barrier of line {other.line}"
    started, total = batch.threads.first_block + batch.blocks, batch.launch.blocks
    if started < total:
        text += f"; blocks {started} to {total - 1} have not started, and need not before these end"
    remedy = "release what is held on every path; wait only for blocks of a cooperative launch"
    batch.fault(Fault("deadlock", text, batch.program.place_of(number), thread, other, remedy=remedy))


def endless(batch: Batch, number: int) -> None:
    """Lanes turn in a loop that changes nothing and reads nothing that others change."""
    thread, subject, plural = _subject(batch, number)
    text = f"{subject} turn{plural} in this loop for ever: its condition stays true, and nothing it depends on changes"
    remedy = "let each turn come nearer to the end, or give the turns a limit"
    batch.fault(Fault("endless", text, batch.program.place_of(number), thread, remedy=remedy))


def _subject(batch: Batch, number: int) -> tuple[Thread, str, str]:
    """The first thread at a block of the program, all that are there in words, and the ending of their verb."""
    mask = batch.schedule.pending[number]
    thread, others = batch.thread(mask.first), mask.lanes - 1
    if not others:
        return thread, str(thread), "s"
    return thread, f"{thread} and {others} other thread{'s' if others > 1 else ''}", ""


def missed_barrier(batch: Batch, left_at: Place | None = None, who: Lanes | None = None) -> None:
    """Threads of a block wait at a barrier that others of the block, such as those who just left, will not reach."""
    schedule = batch.schedule
    number, waiting = next(iter(schedule.waiting.items()))
    first = int(waiting.argmax())
    block = slice(first // batch.width * batch.width, (first // batch.width + 1) * batch.width)
    here = waiting[block]
    there = (schedule.alive | schedule.ended | (who if who is not None else False))[block] & ~here
    other_thread = batch.thread(block.start + int(there.argmax())) if there.any() else None
    thread = batch.thread(first)
    remedy = "let all threads of the block take the same path to cuda.syncthreads()"
    others = [m for m in schedule.waiting if m != number]
    other = None
    if left_at is not None:
        does = f"finishes at line {left_at.line} without reaching it"
    elif others:
        other = _barrier(batch, others[0]).place
        does = f"waits at the barrier of line {other.line}"
        if other == _barrier(batch, number).place:
            does = "waits at another barrier of this line: a `while` has its condition twice, at its top and at its end"
            remedy = "write `while True:` and `if not …: break` with the barrier in that one condition"
    else:
        does = "has ended without reaching it" if schedule.ended[block].any() else "cannot reach it"
    name = f"{other_thread} {does}" if other_thread else f"another thread {does}"
    batch.fault(
        Fault(
            "barrier",
            f"{thread} waits at this barrier with {int(here.sum()) - 1} others of its block, but {name}",
            _barrier(batch, number).place,
            thread,
            other,
            other_thread,
            remedy=remedy,
        )
    )


def _barrier(batch: Batch, number: int) -> Meet:
    """The barrier at the end of a block of the program."""
    end = batch.program.blocks[number].end
    assert isinstance(end, Meet)
    return end


def missing_lane(batch: Batch, kind: FaultKind, place: Place, lane: int, other: int, text: str) -> None:
    """A lane of the batch names, or reads, lane ``other`` of its warp, which is not there."""
    mine, position = batch.thread(lane), lane // WARP * WARP + other
    theirs = batch.thread(position) if batch.threads.exists[position] else None
    batch.fault(
        Fault(
            kind,
            f"{mine}: {text}: lane {other} ({theirs or 'which this block does not have'})",
            place,
            mine,
            other_thread=theirs,
            remedy="let all lanes of the mask execute it, or name only those that do",
        )
    )


def part_of_warp(batch: Batch, place: Place, lane: int, missing: int, what: str) -> None:
    """A lane of the batch does what takes a whole warp without lane ``missing`` of its warp."""
    mine, position = batch.thread(lane), lane // WARP * WARP + missing
    theirs = batch.thread(position) if batch.threads.exists[position] else None
    text = f"{mine}: {what} without lane {missing} ({theirs or 'which this block does not have'})"
    remedy = "let all 32 lanes of the warp execute it together"
    batch.fault(Fault("warp", text, place, mine, other_thread=theirs, remedy=remedy))


def part_of_warpgroup(batch: Batch, place: Place, what: str) -> None:
    """Active threads do what takes a whole warpgroup without some of theirs."""
    thread = batch.thread(batch.mask.first)
    text = f"{thread}: {what} without all 128 threads of its warpgroup, four warps from one divisible by four on"
    batch.fault(Fault("warp", text, place, thread, remedy="let all threads of the warpgroup execute it together"))
