"""Tables of resources: a row for each GPU function and architecture, and one for each CPU variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from gpuplay.analysis.machine_code.inspection import GpuRow, HostRow
from gpuplay.analysis.machine_code.occupancy import Occupancy, Raise
from gpuplay.analysis.machine_code.sass import REST, Loops
from gpuplay.results.cell import Cell
from gpuplay.units import count, nbytes, percent, size_names
from gpuplay.views.code.data import CodeDocument
from gpuplay.views.text.layout import (
    INDENT,
    WIDEST_TEXT,
    Column,
    Entry,
    blocks,
    column,
    dim,
    join,
    stack,
    width_of,
    wrap,
)
from gpuplay.views.text.notes import superscript

MOST_KINDS = 6
GPU_LEGEND = (
    "registers: of a thread. spills, local: bytes of a thread, in memory instead of registers. shared: of a block, "
    "static and dynamic. occupancy: warps that one multiprocessor holds at once, of those it could; limited by the "
    "resource named; more with: the nearest value that alone raises it. hottest loop: the one that most arithmetic "
    "and depth make the likeliest, its own instructions by kind; nothing was run."
)
HOST_LEGEND = (
    "hottest loop: of all functions of the variant the one that most arithmetic and depth make the likeliest; vector: "
    "the width of its widest arithmetic; fused: multiply-adds; packed, scalar: arithmetic on vectors, on one number; "
    "nothing was timed."
)


def render(document: CodeDocument, width: int) -> Text:
    """The tables of all rows, no line wider than ``width`` unless a single word is."""
    return stack([*heading(document, min(width, WIDEST_TEXT)), *body(document, width)])


def body(document: CodeDocument, width: int) -> list[Text]:
    """The tables with their footnotes and legends."""
    fit = min(width, WIDEST_TEXT)
    lines: list[Text] = []
    if document.gpu:
        marks = marks_of(document.gpu)
        lines += [Text(), *_gpu_table(document.gpu, marks, width), Text(), *_foot(marks, GPU_LEGEND, fit)]
    if document.host:
        marks = marks_of(document.host)
        lines += [Text(), *_host_table(document.host, marks, width), Text(), *_foot(marks, HOST_LEGEND, fit)]
    return lines


def heading(document: CodeDocument, width: int) -> list[Text]:
    """The kernel, its problem, and what compiled it."""
    kernel, cells = document.kernel, document.cells
    first = wrap(f"{kernel.name}  {kernel.summary}{_problem(cells[0]) if cells else ''}", width, rest="  ")
    first[0].stylize("bold", 0, len(kernel.name))
    return [*first, *(wrap(document.tools, width) if document.tools else [])]


def gpu_columns(rows: Sequence[GpuRow], marks: Mapping[str, str], *, short: bool = False) -> list[Column]:
    """The table of GPU functions, their names where a variant has several; ``short`` without knobs and long texts."""
    functions = [column(["function"], [Entry((_function(row),)) for row in rows], right=False)]
    names = [row.cell.variant if short else label(row.cell) for row in rows]
    figures = [
        column(
            ["variant"], [Entry((n,), marks.get(r.reason, "")) for n, r in zip(names, rows, strict=True)], right=False
        ),
        column(["for"], [Entry((row.architecture,)) for row in rows], right=False),
        *(functions if _several(rows) and not short else []),
        column(["threads"], [_known(row, str(row.function.threads) if row.function else "") for row in rows]),
        column(["regis-", "ters"], [_resource(row, "registers") for row in rows], bold=2),
        column(["spills"], [_spills(row) for row in rows]),
        column(["local"], [_resource(row, "local_bytes") for row in rows]),
        column(["shared"], [_known(row, nbytes(row.function.shared_bytes) if row.function else "") for row in rows]),
        column(["occu-", "pancy"], [Entry((_share(row.occupancy),)) for row in rows], units=False, bold=2),
    ]
    if short:
        return figures
    return [
        *figures,
        column(["warps"], [Entry((_warps(row.occupancy),)) for row in rows], units=False),
        column(["limited by"], [Entry((limiters(row.occupancy),)) for row in rows], right=False),
        column(["more with"], [Entry((more(row.occupancy),)) for row in rows], right=False),
        column(["hottest loop"], [Entry((loop_text(row.loops),)) for row in rows], right=False),
    ]


def gpu_remarks(row: GpuRow, *, several: bool = False) -> list[str]:
    """What stands under a row where the table has no room for it: function, knobs, what limits it, the hottest loop."""
    if row.function is None:
        return []
    knobs = " ".join(f"{name}={value}" for name, value in row.cell.knobs)
    limit = ""
    if row.occupancy:
        by, raised = limiters(row.occupancy), more(row.occupancy)
        held = f"{count(row.occupancy.blocks, 'block')} of {count(-(-row.function.threads // 32), 'warp')}"
        limit = f"{held}{f', limited by {by}' if by else ''}{f'; more with {raised}' if raised else ''}"
    parts = (_function(row) if several else "", knobs, limit)
    loop = f"hottest loop: {loop_text(row.loops)}" if row.loops else ""
    return [text for text in ("; ".join(part for part in parts if part), loop) if text]


def host_columns(rows: Sequence[HostRow], marks: Mapping[str, str], *, short: bool = False) -> list[Column]:
    """The table of CPU variants; ``short`` without knobs."""
    loops = [row.loop for row in rows]
    names = [row.cell.variant if short else label(row.cell) for row in rows]
    return [
        column(
            ["variant"], [Entry((n,), marks.get(r.reason, "")) for n, r in zip(names, rows, strict=True)], right=False
        ),
        column(["hottest loop in"], [Entry((loop.function if loop else "–",)) for loop in loops], right=False),
        column(["vector"], [Entry((_bits(loop.vector_bits) if loop else "–",)) for loop in loops]),
        column(["fused"], [Entry((str(loop.fused) if loop else "–",)) for loop in loops]),
        column(["packed"], [Entry((str(loop.packed) if loop else "–",)) for loop in loops]),
        column(["scalar"], [Entry((str(loop.scalar) if loop else "–",)) for loop in loops]),
        column(
            ["instruc-", "tions"],
            [Entry((f"{loop.instructions}{'' if loop.loop else ', no loop'}" if loop else "–",)) for loop in loops],
        ),
    ]


def label(cell: Cell) -> str:
    """Variant and knobs."""
    return " ".join([cell.variant, *(f"{name}={value}" for name, value in cell.knobs)])


def limiters(found: Occupancy | None) -> str:
    """'registers', 'registers, shared memory'; nothing where the multiprocessor is full."""
    if found is None:
        return "–"
    return "" if found.share >= 1 else ", ".join(found.limiters)


def more(found: Occupancy | None) -> str:
    """'≤ 56 registers: 75 %': what would raise the occupancy, each value alone."""
    if found is None:
        return "–"
    return " or ".join(f"{_change(one)}: {percent(one.share)}" for one in found.raises)


def loop_text(loops: Loops | None) -> str:
    """'768 instructions, FFMA 67 %, LDS.128 4 %, other 29 %'; of the whole function where there is no loop."""
    if loops is None:
        return "–"
    mix = loops.mix
    named = sorted(((n, c) for n, c in mix.kinds if n != REST), key=lambda item: -item[1])[:MOST_KINDS]
    rest = mix.total - sum(c for _, c in named)
    parts = [f"{name} {percent(n / mix.total)}" for name, n in [*named, *([("other", rest)] if rest else [])]]
    whole = "" if loops.loop else "none; "
    return f"{whole}{', '.join([count(mix.total, 'instruction'), *parts])}"


def _change(one: Raise) -> str:
    if one.what == "block":
        return f"a block of {one.value}"
    return f"≤ {one.value} registers" if one.what == "registers" else f"≤ {_at_most(one.value)} shared"


def _at_most(size: int) -> str:
    """An amount of memory, rounded down: what is read off must still do."""
    unit = 1024 if size >= 1024 else 1
    whole, tenths = size // unit, size * 10 // unit % 10
    text = f"{whole}.{tenths}" if tenths else f"{whole}"
    return f"{text} KiB" if unit > 1 else f"{text} B"


def _share(found: Occupancy | None) -> str:
    return percent(found.share) if found else "–"


def _warps(found: Occupancy | None) -> str:
    """Blocks by warps of a block that one multiprocessor holds."""
    return f"{found.blocks}×{found.warps // max(found.blocks, 1)}" if found else "–"


def _several(rows: Sequence[GpuRow]) -> bool:
    """Whether a variant has several GPU functions."""
    return len({(row.cell, row.architecture) for row in rows}) < len(rows)


def _function(row: GpuRow) -> str:
    if row.function is None:
        return "–"
    times = f" ×{row.function.launches}" if row.function.launches > 1 else ""
    return f"{row.function.name}{times}"


def _known(row: GpuRow, text: str) -> Entry:
    return Entry((text if row.function else "–",))


def _resource(row: GpuRow, name: str) -> Entry:
    resources = row.function.resources if row.function else None
    return Entry((str(getattr(resources, name)) if resources else "–",))


def _spills(row: GpuRow) -> Entry:
    resources = row.function.resources if row.function else None
    return Entry((str(resources.spill_stores_bytes + resources.spill_loads_bytes) if resources else "–",))


def _bits(bits: int) -> str:
    return f"{bits} bits" if bits else "scalar"


def marks_of(rows: Sequence[GpuRow] | Sequence[HostRow]) -> dict[str, str]:
    """A footnote mark for each reason why a row has nothing."""
    distinct = dict.fromkeys(row.reason for row in rows if row.reason)
    return {reason: superscript(number) for number, reason in enumerate(distinct, 1)}


def _problem(cell: Cell) -> str:
    params = dict(cell.params)
    dtype = params.pop("dtype", "")
    own = ", ".join(f"{name} {value}" for name, value in params.items() if value != cell.size)
    return "".join(
        [f", {dtype}" if dtype else "", f"  n = {size_names([cell.size])(cell.size)}", f", {own}" if own else ""]
    )


def _gpu_table(rows: Sequence[GpuRow], marks: Mapping[str, str], width: int) -> list[Text]:
    """One line a row where that fits, else the figures, and the long texts of each row below it."""
    columns = gpu_columns(rows, marks)
    if width_of(columns) + INDENT <= width:
        return join(columns, INDENT)
    remarks = [gpu_remarks(row, several=_several(rows)) for row in rows]
    return _with_remarks(gpu_columns(rows, marks, short=True), 2, remarks, width)


def _host_table(rows: Sequence[HostRow], marks: Mapping[str, str], width: int) -> list[Text]:
    """One line a row where that fits, else the knobs of each row below it."""
    columns = host_columns(rows, marks)
    if width_of(columns) + INDENT <= width:
        return join(columns, INDENT)
    columns = host_columns(rows, marks, short=True)
    return _with_remarks(columns, 1, [[" ".join(f"{k}={v}" for k, v in row.cell.knobs)] for row in rows], width)


def _with_remarks(columns: Sequence[Column], leading: int, remarks: Sequence[Sequence[str]], width: int) -> list[Text]:
    """A table with texts below each row; what does not fit beside the leading columns follows in further blocks."""
    first, *rest = [join(block, INDENT) for block in blocks(columns[:leading], columns[leading:], width - INDENT)]
    lines = first[: -len(remarks)]
    for line, texts in zip(first[-len(remarks) :], remarks, strict=True):
        said = (part for text in texts if text for part in wrap(text, width, first=" " * (INDENT + 4)))
        lines += [line, *map(dim, said)]
    return [*lines, *(line for block in rest for line in (Text(), *block))]


def _foot(marks: Mapping[str, str], legend: str, width: int) -> list[Text]:
    notes = [f"{mark} {reason}" for reason, mark in marks.items()]
    lines = [line for text in notes for line in wrap(text, width, first=" " * INDENT, rest=" " * (INDENT + 2))]
    return [*lines, *(dim(line) for line in wrap(legend, width, first=" " * INDENT))]
