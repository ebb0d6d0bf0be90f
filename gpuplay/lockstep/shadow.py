"""Shadow memory: for each word, who touched it last, and whether that is ordered before the next access.

After a happens-before detector with a bounded history (the scheme of Eizenberg et al., "BARRACUDA",
PLDI 2017, and of Kamath and Basu, "iGUARD", SOSP 2021): a word keeps its last plain write, and three
plain reads and three atomics each: the last one, the last by another thread of the same block, and the
last by another block. Time is the number of the memory instruction; a thread is known by its lane,
numbered through the grid with every block padded to whole warps.

Tables hold pairs (lane + 1, time) and zeros where there was none; an empty table is not kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LOAD, STORE, ATOMIC = 0, 1, 2
WRITES, READS = 2, 6  # columns: one pair, three pairs

# What a conflict row holds: this lane, the earlier lane, the earlier time, what the earlier access was.
ROW = 4


@njit(cache=True, inline="always")
def _ordered(
    before: Any,
    time: Any,
    lane: Any,
    first: Any,
    last: Any,
    start: Any,
    barrier: Any,
    whole: Any,
    part: Any,
    member: Any,
) -> Any:
    """Is the access of lane ``before`` at ``time`` ordered before what ``lane`` does now, fences aside?"""
    if before == lane or time <= start:
        return True
    if before < first or before >= last:
        return False
    if time <= barrier:
        return True
    if before // 32 != lane // 32:
        return False
    return time <= whole or (time <= part and (member >> (before % 32)) & 1 != 0)


@njit(cache=True, inline="always")
def _remember(table: Any, word: Any, lane: Any, now: Any, first: Any, last: Any) -> None:
    """Enter an access into a table of three pairs: latest, another thread of the block, another block."""
    latest = table[word, 0]
    if latest != lane + 1:
        if latest != 0:
            column = 2 if first <= latest - 1 < last else 4
            table[word, column] = latest
            table[word, column + 1] = table[word, 1]
        table[word, 0] = lane + 1
    table[word, 1] = now


@njit(cache=True)
def check(
    action: int,
    active: Any,
    offsets: Any,
    shift: int,
    span: int,
    first_lane: int,
    warps_per_block: int,
    now: int,
    needs_written: bool,
    written: Any,
    writes: Any,
    reads: Any,
    atomics: Any,
    start: int,
    barriers: Any,
    whole: Any,
    part: Any,
    members: Any,
    conflicts: Any,
) -> tuple[int, int]:
    """Check one access of all active lanes and enter it: (number of conflicts, first lane that reads an unset word).

    ``offsets`` (lanes,) are in bytes, a word has ``2**shift`` bytes, an access takes ``span`` words.
    ``start`` is the time when the grid was last in step: at the launch, at a grid sync. For the lanes of this batch ``barriers`` (blocks,) is the time of the last barrier of each block, ``whole``
    (warps,) of the last syncwarp of all lanes, ``part`` and ``members`` (lanes,) time and mask of the last
    of some. ``conflicts`` (lanes, 4) takes what is unordered: lane, earlier lane, its time, its action.
    """
    found, unset = 0, -1
    most = conflicts.shape[0]
    has_writes, has_reads, has_atomics = writes.shape[0] > 0, reads.shape[0] > 0, atomics.shape[0] > 0
    has_written = written.shape[0] > 0
    tracked = has_writes or has_reads or has_atomics
    for warp in range(active.shape[0] // 32):
        block = warp // warps_per_block
        first = first_lane + block * warps_per_block * 32
        last = first + warps_per_block * 32
        barrier, together = barriers[block], whole[warp]
        for position in range(warp * 32, warp * 32 + 32):
            if not active[position]:
                continue
            begin = offsets[position] >> shift
            lane = first_lane + position
            for word in range(begin, begin + span):
                if has_written:
                    if action == STORE:
                        written[word] = 1
                    elif needs_written and written[word] == 0 and unset < 0:
                        unset = position
                if not tracked:
                    continue
                earlier, then, kind = -1, 0, STORE
                if has_writes and writes[word, 0] != 0:
                    who, when = writes[word, 0] - 1, writes[word, 1]
                    if not _ordered(
                        who, when, lane, first, last, start, barrier, together, part[position], members[position]
                    ):
                        earlier, then = who, when
                if has_atomics and action != ATOMIC and earlier < 0:
                    for column in range(0, READS, 2):
                        if atomics[word, column] == 0:
                            continue
                        who, when = atomics[word, column] - 1, atomics[word, column + 1]
                        if not _ordered(
                            who, when, lane, first, last, start, barrier, together, part[position], members[position]
                        ):
                            earlier, then, kind = who, when, ATOMIC
                if has_reads and action != LOAD and earlier < 0:
                    for column in range(0, READS, 2):
                        if reads[word, column] == 0:
                            continue
                        who, when = reads[word, column] - 1, reads[word, column + 1]
                        if not _ordered(
                            who, when, lane, first, last, start, barrier, together, part[position], members[position]
                        ):
                            earlier, then, kind = who, when, LOAD
                if earlier >= 0 and found < most:
                    conflicts[found, 0], conflicts[found, 1] = lane, earlier
                    conflicts[found, 2], conflicts[found, 3] = then, kind
                    found += 1
                if action == STORE:
                    if has_writes:
                        writes[word, 0], writes[word, 1] = lane + 1, now
                    if has_reads:
                        reads[word, :] = 0
                    if has_atomics:
                        atomics[word, :] = 0
                elif action == LOAD:
                    if has_reads:
                        _remember(reads, word, lane, now, first, last)
                elif has_atomics:
                    _remember(atomics, word, lane, now, first, last)
    return found, unset


@njit(cache=True)
def locate(active: Any, index: Any, extent: Any, stride: int, offsets: Any) -> int:
    """Add ``index·stride`` to the byte ``offsets`` of all active lanes; the first lane out of bounds, or -1.

    ``index`` (lanes,) is any integer; ``extent`` has one value, or one for each lane. Lanes out of bounds
    become inactive: the access does not happen for them.
    """
    first_bad = -1
    step = 0 if extent.shape[0] == 1 else 1
    for position in range(active.shape[0]):
        if not active[position]:
            offsets[position] = 0
            continue
        at = np.int64(index[position])
        if at < 0 or at >= extent[position * step]:
            if first_bad < 0:
                first_bad = position
            active[position] = False
            offsets[position] = 0
        else:
            offsets[position] += at * stride
    return first_bad
