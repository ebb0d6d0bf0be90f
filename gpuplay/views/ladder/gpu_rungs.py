"""The columns of a CUDA ladder that need no GPU: resources as compiled, traffic as counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.units import nbytes, percent, ratio, size_names
from gpuplay.views.text.layout import Column, Entry, column

LEGEND = (
    "registers: of a thread; shared: of a block; occupancy: warps that a multiprocessor holds, of those it could; of "
    "several GPU functions the worst. moved: global memory in whole sectors of 32 bytes; of the arrays: over moving "
    "each array once; sectors, banks: over the least that would do, 1 without waste; error: the largest, absolute"
)
NONE = "–"


def heading(facts: LadderFacts) -> list[str]:
    """Why there are no times, what was compiled for what, and at which size was counted."""
    absent = [f"no GPU: not timed ({facts.absent.partition(';')[0]})"] if facts.absent else []
    compiled = f"not compiled ({facts.uncompiled})" if facts.uncompiled else f"compiled for {facts.architecture}"
    n = size_names([facts.n])(facts.n)
    return [*absent, f"resources: {compiled} · counters and errors: lockstep machine at n = {n}"]


def columns(facts: LadderFacts, names: Sequence[str]) -> list[Column]:
    """A row for each of these variants; a dash where nothing is known."""
    rungs = [facts.of(name) for name in names]

    def figures(value: Callable[[RungFacts], float | None], text: Callable[[float], str]) -> list[Entry]:
        found = [value(rung) for rung in rungs]
        return [Entry((NONE if one is None else text(one),)) for one in found]

    spilled = [column(["spills"], figures(lambda r: r.spilled_bytes, nbytes))]
    return [
        column(["regis-", "ters"], figures(lambda r: r.registers, str), bold=2),
        *(spilled if any(rung.spilled_bytes for rung in rungs) else []),
        column(["shared"], figures(lambda r: r.shared_bytes, nbytes)),
        column(["occu-", "pancy"], figures(lambda r: r.occupancy, percent), units=False, bold=2),
        column(["moved"], figures(lambda r: r.moved_bytes, nbytes)),
        column(["of the", "arrays"], figures(lambda r: r.over_compulsory, ratio), units=False, bold=2),
        column(["sectors"], figures(lambda r: r.sectors_over_ideal, _short), units=False),
        column(["banks"], figures(lambda r: r.wavefronts_over_ideal, _short), units=False),
        column(["FLOPs", "a byte"], figures(lambda r: r.intensity, _short), units=False, bold=2),
        column(["error"], figures(lambda r: r.error, lambda value: f"{value:.1e}"), units=False),
    ]


def _short(value: float) -> str:
    return f"{value:.3g}"
