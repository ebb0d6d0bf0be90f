"""The source changes of a ladder, one after another, as unified diffs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpuplay.analysis.ladder.change import Change
from gpuplay.units import count
from gpuplay.views.text.layout import WIDEST_TEXT, stack, wrap

MOST_SHARED = 8
STYLES = {"+": "green", "-": "red", "@": "cyan"}


def render(changes: Sequence[Change], width: int) -> Text:
    """Every change under its two names and its idea; lines of source are never broken."""
    lines: list[Text] = []
    for found in changes:
        lines += [*([Text()] if lines else []), *_one(found, min(width, WIDEST_TEXT))]
    return stack(lines)


def _one(found: Change, width: int) -> list[Text]:
    title = f"{found.below.name} → {found.above.name}"
    head = wrap(f"{title}  {found.above.flynn}: {found.above.idea}", width)
    head[0].stylize("bold", 0, len(title))
    body = [line for diff in found.diffs for line in (Text(), *_coloured(diff))]
    said = list(found.remarks)
    if not body:
        said = [": ".join(["the same source", *said[:1]]), *said[1:]]
    elif found.shared:
        more = len(found.shared) - MOST_SHARED
        rest = f" and {count(more, 'function')} more" if more > 0 else ""
        said.append(f"both use {', '.join(found.shared[:MOST_SHARED])}{rest}")
    notes = [line for text in said for line in wrap(f"{_capital(text)}.", width, first="  ", rest="  ")]
    return [*head, *body, *([Text(), *notes] if notes else [])]


def _coloured(diff: Sequence[str]) -> list[Text]:
    """The two names in bold, then what goes and what comes."""
    names = [Text(line, style="bold") for line in diff[:2]]
    return [*names, *(Text(line, style=STYLES.get(line[:1], "")) for line in diff[2:])]


def _capital(text: str) -> str:
    """A sentence's beginning; a variant's name stays as it is."""
    return text if ":" in text.partition(" ")[0].rstrip(":") else f"{text[:1].upper()}{text[1:]}"
