"""The source with counters beside each line: which columns fit, marks of what is wasted, heat."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.analysis.counters.findings import CONTENDED, WASTED_SECTORS
from gpuplay.lockstep.record import Banks, Counts, Place, Source, Traffic
from gpuplay.units import nbytes
from gpuplay.views.explain.figures import amount, bar
from gpuplay.views.text.figures import Figure
from gpuplay.views.text.layout import GAP, Column, Entry, column, join

HOT, WARM = 0.25, 0.08  # of all passes: a line of a quarter of the work, one that is worth a look
IDLE_LINE = 0.5  # active lanes: below it a line is marked
NARROW_SOURCE = 34  # characters of source that stay beside the narrowest columns


def _loads_and_stores(counts: Counts) -> Traffic:
    return counts.global_loads + counts.global_stores


def _banks(counts: Counts) -> Banks:
    return counts.shared_loads + counts.shared_stores


def _sectors(counts: Counts) -> str:
    """'2.5/2.5': sectors and ideal sectors a request."""
    traffic = _loads_and_stores(counts)
    if not traffic.requests:
        return ""
    sectors, ideal = (f"{n / traffic.requests:.1f}" for n in (traffic.sectors, traffic.ideal_sectors))
    return f"{sectors.removesuffix('.0')}/{ideal.removesuffix('.0')}"


def _wasteful(counts: Counts) -> bool:
    traffic = _loads_and_stores(counts)
    return traffic.sectors > 0 and traffic.sectors >= WASTED_SECTORS * traffic.ideal_sectors


def _nonzero(value: Callable[[Counts], int]) -> Callable[[Counts], str]:
    return lambda counts: amount(value(counts)) if value(counts) else ""


def _active(counts: Counts) -> str:
    return f"{100 * counts.active_share:.0f}%" if counts.warp_instructions else ""


def _figure(
    head: str, text: Callable[[Counts], str], marked: Callable[[Counts], bool] = lambda _: False
) -> Figure[Counts]:
    """A column of counters; a line that is ``marked`` wastes what is counted."""

    def told(counts: Counts) -> Entry:
        alarm = marked(counts)
        return Entry((text(counts),), "!" if alarm else "", "bold yellow" if alarm else "")

    return Figure(head, told, units=False, bold=0)


FIRST = (
    _figure("warp\ninstr", _nonzero(lambda c: c.warp_instructions)),
    _figure("lanes", _active, lambda c: c.active_share < IDLE_LINE),
    _figure("sectors\n/ideal", _sectors, _wasteful),
    _figure("bank\nways", _nonzero(lambda c: _banks(c).worst_ways), lambda c: _banks(c).worst_ways > 1),
    _figure("FLOPs", _nonzero(lambda c: c.flops)),
    _figure("atomic\nlanes", _nonzero(lambda c: c.atomics.worst), lambda c: c.atomics.worst >= CONTENDED),
)
# Those that stand beside the source only where its longest line leaves room.
FURTHER = (
    _figure("float64\nFLOPs", _nonzero(lambda c: c.float64), lambda c: c.float64 > 0 and c.float32 > 0),
    _figure("global\nrequests", _nonzero(lambda c: _loads_and_stores(c).requests)),
    _figure("bytes\nmoved", lambda c: nbytes(m) if (m := _loads_and_stores(c).bytes_moved) else ""),
    _figure("shared\nwavefr.", _nonzero(lambda c: _banks(c).wavefronts)),
    _figure("split\nwarps", _nonzero(lambda c: c.divergent)),
    _figure("integer\nops", _nonzero(lambda c: c.integer)),
    _figure("barriers", _nonzero(lambda c: c.barriers)),
)
FIGURES = (*FIRST, *FURTHER)
LEGENDS: tuple[tuple[Callable[[Counts], bool], str], ...] = (
    (lambda _: True, "lanes: active ones of a warp's 32"),
    (
        lambda c: _loads_and_stores(c).requests > 0,
        "sectors: of 32 bytes, touched by one warp's access to global memory; ideal: the least that would do",
    ),
    (
        lambda c: _banks(c).requests > 0,
        "bank ways: words that wait for one bank of shared memory, 1 is no conflict",
    ),
    (lambda c: c.atomics.operations > 0, "atomic lanes: most of a warp at one word"),
    (lambda _: True, "!: wasteful; bars: share of all warp instructions, sectors and wavefronts"),
)


def legend(total: Counts) -> str:
    """What the columns of a run mean, those that it has."""
    return "; ".join(text for applies, text in LEGENDS if applies(total))


def annotated(found: Explanation, source: Source, width: int) -> list[Text]:
    """One function: a heading, and its lines with their counters; long lines are wrapped, never cut."""
    rows = _rows(source)
    counts = [found.report.at(Place(source.file, number)) for number, _ in rows]
    kind = "device function" if source.device else "GPU function"
    heading = Text.assemble((source.name, "bold"), f"  {kind}, {Path(source.file).name}:{source.first}")
    longest = max((len(text) for _, text in rows), default=0)
    figures = _fitting(counts, longest, width)
    room = width - _leading_width([*_numbers(found, source, rows), *(f.column(counts) for f in figures)])
    pieces = [
        (number, count, piece, not index)
        for (number, text), count in zip(rows, counts, strict=True)
        for index, piece in enumerate(_wrapped(text, max(room, 20)))
    ]
    lines = [(number, piece) for number, _, piece, first in pieces]
    firsts = [count if first else Counts() for _, count, _, first in pieces]
    leading = [*_numbers(found, source, lines, [first for *_, first in pieces])]
    styles = [_style(found, source, number, count) for number, count, _, _ in pieces]
    texts = tuple(Text(piece, style=style) for (_, piece), style in zip(lines, styles, strict=True))
    columns = [leading[0], *(figure.column(firsts) for figure in figures), leading[1]]
    columns.append(Column(("source",), texts, right=False))
    return [heading, Text(), *join(columns)]


def _rows(source: Source) -> list[tuple[int, str]]:
    """Line numbers and dedented text, without blank lines at the end."""
    lines = textwrap.dedent("\n".join(source.lines)).rstrip().split("\n")
    return list(enumerate(lines, source.first))


def _numbers(
    found: Explanation, source: Source, lines: Sequence[tuple[int, str]], first: Sequence[bool] = ()
) -> tuple[Column, Column]:
    """The line's number, with ✗ where a check fired, and the bar of its heat."""
    faulty = {fault.place for fault in found.report.faults} | {fault.other for fault in found.report.faults}
    numbers, bars = [], []
    for index, (number, _) in enumerate(lines):
        place = Place(source.file, number)
        begins = not first or first[index]
        style = "bold red" if place in faulty else "dim"
        numbers.append(Entry((str(number) if begins else "",), "✗" if place in faulty and begins else "", style))
        bars.append(Entry((bar(found.heat(place), 2) if begins else "",), style=_hot(found.heat(place))))
    return column(["line"], numbers, units=False), column([""], bars, right=False)


