"""A figure of a table as a value: what stands over its column, how it is told of a row, what explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gpuplay.views.text.layout import Column, Entry, column

Row = TypeVar("Row")


@dataclass(frozen=True)
class Figure(Generic[Row]):
    """One column of a table. ``head`` has its header lines, of which the first ``bold`` name it.

    ``text`` answers with words, or with an `Entry` where they carry a mark or a style. ``width`` is kept free where
    rows change under the reader's eyes. Without ``always`` the column is left out where no row has anything in it.
    ``legend`` says below the table what the figure is.
    """

    head: str
    text: Callable[[Row], str | Entry]
    right: bool = True
    units: bool = True
    bold: int = 1
    width: int = 0
    always: bool = True
    legend: str = ""

    @property
    def heads(self) -> tuple[str, ...]:
        """The header lines."""
        return tuple(self.head.split("\n"))

    def entry(self, row: Row) -> Entry:
        """The figure of one row."""
        told = self.text(row)
        return told if isinstance(told, Entry) else Entry((told,))

    def value(self, row: Row) -> str:
        """The words of one row alone; empty where there is nothing to say."""
        return "  ".join(self.entry(row).values)

    def column(self, rows: Sequence[Row]) -> Column:
        """The figure of all rows, one under the other."""
        entries = [self.entry(row) for row in rows]
        return column(self.heads, entries, right=self.right, units=self.units, bold=self.bold)


@dataclass(frozen=True)
class Legend:
    """What a mark in a table means."""

    mark: str
    text: str


def columns(figures: Iterable[Figure[Row]], rows: Sequence[Row]) -> list[Column]:
    """The figures side by side, without those that need not be there and say nothing of these rows."""
    return [one.column(rows) for one in figures if one.always or any(one.value(row) for row in rows)]


def legends(known: Iterable[Legend], drawn: Sequence[Column]) -> list[str]:
    """What the marks mean, those that stand in these columns."""
    cells = [cell.plain for one in drawn for cell in one.cells]
    return [f"{one.mark} {one.text}" for one in known if any(one.mark in cell for cell in cells)]
