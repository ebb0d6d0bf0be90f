"""``--detail``: one line a cell with everything that was measured, figures of one kind side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.text import Text

from gpuplay.analysis.sweep.ratios import timed
from gpuplay.analysis.sweep.roofline import roof, work
from gpuplay.analysis.sweep.warnings import subject
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.results.telemetry import Telemetry
from gpuplay.units import byte_rate, flop_rate, joules, percent, seconds, size_names
from gpuplay.views.text.layout import Column, Entry, blocks, column, join, stack, wrap


def render(record: Record, width: int) -> Text:
    """A line a cell that was run; as many blocks of columns as the width asks for, each beginning with the cell.

    Cells that were skipped, knobs that never vary and workers' warnings stand below in words.
    """
    run = [result for result in record.results if result.status != "skipped"]
    lines: list[Text] = []
    if run:
        shown = replace(record, results=tuple(run))
        filled = [column for column in _columns(shown) if any(cell.plain.strip() for cell in column.cells)]
        for block in blocks(_leading(run), filled, width - 2):
            lines += [*([Text()] if lines else []), *join(block, 2)]
    else:
        lines.append(Text("  nothing was measured"))
    foot = [line for text in _remarks(record.results) for line in wrap(text, width, first="  ", rest="    ")]
    return stack([*lines, *([Text(), *foot] if foot else [])])


def _leading(results: Sequence[Result]) -> list[Column]:
    """What names a cell: size, varying params, variant, varying knobs."""
    name = size_names(result.cell.size for result in results)
    columns = [_texts("n", results, lambda r: name(r.cell.size))]
    axes = dict.fromkeys(axis for result in results for axis, _ in result.cell.params)
    sizes = {result.cell.size for result in results}
    varying = [axis for axis in axes if len({(r.cell.size, _param(axis)(r)) for r in results}) > len(sizes)]
    columns += [_texts(axis, results, _param(axis)) for axis in varying]
    columns.append(_texts("variant", results, lambda r: r.cell.variant, right=False))
    swept = {pair for pair, values in _knob_values(results).items() if len(values) > 1}
    if swept:
        columns.append(_texts("knobs", results, lambda r: _knobs(r, swept), right=False))
    return columns


def _columns(record: Record) -> list[Column]:
    """Every figure, in the order of the questions: how long, how fast, how right, and what else it cost."""
    results = record.results

    def of_roof(result: Result) -> str:
        limit = roof(result, record.roofs, record.machine)
        fraction = limit.fraction(_median(result)) if limit else None
        if limit is None:
            return ""
        return f"{percent(fraction)} {limit.bound}" if fraction is not None else "in cache"

    def time(get: Callable[[Result], float | None]) -> Callable[[Result], str]:
        return lambda result: _seconds(get(result))

    return [
        _texts("threads", results, lambda r: "" if r.cell.kind.on_gpu else str(r.cell.threads)),
        _texts("median", results, lambda r: seconds(_median(r)) if timed(r) else r.status),
        _texts("q1–q3", results, _timed(_range)),
        _texts("min", results, _timed(lambda r: seconds(r.time.min_s) if r.time else "")),
        _texts("samples", results, _timed(lambda r: f"{r.time.samples}×{r.time.loops}" if r.time else "")),
        _texts("call", results, _timed(lambda r: seconds(r.call_s) if r.call_s and r.cell.kind.on_gpu else "")),
        _texts("arithmetic", results, _timed(lambda r: flop_rate(r.flops / _median(r)) if r.flops else "")),
        _texts("bytes", results, _timed(lambda r: byte_rate(r.bytes / _median(r)) if r.bytes else "")),
        _texts("own work", results, _timed(_own_work)),
        _texts("of roof", results, _timed(of_roof)),
        _texts("error", results, lambda r: _figure(r.error.max_abs if r.error else None)),
        _texts("precision", results, lambda r: r.formats.text if r.formats else "", right=False),
        _texts("tolerance", results, lambda r: _figure(r.error.tolerance if r.error else None)),
        _texts("compile", results, time(lambda r: r.compile_s)),
        _texts("cached", results, lambda r: {True: "yes", False: "no", None: ""}[r.compile_cached]),
        _texts("prepare", results, time(lambda r: r.prepare_s)),
        _texts("to device", results, time(lambda r: r.transfer.to_device_s if r.transfer else None)),
        _texts("back", results, time(lambda r: r.transfer.from_device_s if r.transfer else None)),
        _texts("SM clock", results, _told(lambda t: _unit(t.sm_mhz, "MHz"))),
        _texts("memory clock", results, _told(lambda t: _unit(t.memory_mhz, "MHz"))),
        _texts("power", results, _told(lambda t: _unit(t.power_w, "W"))),
        _texts("heat", results, _told(lambda t: _unit(t.celsius, "°C"))),
        _texts("throttled", results, _told(lambda t: ", ".join(t.throttled or ())), right=False),
        _texts("energy", results, _told(lambda t: "" if t.energy_j is None else joules(t.energy_j))),
        _texts("ran", results, lambda r: r.algorithm, right=False),
        _texts("library", results, lambda r: r.library, right=False),
    ]


def _texts(head: str, results: Sequence[Result], text: Callable[[Result], str], *, right: bool = True) -> Column:
    return column([head], [Entry((text(result),)) for result in results], right=right)


def _told(text: Callable[[Telemetry], str]) -> Callable[[Result], str]:
    """What a GPU said of itself, where it did."""
    return lambda result: text(result.telemetry) if result.telemetry else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.0f} {unit}"


def _timed(text: Callable[[Result], str]) -> Callable[[Result], str]:
    """Only a result that was found right has figures of time."""
    return lambda result: text(result) if timed(result) else ""


def _median(result: Result) -> float:
    assert result.time is not None
    return result.time.median_s


def _seconds(value: float | None) -> str:
    return "" if value is None else seconds(value)


def _range(result: Result) -> str:
    """The quartiles, the unit once where both have it."""
    assert result.time is not None
    low, high = seconds(result.time.q1_s), seconds(result.time.q3_s)
    number, _, unit = low.rpartition(" ")
    return f"{number}–{high}" if high.endswith(f" {unit}") else f"{low} – {high}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _param(axis: str) -> Callable[[Result], str]:
    return lambda result: str(dict(result.cell.params).get(axis, ""))


def _knob_values(results: Sequence[Result]) -> dict[tuple[str, str], set[int]]:
    """The values of each variant's knobs."""
    values: dict[tuple[str, str], set[int]] = {}
    for result in results:
        for knob, value in result.cell.knobs:
            values.setdefault((result.cell.variant, knob), set()).add(value)
    return values


