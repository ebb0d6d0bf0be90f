"""Columns of text: numbers aligned on their units, fitted to a width, split into blocks where they do not fit.

Nothing here knows what a kernel is, and nothing interprets markup: all text is `rich.text.Text`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

GAP = 2
INDENT = 2
WIDEST_TEXT = 100  # characters of a line of prose: longer ones are hard to read
UNBROKEN = 10_000  # a width for text that is not to be broken into lines
_NUMBER = re.compile("[0-9]")
_UNITS = r"(?:[nµm]?s|min|h|[KMGT]iB|[kMGTP]?(?:FLOP|B)/s)\b|[%×]"
_TOGETHER = re.compile(rf"(?<=[0-9]) (?={_UNITS})|(?<=\bn) (?=[=≤])|(?<=[=≤]) (?=[0-9])")


@dataclass(frozen=True)
class Entry:
    """One cell of a column: its values side by side, and a mark that stands behind them."""

    values: tuple[str, ...] = ()
    mark: str = ""
    style: str = ""


@dataclass(frozen=True)
class Column:
    """Header lines and one text a row, all rows of one width; ``bold`` header lines name the column.

    Headers start at the top, except a single one, which stands next to the rule.
    """

    heads: tuple[str, ...]
    cells: tuple[Text, ...]
    right: bool = True
    bold: int = 1

    @property
    def width(self) -> int:
        """Characters of the widest header or row."""
        return max([len(head) for head in self.heads] + [cell.cell_len for cell in self.cells])

    def lines(self, depth: int) -> list[Text]:
        """Header lines filled up to ``depth``, a rule, and the rows."""
        width = self.width
        blank = ("",) * (depth - len(self.heads))
        heads = blank + self.heads if len(self.heads) == 1 else self.heads + blank
        place = str.rjust if self.right else str.ljust
        top = [Text(place(head, width), style="bold" if line < self.bold else "") for line, head in enumerate(heads)]
        return [*top, Text("─" * width, style="dim"), *(_fill(cell, width, right=self.right) for cell in self.cells)]


def column(
    heads: Sequence[str],
    entries: Sequence[Entry],
    *,
    right: bool = True,
    units: bool = True,
    least: int = 0,
    marks: int = 0,
    bold: int = 1,
) -> Column:
    """A column of entries: values one under the other, numbers to the right, units and marks to the left.

    ``least`` and ``marks`` are the widths of values and marks at least, for views that change under the reader's eyes.
    """
    depth = max((len(entry.values) for entry in entries), default=0)
    parts = [_align([_value(entry, i) for entry in entries], right=right, units=units) for i in range(depth)]
    joined = ["  ".join(part[row] for part in parts) for row in range(len(entries))]
    width = max([least, *map(len, joined)])
    marks = max([marks, *(len(entry.mark) for entry in entries)])
    cells = []
    for entry, text in zip(entries, joined, strict=True):
        filled = text.rjust(width) if right else text.ljust(width)
        cell = Text(filled, style=entry.style)
        if marks:
            cell.append(f" {entry.mark.ljust(marks)}")
        cells.append(cell)
    return Column(tuple(heads), tuple(cells), right, bold)


def blocks(leading: Sequence[Column], columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Columns packed into as few blocks as fit the width, the leading columns repeated in each."""
    room = width - sum(column.width + GAP for column in leading)
    packed: list[list[Column]] = [[]]
    used = 0
    for one in columns:
        if packed[-1] and used + one.width + GAP > room:
            packed.append([])
            used = 0
        packed[-1].append(one)
        used += one.width + GAP
    return [[*leading, *block] for block in packed]


def join(columns: Sequence[Column], indent: int = 0) -> list[Text]:
    """The lines of one block; the header and its rule first."""
    depth = max(len(column.heads) for column in columns)
    rows = zip(*(column.lines(depth) for column in columns), strict=True)
    lines = []
    for row in rows:
        line = Text(" " * indent)
        line.append_text(Text(" " * GAP).join(row))
        line.rstrip()
        lines.append(line)
    return lines


def width_of(columns: Sequence[Column]) -> int:
    """Characters of one block."""
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def wrap(text: str, width: int, *, first: str = "", rest: str | None = None) -> list[Text]:
    """A paragraph as lines. No word is ever cut, and no number parted from its unit, so that both can be searched."""
    found = textwrap.wrap(
        _TOGETHER.sub("\N{NO-BREAK SPACE}", text),
        max(width, 20),
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Text(line.replace("\N{NO-BREAK SPACE}", " ")) for line in found]


def pack(items: Sequence[str], width: int, indent: int) -> list[Text]:
    """Items side by side as long as they fit; an item that does not fit in a line is wrapped on its own."""
    lines: list[Text] = []
    line = ""
    for item in items:
        joined = f"{line}{' ' * 3 if line else ' ' * indent}{item}"
        if len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(Text(line))
        line = " " * indent + item
        if len(line) > width:
            lines += wrap(item, width, first=" " * indent, rest=" " * (indent + 2))
            line = ""
    return [*lines, Text(line)] if line else lines


def stack(lines: Iterable[Text]) -> Text:
    """Lines as one text that keeps its layout."""
    text = Text("\n").join(lines)
    text.no_wrap = True
    text.overflow = "ignore"
    return text


def dim(line: Text) -> Text:
    """The line in the colour of what may be passed over."""
    return Text(line.plain, style="dim")


def show(console: Console, text: Text) -> None:
    """Print laid-out text as it is: nothing cropped, wrapped, highlighted or taken for markup."""
    console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _fill(cell: Text, width: int, *, right: bool) -> Text:
    filled = cell.copy()
    missing = width - cell.cell_len
    if missing > 0:
        (filled.pad_left if right else filled.pad_right)(missing)
    return filled


def _value(entry: Entry, place: int) -> str:
    return entry.values[place] if place < len(entry.values) else ""


def _align(values: Sequence[str], *, right: bool, units: bool) -> list[str]:
    """Numbers right-aligned, each unit left-aligned behind its number; words as they come."""
    if not right:
        width = max(map(len, values))
        return [value.ljust(width) for value in values]
    split = [_unit(value) for value in values]
    kinds = {unit for _, unit in split if unit}
    if not units or (" ×" in kinds and len(kinds) > 1):
        split = [(value, "") for value in values]
    widest = max(len(unit) for _, unit in split)
    numbers = max((len(number) for number, unit in split if unit or not widest), default=0)
    aligned = [number.rjust(numbers) + unit.ljust(widest) if unit else number for number, unit in split]
    width = max(map(len, aligned))
    return [text.rjust(width) for text in aligned]


def _unit(value: str) -> tuple[str, str]:
    """'86.8 ms' as '86.8' and ' ms'; words and bare numbers have no unit."""
    number, space, unit = value.rpartition(" ")
    return (number, space + unit) if _NUMBER.search(number) else (value, "")
