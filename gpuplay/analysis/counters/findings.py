"""What a lockstep run tells: faults, then what costs most, each in plain words with its remedy.

Costs are weighed in *passes*: a warp instruction takes an issue slot, a sector a turn of the path to the
L2 cache, a wavefront a turn of the banks, and each of these is of the order of one cycle. A pass is no
time; it only puts findings in order, and keeps silent what is too small to matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gpuplay.analysis.counters.patterns import pattern
from gpuplay.analysis.counters.wording import bank_conflict, uncoalesced
from gpuplay.lockstep.record import (
    SECTOR_BYTES,
    WARP,
    Banks,
    Counts,
    LaunchedFunction,
    Note,
    Place,
    Report,
    Traffic,
    WarpMap,
)

FindingKind: TypeAlias = Literal[
    "fault", "uncoalesced", "bank conflict", "divergence", "block size", "contention", "float64", "reread", "wait"
]

MINOR = 0.02  # of all passes: less than this nobody would notice
WASTED_SECTORS = 1.2  # times the ideal: a misaligned start alone, 5 sectors for 4, is above it
IDLE = 0.9  # active lanes: a guard at the edge of a large problem idles fewer than one lane in ten
UNFILLED = 0.97  # of a block's warps: below it the block's size is no multiple of 32
CONTENDED = 8  # lanes of a warp at one address: a quarter of it waits in line
REREAD = 4.0  # times the compulsory bytes: what a first, small tile still costs
FLOAT64_PASSES = 16  # for one warp instruction: GPUs compute float64 at 1/2 to 1/64 of float32's rate
CACHED = 0.5  # of a sector asked for again: a cache may serve it


@dataclass(frozen=True)
class Finding:
    """One thing to know: what happens, what to do about it, where, and how many passes it costs."""

    kind: FindingKind
    message: str
    remedy: str = ""
    place: Place | None = None
    weight: float = 0.0


def passes(counts: Counts) -> int:
    """Issue slots, sectors and wavefronts together."""
    sectors = counts.global_loads.sectors + counts.global_stores.sectors
    return counts.warp_instructions + sectors + counts.shared_loads.wavefronts + counts.shared_stores.wavefronts


def findings(report: Report, compulsory: float | None = None) -> tuple[Finding, ...]:
    """All findings, faults first, then by weight; none where there is nothing to say.

    ``compulsory`` is the bytes of a run that moves each array once, where they are known.
    """
    faults = [
        Finding("fault", f"{fault.kind}: {fault.message}", fault.remedy, fault.place, math.inf)
        for fault in report.faults
    ]
    least = MINOR * passes(report.total)
    costly = [*_traffic(report), *_banks(report), *_divergence(report), *_contention(report)]
    costly = [finding for finding in costly if finding.weight >= least]
    costly += [*_notes(report), *_rereads(report, compulsory)]
    return (*faults, *sorted(costly, key=lambda finding: -finding.weight))


# --- memory ---


def _traffic(report: Report) -> Iterator[Finding]:
    """Requests to global memory that touch more sectors than their bytes would fill."""
    for place, counts in report.lines:
        kinds: tuple[tuple[str, Traffic], ...] = (("load", counts.global_loads), ("store", counts.global_stores))
        for action, traffic in kinds:
            if traffic.sectors >= WASTED_SECTORS * traffic.ideal_sectors:
                worst = [m for m in report.maps if (m.place, m.space, m.action) == (place, "global", action)]
                yield from _shared_out(report, place, worst, traffic.sectors - traffic.ideal_sectors)


def _banks(report: Report) -> Iterator[Finding]:
    """Requests to shared memory that the banks serve in more wavefronts than needed."""
    for place, counts in report.lines:
        kinds: tuple[tuple[str, Banks], ...] = (("load", counts.shared_loads), ("store", counts.shared_stores))
        for action, banks in kinds:
            if banks.wavefronts > banks.ideal_wavefronts:
                worst = [m for m in report.maps if (m.place, m.space, m.action) == (place, "shared", action)]
                yield from _shared_out(report, place, worst, banks.wavefronts - banks.ideal_wavefronts)


def _shared_out(report: Report, place: Place, worst: list[WarpMap], excess: int) -> Iterator[Finding]:
    """A finding for each array of a line that is to blame, the line's excess shared out by their worst requests."""
    guilty = [drawn for drawn in worst if drawn.cost > drawn.ideal]
    total = sum(drawn.cost - drawn.ideal for drawn in guilty)
    for drawn in guilty:
        words = uncoalesced if drawn.space == "global" else bank_conflict
        message, remedy = words(drawn, pattern(drawn), _text_at(report, place))
        kind: FindingKind = "uncoalesced" if drawn.space == "global" else "bank conflict"
        yield Finding(kind, message, remedy, place, excess * (drawn.cost - drawn.ideal) / total)


