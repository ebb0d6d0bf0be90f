"""Reports written by hand, so that findings and views of ``explain`` can be tested to the letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gpuplay.analysis.counters.explanation import Explanation, explanation
from gpuplay.lockstep.record import (
    Atomics,
    Banks,
    Counts,
    Fault,
    LaunchedFunction,
    Place,
    Report,
    Source,
    Thread,
    Traffic,
    WarpMap,
)
from gpuplay.results.cell import Cell
from gpuplay.results.turns import Explained

FILE = "/kernels/mine.py"
HELPERS = "/kernels/helpers.py"
FIRST = Thread((0, 0, 0), (0, 0, 0))
WARPS = 128  # of 64×64 threads: each line that works executed once

TRANSPOSE = """\
    @cuda.jit
    def transpose(out, A):
        tile = cuda.shared.array((32, 32), float32)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        i, j = cuda.grid(2)
        if i < A.shape[0] and j < A.shape[1]:
            tile[y, x] = A[i, j]
        cuda.syncthreads()
        if i < A.shape[0] and j < A.shape[1]:
            out[j, i] = scaled(tile[x, y])
"""
SCALED = """\
@cuda.jit(device=True)
def scaled(value):
    return value * 0.5
"""
SOURCE = Source("transpose", FILE, 10, tuple(TRANSPOSE.splitlines()))
HELPER = Source("scaled", HELPERS, 3, tuple(SCALED.splitlines()), device=True)


def at(line: int, file: str = FILE) -> Place:
    """A line of the scripted kernel."""
    return Place(file, line)


def worked(**counts: Any) -> Counts:
    """A line that all warps executed once with all lanes."""
    return Counts(**({"warp_instructions": WARPS, "lanes": 32 * WARPS} | counts))


def traffic(sectors: int, ideal: int, requests: int = WARPS) -> Traffic:
    """Requests of all lanes, each of ``sectors`` where ``ideal`` would do."""
    return Traffic(requests, requests * sectors, requests * ideal, requests * 128)


def banks(ways: int, requests: int = WARPS) -> Banks:
    """Requests of 4-byte words, each in ``ways`` wavefronts."""
    return Banks(requests, requests * ways, requests, ways, requests * 128)


def drawn(line: int, array: str, address: Callable[[int], int | None], cost: int, ideal: int, **more: Any) -> WarpMap:
    """One warp's addresses, given lane by lane."""
    addresses = tuple(address(lane) for lane in range(32))
    known = {"space": "global", "action": "load", "width": 4, "thread": FIRST} | more
    return WarpMap(at(line), array, addresses=addresses, cost=cost, ideal=ideal, **known)


def report(**changes: Any) -> Report:
    """A transpose that loads down a column, and reads its tile down a column, too: 32 sectors, 32 ways."""
    lines = (
        (at(14), worked(integer=64 * WARPS)),
        (at(15), worked(branches=WARPS, integer=64 * WARPS)),
        (at(16), worked(global_loads=traffic(32, 4), shared_stores=banks(1))),
        (at(17), worked(barriers=WARPS)),
        (at(18), worked(branches=WARPS)),
        (at(19), worked(global_stores=traffic(4, 4), shared_loads=banks(32))),
        (at(5, HELPERS), worked(float32=32 * WARPS)),
    )
    maps = (
        drawn(16, "A", lambda lane: 256 * lane, 32, 4),
        drawn(16, "tile", lambda lane: 4 * lane, 1, 1, space="shared", action="store"),
        drawn(19, "out", lambda lane: 4 * lane, 4, 4, action="store"),
        drawn(19, "tile", lambda lane: 128 * lane, 32, 1, space="shared", ways=32),
    )
    whole = Report((LaunchedFunction("transpose", (2, 2, 1), (32, 32, 1), 4096),), (SOURCE, HELPER), lines, maps)
    return replace(whole, **changes)


def one_line(counts: Counts, maps: Sequence[WarpMap] = (), text: str = "y[i] = x[i]", **changes: Any) -> Report:
    """A kernel whose work is all done at line 11."""
    source = Source("short", FILE, 10, ("def short(y, x):", f"    {text}"))
    launch = LaunchedFunction("short", (64, 1, 1), (256, 1, 1))
    return replace(Report((launch,), (source,), ((at(11), counts),), tuple(maps)), **changes)


RACE = Fault(
    "race",
    "block 0 thread (1, 0) reads tile[32], which block 0 thread (0, 1) wrote at line 16, and nothing orders the two",
    at(19),
    Thread((0, 0, 0), (1, 0, 0)),
    at(16),
    Thread((0, 0, 0), (0, 1, 0)),
    "tile",
    (32,),
    "1.5",
    remedy="put cuda.syncthreads() between the two",
    count=2048,
)
HISTOGRAM = worked(atomics=Atomics(WARPS, 32 * WARPS, 32, 4096))


def explained(found: Report | None = None, status: Any = "right", reason: str = "", **cell: Any) -> Explanation:
    """What came of the scripted transpose of 64×64 float32."""
    known = {"variant": "cuda:tiled", "knobs": (("tile", 32),)} | cell
    of = Cell("transpose", 64, (("dtype", "float32"),), **known)
    return explanation(Explained(of, report() if found is None else found, status, reason), 2 * 64 * 64 * 4.0)
