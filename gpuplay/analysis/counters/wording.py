"""Plain words for one warp's accesses: why they cost what they do, and the remedy."""

from __future__ import annotations

import re

from gpuplay.analysis.counters.patterns import Pattern
from gpuplay.lockstep.record import BANK_BYTES, BANKS, SECTOR_BYTES, WARP, WarpMap

_ACCESSES = {"load": "loads of", "store": "stores to", "atomic": "atomic updates of"}
_VERBS = {"load": "read", "store": "write", "atomic": "update"}


def access(drawn: WarpMap) -> str:
    """'loads of A', 'stores to tile'."""
    return f"{_ACCESSES[drawn.action]} {drawn.array}"


def uncoalesced(drawn: WarpMap, found: Pattern, text: str) -> tuple[str, str]:
    """Message and remedy for a request that touches too many sectors; ``text`` is its line of source."""
    needed = f"{drawn.ideal} would do" if drawn.ideal > 1 else "1 would do"
    head = f"a warp's {access(drawn)} touch {drawn.cost} sectors, {needed}"
    apart = abs(found.step) // drawn.width
    if found.kind == "strided" and has_axes(text, drawn.array) and abs(found.step) >= SECTOR_BYTES:
        cause = f"adjacent threads {_VERBS[drawn.action]} down a column"
        return f"{head}: {cause}", "let threadIdx.x walk along the row, the last index"
    if found.kind == "strided":
        return f"{head}: adjacent threads are {apart} elements apart", "let adjacent threads take adjacent elements"
    if found.kind == "misaligned":
        row = SECTOR_BYTES // drawn.width
        return (
            f"{head}: its elements begin in the middle of a sector",
            f"begin at a multiple of {SECTOR_BYTES} bytes: pad rows to a multiple of {row} elements",
        )
    if found.kind == "pieces":
        return (
            f"{head}: it spans several rows that begin in the middle of a sector",
            f"let a block be {WARP} threads wide in x, and pad rows to a multiple of {SECTOR_BYTES} bytes",
        )
    if found.kind == "groups":
        return (
            f"{head}: groups of threads share a word, and the words lie apart",
            f"let a warp work on one row: a block at least {WARP} threads wide in x",
        )
    return (
        f"{head}: the addresses follow no common step",
        "sort the indices, or bring a tile into shared memory in order and pick from there",
    )


def bank_conflict(drawn: WarpMap, found: Pattern, text: str) -> tuple[str, str]:
    """Message and remedy for a request that takes too many wavefronts."""
    head = (
        f"a warp's {access(drawn)} take {drawn.cost} wavefronts, {drawn.ideal} would do: "
        f"{drawn.ways} words lie in one bank ({drawn.ways}-way conflict)"
    )
    apart = abs(found.step) // BANK_BYTES
    if found.kind == "strided" and has_axes(text, drawn.array) and abs(found.step) >= SECTOR_BYTES:
        row = abs(found.step) // drawn.width
        return head, f"pad the rows of {drawn.array} by one element: {row + 1} instead of {row}"
    if found.kind == "strided":
        return f"{head}; neighbours are {apart} words apart", "an odd distance meets each bank once: pad by one word"
    return head, f"let the lanes of a warp touch {BANKS} different banks, or one and the same word"


def has_axes(text: str, array: str) -> bool:
    """Whether a line of source indexes an array by more than one axis, as in ``A[i, k]``."""
    return re.search(rf"\b{re.escape(array)}\s*\[[^\]]*,", text) is not None