def _rereads(report: Report, compulsory: float | None) -> Iterator[Finding]:
    """Global memory that is asked for again and again, coalesced or not."""
    total = report.total
    ideal = (total.global_loads.ideal_sectors + total.global_stores.ideal_sectors) * SECTOR_BYTES
    if not compulsory or ideal < REREAD * compulsory:
        return
    staged = total.shared_loads.requests > 0
    remedy = (
        "take larger tiles, or let each thread keep several results in registers"
        if staged
        else "tile it: bring what threads share into shared memory once, and use it many times"
    )
    intensity = f", {total.intensity:.2g} FLOPs for each byte moved" if total.intensity else ""
    message = f"global memory is asked for {ideal / compulsory:.0f} times the bytes of its arrays{intensity}"
    busiest = max(report.lines, key=lambda entry: entry[1].global_loads.sectors)[0]
    yield Finding("reread", message, remedy, busiest, CACHED * (ideal - compulsory) / SECTOR_BYTES)


# --- lanes ---


def _divergence(report: Report) -> Iterator[Finding]:
    """Lanes that wait while others of their warp work: for want of threads, or behind a branch."""
    total = report.total
    fill = _fill(report.launches)
    if fill < UNFILLED:
        yield _unfilled(report.launches, (1 - fill) * total.warp_instructions)
    working = total.active_share / fill
    if working >= IDLE or not total.divergent:
        return
    place, split = max(report.lines, key=lambda entry: entry[1].divergent)
    idlest, idle = max(report.lines, key=lambda entry: _idle(entry[1]))
    message = (
        f"the branch splits {split.divergent} of the {split.branches} warps that reach it; "
        f"{100 * total.active_share:.0f} % of lanes work on average, "
        f"{100 * idle.active_share:.0f} % at line {idlest.line}"
    )
    remedy = "let the lanes of a warp take the same side: keep the threads that work next to each other"
    yield Finding("divergence", message, remedy, place, (1 - working) * total.warp_instructions)


def _unfilled(launches: tuple[LaunchedFunction, ...], weight: float) -> Finding:
    launch = min(launches, key=lambda launch: _fill((launch,)))
    threads = math.prod(launch.block)
    warps = -(-threads // WARP)
    return Finding(
        "block size",
        f"a block of {threads} threads fills its {warps} warp{'s' if warps > 1 else ''} to "
        f"{100 * _fill((launch,)):.0f} %: the other lanes never work ({launch.function})",
        f"launch blocks of {WARP * warps} threads, or of another multiple of {WARP}",
        weight=weight,
    )


def _fill(launches: tuple[LaunchedFunction, ...]) -> float:
    """Threads over lanes of all warps launched; 1 where nothing was."""
    blocks = [launch.times * math.prod(launch.grid) for launch in launches]
    sizes = [math.prod(launch.block) for launch in launches]
    lanes = sum(many * -(-size // WARP) * WARP for many, size in zip(blocks, sizes, strict=True))
    return sum(many * size for many, size in zip(blocks, sizes, strict=True)) / lanes if lanes else 1.0


def _idle(counts: Counts) -> float:
    return (1 - counts.active_share) * counts.warp_instructions


# --- operations ---


def _contention(report: Report) -> Iterator[Finding]:
    """Atomics that stand in line at one address."""
    for place, counts in report.lines:
        atomics = counts.atomics
        if atomics.worst >= CONTENDED:
            hottest = f", and one word receives {atomics.hottest} of all" if atomics.hottest else ""
            message = f"up to {atomics.worst} lanes of a warp update one word, one after another{hottest}"
            remedy = (
                "add up within the warp first (shuffles), or privately for each block in shared memory, "
                "and update the word once"
            )
            yield Finding("contention", message, remedy, place, atomics.operations - atomics.requests)


def _notes(report: Report) -> Iterator[Finding]:
    """What the machine noted: float64 in a float32 kernel, lanes that wait for lanes of their own warp."""
    for note in report.notes:
        found = Finding("wait", _without_line(note), note.remedy, note.place)
        if note.kind == "float64":
            slots = report.at(note.place).float64 / WARP * FLOAT64_PASSES
            message = f"{found.message}; real GPUs take 2 to 64 times as long as for float32"
            found = replace(found, kind="float64", message=message, weight=slots)
        yield found


def _without_line(note: Note) -> str:
    """The message without the line's number, which stands before every finding."""
    return note.message.removeprefix(f"line {note.place.line}").lstrip(": ")


def _text_at(report: Report, place: Place) -> str:
    """A line of source; empty where it is not known."""
    for source in report.sources:
        if source.file == place.file and source.first <= place.line < source.first + len(source.lines):
            return source.lines[place.line - source.first]
    return ""
