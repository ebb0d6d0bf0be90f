"""What makes figures less than they seem, each with its remedy, grouped over the cells it is true of."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gpuplay.analysis.sweep.ratios import timed
from gpuplay.analysis.sweep.roofline import last_cache_bytes, memory_bound
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.results.timing import Timing
from gpuplay.units import count, nbytes, percent, size_names

FEW_SAMPLES = 5
NOISY = 0.05
DRIFT = 0.05
LAUNCH_BOUND_S = 5e-6


def collect(record: Record) -> tuple[str, ...]:
    """All warnings of a record: those found here first, then those of the workers."""
    results = [result for result in record.results if timed(result)]
    name = size_names(result.cell.size for result in record.results)
    rules: list[Found] = [_few(results), _noise(results), _drift(results)]
    rules += [] if "--cold" in record.argv else [_cached(results, record.machine)]
    rules += [_launches(results), _throttled(results), _untold(results, record.machine)]
    found = [f"{subject(about, name)}: {text}" for about, text in (rule for rule in rules if rule)]
    return (*found, *_workers(record.results, name))


def _timing(result: Result) -> Timing:
    assert result.time is not None
    return result.time


Found = tuple[list[Result], str] | None


def _few(results: Sequence[Result]) -> Found:
    few = [r for r in results if _timing(r).samples < FEW_SAMPLES]
    if not few:
        return None
    numbers = sorted({_timing(r).samples for r in few})
    how = f"{_range(numbers, str)} {'sample' if numbers == [1] else 'samples'} only"
    return few, f"{how}, no spread to speak of; a longer --cell-time takes more"


def _noise(results: Sequence[Result]) -> Found:
    noisy = [r for r in results if _timing(r).samples >= FEW_SAMPLES and _timing(r).spread > NOISY and not _drifts(r)]
    if not noisy:
        return None
    spreads = _range([_timing(r).spread for r in noisy], percent)
    return noisy, f"noise, half of the samples spread over {spreads}; close other programs or raise --cell-time"


def _drift(results: Sequence[Result]) -> Found:
    drifting = [r for r in results if _drifts(r)]
    if not drifting:
        return None
    worst = max(_round_range(r) for r in drifting)
    how = percent(worst) if worst < 1 else f"a factor of {1 + worst:.0f}"
    return drifting, (
        f"rounds differ by up to {how}, the machine changed its speed (clocks, heat, other load); "
        "let it rest, plug it in, and run again"
    )


def _drifts(result: Result) -> bool:
    """Whether round medians differ by more than 5 %, and by more than twice the spread inside a round."""
    rounds = [samples for samples in _timing(result).rounds if len(samples) > 1]
    if len(rounds) < 2:
        return False
    inside = statistics.median(statistics.pstdev(samples) / statistics.median(samples) for samples in rounds)
    return _round_range(result) > max(DRIFT, 4 * inside)


def _round_range(result: Result) -> float:
    medians = [statistics.median(samples) for samples in _timing(result).rounds if samples]
    return (max(medians) - min(medians)) / statistics.median(medians)


def _cached(results: Sequence[Result], machine: Mapping[str, Any]) -> Found:
    cache = last_cache_bytes(machine)
    if not all(memory_bound(result) for result in results):
        return None  # where some size is bound by arithmetic, small ones in the cache are as they should be
    compiled = [r for r in results if not (r.cell.kind.on_gpu or r.cell.kind.interpreted)]
    inside = [r for r in compiled if (r.bytes or 0) < cache]
    if not inside:
        return None
    return inside, f"the data fits in the last cache ({nbytes(cache)}), so this is not memory's speed; raise --sizes"


def _launches(results: Sequence[Result]) -> Found:
    bound = [r for r in results if r.flynn in ("MIMD", "SIMT") and _timing(r).median_s < LAUNCH_BOUND_S]
    if not bound:
        return None
    return (
        bound,
        "launch-bound, a call takes less than 5 µs and mostly starts threads; raise --sizes",
    )


def _throttled(results: Sequence[Result]) -> Found:
    held = [r for r in results if r.telemetry and r.telemetry.throttled]
    if not held:
        return None
    why = dict.fromkeys(text for r in held if r.telemetry for text in r.telemetry.throttled or ())
    return held, f"the GPU held its clocks down ({', '.join(why)}); cool it, or compare within this run only"


def _untold(results: Sequence[Result], machine: Mapping[str, Any]) -> Found:
    gpu = machine.get("gpu")
    reason = gpu.get("nvml") if isinstance(gpu, Mapping) else ""
    silent = [r for r in results if r.cell.kind.on_gpu and r.telemetry is None]
    return (silent, f"clocks, power and throttling are not known: {reason}") if silent and reason else None


def _workers(results: Iterable[Result], name: Callable[[int], str]) -> Iterator[str]:
    """Warnings made where the cell was measured; the same text is said once."""
    grouped: dict[str, list[Result]] = {}
    for result in results:
        for text in result.warnings:
            grouped.setdefault(text, []).append(result)
    return (f"{subject(about, name)}: {text}" for text, about in grouped.items())


def subject(results: Sequence[Result], name: Callable[[int], str]) -> str:
    """'cpu:simd at n = 256, 512; cpu:parallel at n = 256', or how many cells where that would be long."""
    sizes: dict[str, list[int]] = {}
    for result in results:
        sizes.setdefault(result.cell.variant, [])
        if result.cell.size not in sizes[result.cell.variant]:
            sizes[result.cell.variant].append(result.cell.size)
    merged: dict[tuple[int, ...], list[str]] = {}
    for variant, found in sizes.items():
        merged.setdefault(tuple(sorted(found)), []).append(variant)
    if len(merged) > 3:
        return count(len(results), "cell")
    return "; ".join(f"{', '.join(who)} at n = {_sizes(found, name)}" for found, who in merged.items())


def _sizes(sizes: tuple[int, ...], name: Callable[[int], str]) -> str:
    if len(sizes) > 3:
        return f"{name(sizes[0])} … {name(sizes[-1])}"
    return ", ".join(name(size) for size in sizes)


def _range(values: Iterable[Any], text: Callable[[Any], str]) -> str:
    low, high = text(min(found := list(values))), text(max(found))
    return low if low == high else f"{low.removesuffix(' %')}–{high}"
