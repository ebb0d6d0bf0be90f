"""Markdown: text that it leaves as it is, lists, tables, blocks of code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpuplay.views.text.layout import Column


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text


def items(texts: Iterable[str], before: str = "") -> str:
    """A list with an item for each text, all of which begin with ``before``."""
    return "\n".join(f"- {before}{escaped(text)}" for text in texts)


def pipes(columns: Sequence[Column], *, sided: bool = False) -> str:
    """Columns as a pipe table, right-aligned; with ``sided`` each to its side, and its header on one line."""
    heads = [(" " if sided else "<br>").join(escaped(head) for head in column.heads if head) for column in columns]
    rules = ["---:" if column.right or not sided else "---" for column in columns]
    rows = zip(*([escaped(" ".join(cell.plain.split())) for cell in column.cells] for column in columns), strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rules, *rows))


def fenced(lines: Iterable[str], language: str = "") -> str:
    """Lines as they are; a fence longer than any within."""
    body, fence = "\n".join(lines), "```"
    while fence in body:
        fence += "`"
    return f"{fence}{language}\n{body}\n{fence}"


def page(parts: Iterable[str]) -> str:
    """Paragraphs one after another, without those that say nothing."""
    return "\n\n".join(part for part in parts if part) + "\n"