def _fitting(counts: Sequence[Counts], longest: int, width: int) -> list[Figure[Counts]]:
    """The figures that say something; the further ones as long as the longest line of source stays whole."""
    telling = [figure for figure in FIGURES if any(map(figure.value, counts))]
    chosen = [figure for figure in telling if figure in FIRST]
    room = width - 4 - GAP - 2 - GAP
    while len(chosen) > 1 and room - sum(f.column(counts).width + GAP for f in chosen) < NARROW_SOURCE:
        chosen.pop()
    for figure in telling:
        used = sum(f.column(counts).width + GAP for f in (*chosen, figure))
        if figure not in chosen and room - used >= longest:
            chosen.append(figure)
    return chosen


def _leading_width(columns: Sequence[Column]) -> int:
    return sum(one.width + GAP for one in columns)


def _wrapped(text: str, width: int) -> list[str]:
    """A line of source in pieces that fit, broken at blanks, the further ones indented by four more."""
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(
        text.strip(),
        max(width, len(indent) + 16),
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _style(found: Explanation, source: Source, number: int, counts: Counts) -> str:
    if counts == Counts():
        return "dim"
    return _hot(found.heat(Place(source.file, number)))


def _hot(heat: float) -> str:
    return "bold red" if heat >= HOT else "yellow" if heat >= WARM else ""
