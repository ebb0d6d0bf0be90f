"""The figures of a CUDA ladder that need no GPU: resources as compiled, traffic as counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.units import nbytes, percent, ratio, size_names
from gpuplay.views.text import figures
from gpuplay.views.text.figures import Figure
from gpuplay.views.text.layout import Column

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
    spilled = any(rung.spilled_bytes for rung in rungs)
    return figures.columns((one for one in (*COMPILED, *COUNTED) if spilled or one is not SPILLS), rungs)


def _known(value: Callable[[RungFacts], float | None], text: Callable[[float], str]) -> Callable[[RungFacts], str]:
    return lambda rung: NONE if (found := value(rung)) is None else text(found)


def _short(value: float) -> str:
    return f"{value:.3g}"


SPILLS = Figure("spills", _known(lambda r: r.spilled_bytes, nbytes))
COMPILED = (
    Figure("regis-\nters", _known(lambda r: r.registers, str), bold=2, legend="registers: of a thread"),
    SPILLS,
    Figure("shared", _known(lambda r: r.shared_bytes, nbytes), legend="shared: of a block"),
    Figure(
        "occu-\npancy",
        _known(lambda r: r.occupancy, percent),
        units=False,
        bold=2,
        legend="occupancy: warps that a multiprocessor holds, of those it could; of several GPU functions the worst",
    ),
)
COUNTED = (
    Figure(
        "moved",
        _known(lambda r: r.moved_bytes, nbytes),
        legend="moved: global memory in whole sectors of 32 bytes",
    ),
    Figure(
        "of the\narrays",
        _known(lambda r: r.over_compulsory, ratio),
        units=False,
        bold=2,
        legend="of the arrays: over moving each array once",
    ),
    Figure(
        "sectors",
        _known(lambda r: r.sectors_over_ideal, _short),
        units=False,
        legend="sectors, banks: over the least that would do, 1 without waste",
    ),
    Figure("banks", _known(lambda r: r.wavefronts_over_ideal, _short), units=False),
    Figure("FLOPs\na byte", _known(lambda r: r.intensity, _short), units=False, bold=2),
    Figure(
        "error",
        _known(lambda r: r.error, lambda value: f"{value:.1e}"),
        units=False,
        legend="error: the largest, absolute",
    ),
)
LEGEND = ". ".join("; ".join(one.legend for one in group if one.legend) for group in (COMPILED, COUNTED))
