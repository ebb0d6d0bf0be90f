"""What one access of all lanes costs the memory system: sectors, wavefronts, contention, divergence. Compiled.

Lanes come in whole warps of 32: ``active`` (lanes,) bool, ``addresses`` (lanes,) int64 in bytes; those of
lanes that are not active are not read. A *request* is one warp with an active lane. Sources:

- CUDA C++ Programming Guide, "Global Memory" of compute capability 5.x and later: a warp's access becomes
  as many 32-byte transactions as it touches; Nsight Compute calls them sectors (``sectors/req``).
- the same, "Shared Memory": 32 banks, successive 4-byte words in successive banks, one word of each bank
  at a time; lanes that touch one word share it, in loads and in stores.
- Accesses of 8 bytes go by half-warps and those of 16 bytes by quarter-warps, as NVIDIA's engineers
  explain it on the developer forum; the guide says nothing of them. A phase none of whose lanes is active
  costs nothing. Hardware was seen to serve two phases at once where neighbouring lanes read one address;
  as nobody documents when, phases are never merged here: a 64-bit broadcast counts two wavefronts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

WARP = 32
BANKS = 32
UNKNOWN = -(2**62)  # below every address


@njit(cache=True, inline="always")
def _held(values: Any, count: Any, value: Any) -> bool:
    """Is it among the first ``count`` values? From the last one backwards: neighbours resemble each other."""
    for place in range(count - 1, -1, -1):  # noqa: SIM110 - numba compiles no generator expressions
        if values[place] == value:
            return True
    return False


@njit(cache=True)
def _sectors_of_warp(
    active: Any, addresses: Any, width: int, first: int, elements: Any, touched: Any
) -> tuple[int, int, int]:
    """Active lanes, distinct elements and distinct sectors of the warp whose lanes begin at ``first``."""
    lanes, distinct, count = 0, 0, 0
    low, high, top = -UNKNOWN, UNKNOWN, UNKNOWN  # of the elements' addresses; of the sectors
    for lane in range(first, first + WARP):
        if not active[lane]:
            continue
        lanes += 1
        address = addresses[lane]
        if low <= address <= high and (address == high or _held(elements, distinct, address)):
            continue
        low, high = min(low, address), max(high, address)
        elements[distinct] = address
        distinct += 1
        for sector in range(address >> 5, ((address + width - 1) >> 5) + 1):
            if sector > top or not (sector == top or _held(touched, count, sector)):
                touched[count] = sector
                count += 1
                top = max(top, sector)
    return lanes, distinct, count


@njit(cache=True)
def sectors(active: Any, addresses: Any, width: int) -> tuple[int, int, int, int, int, int, int]:
    """Global memory: the 32-byte sectors that elements of ``width`` bytes touch.

    Returns (requests, sectors, ideal sectors, active lanes, the worst warp, its sectors, its ideal).
    Ideal is what the distinct elements would fill, warp by warp. The worst warp is the one with the most
    sectors above its ideal, then with the most sectors; -1 where no lane is active.
    """
    requests, total, ideal, lanes = 0, 0, 0, 0
    worst, worst_sectors, worst_ideal = -1, 0, 0
    elements = np.empty(WARP, np.int64)
    touched = np.empty(WARP * ((width + 62) // 32), np.int64)
    for warp in range(active.shape[0] // WARP):
        here, distinct, count = _sectors_of_warp(active, addresses, width, warp * WARP, elements, touched)
        if here == 0:
            continue
        least = min((distinct * width + 31) // 32, count)  # elements may overlap
        requests, total, ideal, lanes = requests + 1, total + count, ideal + least, lanes + here
        excess = count - least - (worst_sectors - worst_ideal)
        if worst < 0 or excess > 0 or (excess == 0 and count > worst_sectors):
            worst, worst_sectors, worst_ideal = warp, count, least
    return requests, total, ideal, lanes, worst, worst_sectors, worst_ideal


@njit(cache=True)
def _ways_of_phase(
    active: Any, addresses: Any, width: int, first: int, size: int, words: Any, counts: Any
) -> tuple[int, int]:
    """Active lanes of a phase of ``size`` lanes, and the most distinct words that they touch in one bank."""
    lanes, ways, before = 0, 0, UNKNOWN
    counts[:] = 0
    for lane in range(first, first + size):
        if not active[lane]:
            continue
        lanes += 1
        address = addresses[lane]
        if address == before:
            continue
        before = address
        for word in range(address >> 2, ((address + width - 1) >> 2) + 1):
            bank = word & (BANKS - 1)
            count = counts[bank]
            if count == 0 or not _held(words[bank], count, word):
                words[bank, count] = word
                counts[bank] = count + 1
                ways = max(ways, count + 1)
    return lanes, ways


@njit(cache=True)
def wavefronts(active: Any, addresses: Any, width: int) -> tuple[int, int, int, int, int, int, int]:
    """Shared memory: passes over the banks; addresses count from the start of the block's shared memory.

    Returns (requests, wavefronts, ideal wavefronts, worst ways, active lanes, the worst warp, its wavefronts).
    A phase needs as many wavefronts as it has distinct words in one bank, its *ways*; ideal is one for each
    phase with an active lane. The worst warp is the one with the most wavefronts above its ideal, then with
    the most wavefronts; -1 where no lane is active.
    """
    requests, total, ideal, worst_ways, lanes = 0, 0, 0, 0, 0
    worst, worst_total, worst_excess = -1, 0, 0
    size = 8 if width > 8 else 16 if width > 4 else WARP
    words = np.empty((BANKS, size * (width // 4 + 2)), np.int64)
    counts = np.zeros(BANKS, np.int64)
    for warp in range(active.shape[0] // WARP):
        here, cost, needed = 0, 0, 0
        for first in range(warp * WARP, warp * WARP + WARP, size):
            inside, ways = _ways_of_phase(active, addresses, width, first, size, words, counts)
            here, cost, needed = here + inside, cost + ways, needed + (inside > 0)
            worst_ways = max(worst_ways, ways)
        if here == 0:
            continue
        requests, total, ideal, lanes = requests + 1, total + cost, ideal + needed, lanes + here
        excess = cost - needed - worst_excess
        if worst < 0 or excess > 0 or (excess == 0 and cost > worst_total):
            worst, worst_total, worst_excess = warp, cost, cost - needed
    return requests, total, ideal, worst_ways, lanes, worst, worst_total


@njit(cache=True)
def contention(active: Any, addresses: Any) -> tuple[int, int, int]:
    """Atomics: (requests, operations of lanes, the most lanes of one warp at one address)."""
    requests, operations, worst = 0, 0, 0
    seen = np.empty(WARP, np.int64)
    times = np.empty(WARP, np.int64)
    for warp in range(active.shape[0] // WARP):
        here, count, high = 0, 0, UNKNOWN
        for lane in range(warp * WARP, warp * WARP + WARP):
            if not active[lane]:
                continue
            here += 1
            place = count - 1 if addresses[lane] <= high else -1
            while place >= 0 and seen[place] != addresses[lane]:
                place -= 1
            if place < 0:
                place = count
                seen[place], times[place] = addresses[lane], 0
                count, high = count + 1, max(high, addresses[lane])
            times[place] += 1
            worst = max(worst, times[place])
        requests += here > 0
        operations += here
    return requests, operations, worst


@njit(cache=True)
def warps_and_lanes(active: Any) -> tuple[int, int]:
    """How many warps have an active lane, and how many lanes are active."""
    warps, lanes = 0, 0
    for first in range(0, active.shape[0], WARP):
        here = 0
        for lane in range(first, first + WARP):
            here += active[lane]
        warps += here > 0
        lanes += here
    return warps, lanes


@njit(cache=True)
def splits(active: Any, taken: Any) -> int:
    """In how many warps the active lanes disagree about ``taken`` (lanes,) bool."""
    divergent = 0
    for first in range(0, active.shape[0], WARP):
        here, there = 0, 0
        for lane in range(first, first + WARP):
            here += active[lane]
            there += active[lane] & taken[lane]
        divergent += 0 < there < here
    return divergent
