"""Shadow memory: for each word, who touched it last, and whether that is ordered before the next access.

After a happens-before detector with a bounded history (the scheme of Eizenberg et al., "BARRACUDA",
PLDI 2017, and of Kamath and Basu, "iGUARD", SOSP 2021): a word keeps its last plain write, and four
plain reads and four atomics: the last one, and those before it by another lane of its warp, by another
warp of its block, by another block. Time is the number of the memory instruction; a thread is known by its lane,
numbered through the grid with every block padded to whole warps.

A history has a row for each word: pairs (lane + 1, time), zeros where there was none. The first pair is
the write, then come four reads, then four atomics; pairs at the end that no launch needs are left out.

The compiled loops take arrays as they are and pass them on to nobody: a call that takes an array counts a
reference, an atomic operation that costs more than the check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from gpuplay.lockstep.memory.order import Times

LOAD, STORE, ATOMIC = 0, 1, 2
READS, ATOMICS, COLUMNS = 2, 10, 18  # where the pairs of each kind begin after the write, and the whole row
KEPT = 8  # columns of reads, and of atomics

# What a conflict row holds: this lane, the earlier lane, the earlier time, what the earlier access was.
ROW = 4


@njit(cache=True)
def _unordered(
    before: int,
    time: int,
    lane: int,
    first: int,
    last: int,
    start: int,
    barrier: int,
    whole: int,
    part: int,
    members: int,
) -> bool:
    """Whether nothing orders the access of lane ``before`` at ``time`` before ``lane``'s; fences aside.

    The block's lanes are ``first`` up to ``last``; ``start`` is the time of the launch or the last grid sync, the
    others those of the block's last barrier, of the last syncwarp of the whole warp, and of some with its mask.
    """
    if before == lane or time <= start:
        return False
    if before < first or before >= last:
        return True
    if time <= barrier:
        return False
    if before // 32 != lane // 32:
        return True
    return time > whole and (time > part or (members >> (before % 32)) & 1 == 0)


@njit(cache=True, error_model="numpy")
def check(  # noqa: C901, PLR0912 - one loop in one function: see above
    action: int,
    now: int,
    active: Any,
    offsets: Any,
    shift: int,
    span: int,
    history: Any,
    times: Times,
    conflicts: Any,
) -> int:
    """Look for accesses to the same words that nothing orders before these, and remember these: how many.

    ``offsets`` (lanes,) are in bytes, a word has ``2**shift`` bytes, an access takes ``span`` words. ``conflicts``
    (lanes, 4) takes what is unordered: lane, earlier lane, its time, its action.
    """
    found, width, columns = 0, times.warps_per_block * 32, history.shape[1]
    own = READS if action == LOAD else ATOMICS
    for warp in range(active.shape[0] // 32):
        block = warp // times.warps_per_block
        first = times.first_lane + block * width
        last, barrier, whole = first + width, times.barriers[block], times.whole[warp]
        recent = recent_but_one = -1
        for position in range(warp * 32, warp * 32 + 32):
            if not active[position]:
                continue
            begin, lane = offsets[position] >> shift, times.first_lane + position
            if action == LOAD and begin == recent and begin == recent_but_one:
                continue  # two readers of a word tell all that more of the same warp would
            recent, recent_but_one = begin, recent
            for word in range(begin, begin + span):
                for column in range(0, columns, 2):
                    before = history[word, column] - 1
                    if before < 0 or (action != STORE and own <= column < own + KEPT):
                        continue
                    time = history[word, column + 1]
                    part, members = times.part[position], times.members[position]
                    if _unordered(before, time, lane, first, last, times.start, barrier, whole, part, members):
                        if found < conflicts.shape[0]:
                            conflicts[found, 0], conflicts[found, 1], conflicts[found, 2] = lane, before, time
                            conflicts[found, 3] = STORE if column < READS else LOAD if column < ATOMICS else ATOMIC
                            found += 1
                        break
                if action == STORE:  # what came before a write need not be remembered any more
                    history[word, 0], history[word, 1] = lane + 1, now
                    for column in range(READS, columns, 2):
                        history[word, column] = 0
                elif own < columns:
                    latest = history[word, own] - 1
                    if latest != lane:
                        if latest >= 0:
                            near = 2 if latest // 32 == lane // 32 else 4
                            column = own + (near if first <= latest < last else 6)
                            history[word, column], history[word, column + 1] = latest + 1, history[word, own + 1]
                        history[word, own] = lane + 1
                    history[word, own + 1] = now
    return found


@njit(cache=True, error_model="numpy")
def mark(action: int, active: Any, offsets: Any, shift: int, span: int, written: Any) -> int:
    """Enter stores into the bytes that tell which words are set; the first lane that reads one that is not, or -1."""
    bare = -1
    for position in range(active.shape[0]):
        if not active[position]:
            continue
        begin = offsets[position] >> shift
        for word in range(begin, begin + span):
            if action == STORE:
                written[word] = 1
            elif written[word] == 0 and bare < 0:
                bare = position
    return bare


@njit(cache=True, error_model="numpy")
def claim(active: Any, offsets: Any, shift: int, span: int, claims: Any, begun: int) -> int:
    """Enter for each word the lane, plus 1, whose copy into it was ``begun`` (1), or 0 where it arrived (0).

    How many more words are claimed than before.
    """
    changed = 0
    for position in range(active.shape[0]):
        if not active[position]:
            continue
        begin = offsets[position] >> shift
        for word in range(begin, begin + span):
            owner = (position + 1) * begun
            changed += (owner > 0) - (claims[word] > 0)
            claims[word] = owner
    return changed


@njit(cache=True, error_model="numpy")
def claimed(active: Any, offsets: Any, shift: int, span: int, claims: Any) -> tuple[int, int]:
    """The first lane that touches a word into which a copy is under way, and the word; -1 where none does."""
    for position in range(active.shape[0]):
        if not active[position]:
            continue
        begin = offsets[position] >> shift
        for word in range(begin, begin + span):
            if claims[word] != 0:
                return position, word
    return -1, -1


@njit(cache=True, error_model="numpy")
def written(active: Any, offsets: Any, shift: int, span: int, history: Any) -> tuple[int, int]:
    """The first lane that touches a word that the launch wrote, and the word; -1 where none does."""
    for position in range(active.shape[0]):
        if not active[position]:
            continue
        begin = offsets[position] >> shift
        for word in range(begin, begin + span):
            if history[word, 0] != 0:
                return position, word
    return -1, -1


@njit(cache=True, error_model="numpy")
def locate(active: Any, index: Any, extent: int, stride: int, offsets: Any) -> int:
    """Add ``index·stride`` to the byte ``offsets`` of all active lanes; the first lane out of bounds, or -1.

    ``index`` (lanes,) is any integer. Lanes out of bounds become inactive: the access does not happen for them.
    """
    first_bad = -1
    for position in range(active.shape[0]):
        if not active[position]:
            offsets[position] = 0
            continue
        at = np.int64(index[position])
        if at < 0 or at >= extent:
            if first_bad < 0:
                first_bad = position
            active[position] = False
            offsets[position] = 0
        else:
            offsets[position] += at * stride
    return first_bad
