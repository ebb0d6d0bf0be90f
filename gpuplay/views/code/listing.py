"""Machine code as text: PTX and SASS with the source lines beside them, LLVM and assembly, the source itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from gpuplay.analysis.machine_code import sass
from gpuplay.analysis.machine_code.inspection import GpuRow, HostRow
from gpuplay.catalog.definitions import Definition
from gpuplay.results.compiled import SourceFile
from gpuplay.units import count, nbytes
from gpuplay.views.code.data import CodeDocument, source_line
from gpuplay.views.code.resources import heading, label
from gpuplay.views.text.layout import stack, wrap

HOT = "▌"
_SASS_PLACE = re.compile(r'^\s*//## File "(?P<file>[^"]+)", line (?P<line>\d+)')
_PTX_FILE = re.compile(r'^\s*\.file\s+(?P<number>\d+)\s+"(?P<file>[^"]+)"')
_PTX_PLACE = re.compile(r"^\s*\.loc\s+(?P<number>\d+)\s+(?P<line>\d+)")
_SYMBOL = re.compile(r"\.visible \.entry (?P<name>[\w$]+)")
_LABEL = re.compile(r"^[.$\w]+:\s*$")


def render(document: CodeDocument, width: int) -> Text:
    """Every listing under its title; lines of code are never broken."""
    lines = heading(document, width)
    for title, body in parts(document):
        first = wrap(title, width, rest="  ")
        lines += [Text(), *(Text(line.plain, style="bold") for line in first), *(_coloured(text) for text in body)]
    return stack(lines)


def parts(document: CodeDocument) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of every listing."""
    if document.form == "source":
        yield from _definitions(document.definitions)
        return
    sources = {(one.cell, one.architecture): one.sources for one in document.compiled}
    for row in document.gpu:
        yield gpu_title(row), gpu_lines(row, document.form, sources.get((row.cell, row.architecture), ()))
    for host in document.host:
        yield from _host(host, document.form)


def gpu_title(row: GpuRow) -> str:
    """The cell, the architecture and the function with its resources; or why there is none."""
    where = f"{label(row.cell)}  {row.architecture}"
    function = row.function
    if function is None:
        return f"{where}: {row.reason}"
    said = [f"{where}: {function.name}", count(function.threads, "thread")]
    if function.resources:
        said.append(count(function.resources.registers, "register"))
    if function.shared_bytes:
        said.append(f"{nbytes(function.shared_bytes)} shared")
    return ", ".join(said)


def gpu_lines(row: GpuRow, form: str, sources: Sequence[SourceFile]) -> list[str]:
    """PTX or SASS, mangled names shortened, each stretch under the line of source that it comes from."""
    function = row.function
    if function is None:
        return []
    entry = _SYMBOL.search(function.ptx)
    text = function.sass if form == "sass" else function.ptx
    text = text.replace(entry["name"], function.name) if entry else text
    return list(_sass(text, row, sources) if form == "sass" else _ptx(text, sources))


def _sass(text: str, row: GpuRow, sources: Sequence[SourceFile]) -> Iterator[str]:
    """Instructions and labels, the hottest loop marked, without what the assembler needs around them."""
    hot = set(row.loops.loop.own) if row.loops and row.loops.loop else set()
    length = row.loops.instructions if row.loops else 0  # padding follows
    position, last, waiting = 0, "", list[str]()
    for line in text.splitlines():
        if place := _SASS_PLACE.match(line):
            said = source_line(sources, place["file"], int(place["line"]))
            waiting += [f"  // {said}"] if said != last else []
            last = said
        elif _LABEL.match(line):
            waiting += [] if line.startswith(".text.") else [line]
        elif sass.is_instruction(line) and position < length:
            yield from waiting
            yield f"{HOT if position in hot else ' '} {line.strip()}"
            waiting.clear()
            position += 1


def _ptx(text: str, sources: Sequence[SourceFile]) -> Iterator[str]:
    files = {match["number"]: match["file"] for line in text.splitlines() if (match := _PTX_FILE.match(line))}
    last = ""
    for line in text.splitlines():
        if place := _PTX_PLACE.match(line):
            said = source_line(sources, files.get(place["number"], "?"), int(place["line"]))
            if said != last and place["line"] != "0":
                yield f"\t// {said}"
            last = said
        elif not _PTX_FILE.match(line):
            yield line.replace("\r", "")


def _host(row: HostRow, form: str) -> Iterator[tuple[str, list[str]]]:
    if not row.functions:
        yield f"{label(row.cell)}: {row.reason}", []
    for function in row.functions:
        text = function.llvm if form == "llvm" else function.asm
        hottest = ", the hottest loop is here" if row.loop and row.loop.function == function.name else ""
        if text:
            yield f"{label(row.cell)}: {function.name}{hottest}", text.splitlines()


def _definitions(found: Mapping[str, Iterable[Definition]]) -> Iterator[tuple[str, list[str]]]:
    for name, definitions in found.items():
        for one in definitions:
            yield f"{name}: {Path(one.file).parent.name}/{one.file.name}:{one.line}", one.text.splitlines()


def _coloured(line: str) -> Text:
    """Source lines green, the hottest loop cyan."""
    if line.lstrip().startswith("// ") and ":" in line:
        return Text(line, style="green")
    return Text(line, style="cyan" if line.startswith(HOT) else "")