def _knobs(result: Result, swept: set[tuple[str, str]]) -> str:
    return " ".join(f"{knob}={value}" for knob, value in result.cell.knobs if (result.cell.variant, knob) in swept)


def _own_work(result: Result) -> str:
    """The rate of the arithmetic that the variant really does, where it differs from the kernel's cost."""
    flops, _ = work(result)
    return flop_rate(flops / _median(result)) if flops and flops != result.flops else ""


def _remarks(results: Sequence[Result]) -> list[str]:
    """Knobs with one value, every reason for a missing time, every warning of a worker: each said once."""
    fixed: dict[str, list[str]] = {}
    for (variant, knob), values in _knob_values(results).items():
        if len(values) == 1:
            fixed.setdefault(variant, []).append(f"{knob}={next(iter(values))}")
    found: dict[str, list[Result]] = {}
    for result in results:
        said = [f"{result.status}: {result.reason}"] if result.status != "ok" and result.reason else []
        for text in (*said, *(f"warning: {warning}" for warning in result.warnings)):
            found.setdefault(text, []).append(result)
    name = size_names(result.cell.size for result in results)
    knobs = [f"{variant} has {', '.join(settings)}" for variant, settings in fixed.items()]
    return [*knobs, *(f"{subject(about, name)} {text}" for text, about in found.items())]
