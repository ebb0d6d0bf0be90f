"""The roofs of the host: what a core, and all cores together, attain at copying, reading and arithmetic.

A roof is the best that can be had, so it is the fastest of several medians, with the code that the
hardware likes best. Imported by workers only.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.chains import STEPS, fma_chains
from gpuplay.intrinsics.host.streaming import LINE, stream_fence, stream_line
from gpuplay.machine import describe

BITS = describe.machine().vector_bits
CHAINS = 12 if BITS == 256 else 16  # AVX2 has 16 registers, two of them for the constants
LANES32, LANES64 = BITS // 32, BITS // 64
ROW = CHAINS + 2

BLOCKS, SAMPLES = 8, 5
SAMPLE_S = 0.005
LONG_S = 0.02  # a call that takes this long is an average in itself: arrays far beyond a large cache
AHEAD = 32  # lines that a streaming copy asks for before it reads them: 2 KiB, as far as they take to come
CACHES_OVER = 4  # arrays of this many times the last cache, so that little of them stays in it
SMALLEST, LARGEST = 64 * 2**20, 2**30  # bytes of one array


@dataclass(frozen=True)
class Gauge:
    """One thing to measure: a call, the bytes or FLOPs it stands for, and the roof it belongs to."""

    roof: str
    threads: str
    call: Callable[[], object]
    work: float
    many: int


def host_roofs() -> dict[str, Any]:
    """Measure the host's roofs, in some seconds.

    Returns
    -------
    ``copy``, ``copy_streaming``, ``read`` (bytes/s), ``fma_float32``, ``fma_float64`` (FLOP/s), each
    with ``one`` core and ``all``; ``gpu`` is None until `gpuplay.measure.gpu_probes` has been here.
    """
    # All cores do at least what one does; less was measured while other programs held some of them.
    rates = {name: {**rate, "all": max(rate.values())} for name, rate in probe().items()}
    return {**rates, "gpu": None}


def probe() -> dict[str, dict[str, float]]:
    """Bytes and FLOPs a second that one core and all cores attain, in some seconds, the more the larger the last cache.

    Returns
    -------
    ``copy`` (ordinary stores), ``copy_streaming`` (stores past the caches) and ``read`` in bytes/s,
    a copy counted as bytes read plus bytes written; ``fma_float32`` and ``fma_float64`` in FLOP/s;
    each with ``one`` and ``all``.
    """
    everyone = numba.get_num_threads()
    best: dict[str, dict[str, float]] = {}
    try:
        probes = [*_arithmetic(everyone), *_memory(everyone)]
        for one in probes:
            one.call()  # compiles
        for _ in range(BLOCKS):
            for one in probes:
                numba.set_num_threads(one.many)
                rate = one.work / _typical_seconds(one.call)
                rates = best.setdefault(one.roof, {})
                rates[one.threads] = max(rate, rates.get(one.threads, 0.0))
    finally:
        numba.set_num_threads(everyone)
    return best


def _memory(everyone: int) -> list[Gauge]:
    """Copies and sums of arrays several times the size of the last cache."""
    elements = _array_bytes() // 4
    source, target = (_aligned(elements, np.float32) for _ in range(2))
    sums = np.zeros(everyone * LINE, np.float32)
    one = np.float32(1)
    scale_all(source, target, one, everyone)  # each thread touches its own pages first
    probes = []
    for name, many in (("one", 1), ("all", everyone)):
        probes += [
            Gauge("copy", name, partial(scale_all, target, source, one, many), 8.0 * elements, many),
            Gauge("copy_streaming", name, partial(stream_all, target, source, many), 8.0 * elements, many),
            Gauge("read", name, partial(sum_all, source, sums, many), 4.0 * elements, many),
        ]
    return probes


def _arithmetic(everyone: int) -> list[Gauge]:
    """Chains of fused multiply-adds that touch no memory."""
    probes = []
    for dtype, lanes, chains in (("float32", LANES32, chains32), ("float64", LANES64, chains64)):
        seeds = np.full((everyone, ROW * lanes), 0.5, dtype)  # x → x/2 + 1/2 goes to 1 and stays there
        chains(seeds, 1, everyone)
        numba.set_num_threads(1)
        turns = 1024
        while min(_seconds(partial(chains, seeds, turns, 1)) for _ in range(SAMPLES)) < SAMPLE_S:
            turns *= 2
        numba.set_num_threads(everyone)
        flops = 2.0 * STEPS * CHAINS * lanes * turns
        for name, many in (("one", 1), ("all", everyone)):
            probes.append(Gauge(f"fma_{dtype}", name, partial(chains, seeds, turns, many), flops * many, many))
    return probes


def _array_bytes() -> int:
    """Bytes of one array: far beyond the last cache, but no more than a sixteenth of free memory."""
    free = int(describe.facts()["memory_available_bytes"])
    wanted = min(LARGEST, max(SMALLEST, CACHES_OVER * describe.last_cache_bytes()))
    return max(2**20, min(wanted, free // 16)) // LINE * LINE


def _aligned(elements: int, dtype: Any) -> NDArray[Any]:
    """An untouched array whose first element lies on a 64-byte boundary."""
    raw = np.empty(elements * np.dtype(dtype).itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + raw.size - LINE].view(dtype)


def _typical_seconds(call: Callable[[], object]) -> float:
    """The median of several calls; of a long one, a single call."""
    first = _seconds(call)
    if first > LONG_S:
        return first
    return statistics.median([first, *(_seconds(call) for _ in range(SAMPLES - 1))])


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@njit(cache=True, parallel=True)
def spread_work(array: Any) -> None:
    """Add one to every element, shared among the threads: the smallest parallel call there is."""
    for i in prange(array.size):
        array[i] += 1


@njit(cache=True)
def scale(target: Any, source: Any, factor: Any) -> None:
    """Write factor·source to target: a copy that the compiler cannot turn into a call of memcpy."""
    for i in range(target.size):
        target[i] = source[i] * factor


@njit(cache=True, fastmath={"reassoc", "contract"})
def total(array: Any) -> Any:
    """Sum of all elements; reassociation lets the compiler keep several vectors of partial sums."""
    result = array.dtype.type(0)
    for i in range(array.size):
        result += array[i]
    return result


@njit(cache=True, parallel=True)
def scale_all(target: Any, source: Any, factor: Any, parts: Any) -> None:
    """`scale`, one part a thread."""
    for part in prange(parts):
        low, high = target.size * part // parts, target.size * (part + 1) // parts
        scale(target[low:high], source[low:high], factor)


@njit(cache=True, parallel=True)
def stream_all(target: Any, source: Any, parts: Any) -> None:
    """Copy with streaming stores, one part a thread; float32, whole lines, asked for some lines ahead."""
    lines = target.size // 16
    for part in prange(parts):
        for line in range(lines * part // parts, lines * (part + 1) // parts):
            simd.prefetch(source, 16 * (line + AHEAD))
            stream_line(target, 16 * line, source, 16 * line)
        stream_fence()


@njit(cache=True, parallel=True)
def sum_all(array: Any, sums: Any, parts: Any) -> None:
    """`total`, one part a thread; the sums lie on lines of their own."""
    for part in prange(parts):
        low, high = array.size * part // parts, array.size * (part + 1) // parts
        sums[LINE * part] = total(array[low:high])


@njit(cache=True, parallel=True)
def chains32(seeds: Any, turns: Any, parts: Any) -> None:
    """`fma_chains` in float32, one row of seeds a thread."""
    for part in prange(parts):
        fma_chains(seeds[part], turns, LANES32, CHAINS)


@njit(cache=True, parallel=True)
def chains64(seeds: Any, turns: Any, parts: Any) -> None:
    """`fma_chains` in float64, one row of seeds a thread."""
    for part in prange(parts):
        fma_chains(seeds[part], turns, LANES64, CHAINS)
