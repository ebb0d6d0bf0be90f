"""``--detail``: one line a cell with everything that was measured, figures of one kind side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from gpuplay.analysis.sweep.warnings import subject
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.units import size_names
from gpuplay.views.sweep.figures import detail
from gpuplay.views.text import figures
from gpuplay.views.text.figures import Figure
from gpuplay.views.text.layout import Column, blocks, join, stack, wrap


def render(record: Record, width: int) -> Text:
    """A line a cell that was run; as many blocks of columns as the width asks for, each beginning with the cell.

    Cells that were skipped, knobs that never vary and workers' warnings stand below in words.
    """
    run = [result for result in record.results if result.status != "skipped"]
    lines: list[Text] = []
    if run:
        filled = [one for one in figures.columns(detail(record), run) if any(cell.plain.strip() for cell in one.cells)]
        for block in blocks(_leading(run), filled, width - 2):
            lines += [*([Text()] if lines else []), *join(block, 2)]
    else:
        lines.append(Text("  nothing was measured"))
    foot = [line for text in _remarks(record.results) for line in wrap(text, width, first="  ", rest="    ")]
    return stack([*lines, *([Text(), *foot] if foot else [])])


def _leading(results: Sequence[Result]) -> list[Column]:
    """What names a cell: size, varying params, variant, varying knobs."""
    name = size_names(result.cell.size for result in results)
    axes = dict.fromkeys(axis for result in results for axis, _ in result.cell.params)
    sizes = {result.cell.size for result in results}
    varying = [axis for axis in axes if len({(r.cell.size, _param(axis)(r)) for r in results}) > len(sizes)]
    swept = {pair for pair, values in _knob_values(results).items() if len(values) > 1}
    named = (
        Figure[Result]("n", lambda r: name(r.cell.size)),
        *(Figure(axis, _param(axis)) for axis in varying),
        Figure[Result]("variant", lambda r: r.cell.variant, right=False),
        Figure[Result]("knobs", lambda r: _knobs(r, swept), right=False, always=bool(swept)),
    )
    return figures.columns(named, results)


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
