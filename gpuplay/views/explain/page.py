"""The page of one explained variant: verdict, faults, annotated source, summary, findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.analysis.counters.findings import Finding
from gpuplay.lockstep.record import Counts, Fault, LaunchedFunction, Place
from gpuplay.results.cell import Cell
from gpuplay.units import count, nbytes
from gpuplay.views.explain.figures import amount, short
from gpuplay.views.explain.source import annotated, legend
from gpuplay.views.text.layout import dim, stack, wrap

NO_TIMES = (
    "Counts of the source as it is written, from the lockstep machine: no times, no caches, "
    "and a compiler may hoist or merge what is counted here."
)
MOST_FAULTS = 5
_VERDICTS = {"right": ("right", "bold green"), "wrong": ("wrong", "bold red"), "failed": ("not right", "bold red")}


def render(found: Explanation, width: int) -> Text:
    """The whole page, no line wider than ``width`` unless a single word of source is."""
    lines = title(found, width)
    lines += faults(found, width)
    for source in found.report.sources:
        lines += [Text(), *annotated(found, source, width)]
    if found.report.sources:
        lines += [Text(), *(dim(line) for line in wrap(legend(found.report.total), width))]
        lines += [Text(), *summary(found, width)]
        lines += [Text(), *remarks(found, width)]
        lines += [Text(), *(dim(line) for line in wrap(NO_TIMES, width))]
    return stack(lines)


def title(found: Explanation, width: int) -> list[Text]:
    """The cell, and the verdict on its outputs."""
    explained = found.explained
    word, style = _VERDICTS[explained.status]
    lines = [Text.assemble((explained.cell.kernel, "bold"), "  ", described(explained.cell))]
    lines = lines if lines[0].cell_len <= width else wrap(lines[0].plain, width, rest="  ")
    if explained.status == "failed" and not found.report.faults and explained.error is None:
        word = "not judged"  # the run ended before there was anything to judge
    said = "" if found.report.faults else explained.reason  # faults are shown in full below
    error = explained.error
    if explained.status == "wrong" and error and error.max_abs is not None and error.tolerance is not None:
        said += f"; error {error.max_abs:.3g}, tolerance {error.tolerance:.2g}"
    verdict = f"{word} on the lockstep machine{': ' if said else ''}{said}"
    return [*lines, *(Text(line.plain, style=style) for line in wrap(verdict, width, rest="  "))]


def described(cell: Cell) -> str:
    """Variant, knobs, size and params."""
    knobs = "".join(f" {name}={value}" for name, value in cell.knobs)
    params = "".join(f", {name} {value}" for name, value in cell.params)
    return f"{cell.variant}{knobs}  n = {cell.size}{params}"


def faults(found: Explanation, width: int) -> list[Text]:
    """The first checks that fired, each with its place, values and remedy."""
    lines: list[Text] = []
    for fault in found.report.faults[:MOST_FAULTS]:
        lines += [Text(), *_fault(fault, width)]
    more = len(found.report.faults) - MOST_FAULTS
    if more > 0:
        lines += [Text(), Text(f"  … and {count(more, 'more check')} fired", style="red")]
    return lines


def _fault(fault: Fault, width: int) -> list[Text]:
    times = f" ({amount(fault.count)} times)" if fault.count > 1 else ""
    place = f"{_place(fault.place)}: " if fault.place else ""
    lines = wrap(f"{place}{fault.kind}: {fault.message}{times}", width, first="  ✗ ", rest="    ")
    red = [Text(line.plain, style="bold red") for line in lines]
    if fault.other and str(fault.other.line) not in fault.message:
        who = f" by {fault.other_thread}" if fault.other_thread else ""
        red += wrap(f"the other place: {_place(fault.other)}{who}", width, first="    ", rest="    ")
    if fault.kind == "race" and fault.value:
        word = f"{fault.array}[{', '.join(map(str, fault.index))}]"
        red += wrap(f"{word} held {fault.value} before this access", width, first="    ", rest="    ")
    return [*red, *(wrap(f"→ {fault.remedy}", width, first="    ", rest="      ") if fault.remedy else [])]


def _place(place: Place) -> str:
    return f"{Path(place.file).name}:{place.line}"


def summary(found: Explanation, width: int) -> list[Text]:
    """Launches, totals, memory and divergence in a few lines."""
    total = found.report.total
    items = [
        ("launched", "; ".join(_launches(found.report.launches))),
        ("work", _work(total)),
        ("lanes", _lanes(total)),
        ("global memory", _global(found, total)),
        ("shared memory", _shared(total)),
        ("atomics", _atomics(total)),
    ]
    known = [(name, text) for name, text in items if text]
    names = max(len(name) for name, _ in known)
    lines = [Text("Summary", style="bold")]
    for name, text in known:
        lines += wrap(text, width, first=f"  {name.ljust(names)}  ")
    return lines


def _launches(launches: Iterable[LaunchedFunction]) -> list[str]:
    texts = []
    for launch in launches:
        shared = f", {nbytes(launch.shared_bytes)} shared a block" if launch.shared_bytes else ""
        times = f", {launch.times} times" if launch.times > 1 else ""
        blocks = "×".join(map(str, _used(launch.grid)))
        noun = "block" if blocks == "1" else "blocks"
        texts.append(f"{launch.function}: {blocks} {noun} of {'×'.join(map(str, _used(launch.block)))}{shared}{times}")
    return texts


def _used(extents: Sequence[int]) -> Sequence[int]:
    """Extents (x, y, z) without the trailing ones."""
    used = max((axis + 1 for axis, extent in enumerate(extents) if extent != 1), default=1)
    return extents[:used]


def _work(total: Counts) -> str:
    parts = [f"{amount(total.warp_instructions)} warp instructions"]
    parts += [
        f"{amount(value)} {name}"
        for name, value in (
            ("float32 FLOPs", total.float32),
            ("float64 FLOPs", total.float64),
            ("special functions", total.special),
            ("integer operations", total.integer),
            ("shuffles and votes", total.shuffles),
            ("barrier arrivals of warps", total.barriers),
        )
        if value
    ]
    return ", ".join(parts)


def _lanes(total: Counts) -> str:
    text = f"{100 * total.active_share:.1f} % active".replace(".0 %", " %")
    if total.branches:
        text += f"; {amount(total.divergent)} of {amount(total.branches)} branches split a warp"
    return text


def _global(found: Explanation, total: Counts) -> str:
    loads, stores = total.global_loads, total.global_stores
    moved = loads.bytes_moved + stores.bytes_moved
    if not moved:
        return ""
    ideal = loads.ideal_sectors + stores.ideal_sectors
    text = f"{nbytes(loads.bytes_asked + stores.bytes_asked)} asked for by lanes, {nbytes(moved)} moved"
    text += f" in {amount(loads.sectors + stores.sectors)} sectors, {amount(ideal)} would do"
    if found.compulsory:
        text += f"; the arrays hold {nbytes(found.compulsory)}"
    if total.intensity:
        text += f"; {short(total.intensity)} FLOPs for each byte moved"
    return text


def _shared(total: Counts) -> str:
    banks = total.shared_loads + total.shared_stores
    if not banks.requests:
        return ""
    text = f"{amount(banks.requests)} requests, {amount(banks.wavefronts)} wavefronts"
    if banks.worst_ways > 1:
        return f"{text}, {amount(banks.ideal_wavefronts)} would do; worst conflict {banks.worst_ways}-way"
    return f"{text}, no bank conflicts"


def _atomics(total: Counts) -> str:
    atomics = total.atomics
    if not atomics.operations:
        return ""
    text = f"{amount(atomics.operations)} operations, at most {atomics.worst} lanes of a warp at one word"
    return f"{text}; one word received {amount(atomics.hottest)}" if atomics.hottest else text


def remarks(found: Explanation, width: int) -> list[Text]:
    """The findings by weight, or that there are none; faults stand above."""
    said = [finding for finding in found.findings if finding.kind != "fault"]
    if not found.report.lines:
        return wrap("Nothing was executed, so nothing was counted.", width)
    if not said:
        return wrap("Findings: none; nothing here wastes lanes, sectors or banks worth a mention.", width)
    lines = [Text("Findings, the costliest first", style="bold")]
    for number, finding in enumerate(said, 1):
        lines += wrap(sentence(found, finding), width, first=f"  {number}. ", rest="     ")
        if finding.remedy:
            remedy = wrap(f"→ {finding.remedy}", width, first="     ", rest="       ")
            lines += [Text(line.plain, style="green") for line in remedy]
    return lines


def sentence(found: Explanation, finding: Finding) -> str:
    """Place and message."""
    return f"{found.where(finding.place)}: {finding.message}" if finding.place else finding.message
