"""Footnotes: why a cell has no time, numbered in reading order, one note for cells that share a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpuplay.results.cell import Cell
from gpuplay.results.result import Result

_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNIT = r"(?:ns|µs|ms|s|min|h|[KMGT]?i?B)\b"
_QUANTITY = re.compile(rf"(?<![\w.^])\d[\d.,_]*\d?(?: {_UNIT}(?: \d+ {_UNIT})?)?")


@dataclass(frozen=True)
class Notes:
    """The mark of every cell that has a footnote, and the footnotes in order."""

    marks: Mapping[Cell, str]
    texts: tuple[tuple[str, str], ...]

    def mark(self, result: Result | None) -> str:
        """The superscript of a result, or an empty string."""
        return self.marks.get(result.cell, "") if result else ""


def superscript(number: int) -> str:
    """A number in superscript digits."""
    return str(number).translate(_DIGITS)


def collect(results: Iterable[Result], name: Callable[[int], str], swept: Container[str] = ()) -> Notes:
    """Footnotes of all results without a time, in the order given; ``name`` writes a size.

    ``swept`` holds the variants whose knobs must be named to tell cells apart.
    """
    ordered = list({result.cell: result for result in results if result.status != "ok"}.values())
    shared = _shared(ordered)
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in ordered:
        groups.setdefault(_key(result, shared), []).append(result)
    marks: dict[Cell, str] = {}
    texts = []
    for number, group in enumerate(groups.values(), 1):
        mark = superscript(number)
        texts.append((mark, _text(group, name, swept)))
        marks |= {result.cell: mark for result in group}
    return Notes(marks, tuple(texts))


def _shared(results: Sequence[Result]) -> set[tuple[str, str]]:
    """Reasons that stand word for word in several variants."""
    holders: dict[tuple[str, str], set[str]] = {}
    for result in results:
        holders.setdefault((result.status, result.reason), set()).add(result.cell.variant)
    return {reason for reason, variants in holders.items() if len(variants) > 1}


def _key(result: Result, shared: set[tuple[str, str]]) -> tuple[str, ...]:
    """Cells with one key share a footnote: the same reason, or a variant's reasons that differ in quantities."""
    if (result.status, result.reason) in shared:
        return result.status, result.reason
    if result.status == "wrong":
        return result.status, result.cell.variant
    return result.status, result.cell.variant, _QUANTITY.sub("#", result.reason)


def _text(group: Sequence[Result], name: Callable[[int], str], swept: Container[str]) -> str:
    ordered = sorted(group, key=lambda result: result.cell.size)
    first = ordered[0]
    if first.status == "verified":
        small = max((size for result in group for size in result.verified_at or ()), default=None)
        at = "" if small is None or small >= ordered[-1].cell.size else f" at n ≤ {name(small)}"
        return f"verified{at}, not timed{': ' if first.reason else ''}{first.reason}"
    if first.status == "skipped":
        return f"skipped: {_merge([result.reason for result in ordered])}"
    sizes: dict[str, list[int]] = {}
    for result in ordered:
        sizes.setdefault(_label(result.cell, swept), []).append(result.cell.size)
    who = ", ".join(label for label, found in sizes.items() if first.cell.size in found)
    also: dict[tuple[int, ...], list[str]] = {}
    for label, found in sizes.items():
        others = tuple(dict.fromkeys(size for size in found if size != first.cell.size))
        also.setdefault(others, []).append(label)
    alike = len(also) == 1
    rest = "".join(
        f"; also {'' if alike else ', '.join(labels) + ' '}at n = {', '.join(map(name, others))}"
        for others, labels in also.items()
        if others
    )
    return f"{who} {first.status} at n = {name(first.cell.size)}: {first.reason}{error_text(first)}{rest}"


def _label(cell: Cell, swept: Container[str]) -> str:
    """A variant's name, with its knob values where those tell its cells apart."""
    return cell.variant + "".join(f" {knob} {value}" for knob, value in cell.knobs if cell.variant in swept)


def error_text(result: Result) -> str:
    """How far off a wrong result is, where the reason's numbers do not say it."""
    error = result.error
    if result.status != "wrong" or error is None or error.max_abs is None or error.tolerance is None:
        return ""
    return f"; error {error.max_abs:.3g}, tolerance {error.tolerance:.2g}"


def _merge(reasons: Sequence[str]) -> str:
    """One reason for several that differ in quantities: '21 s to 3 min' from the first and the last."""
    first, last = reasons[0], reasons[-1]
    ends = iter(_QUANTITY.findall(last))

    def both(match: re.Match[str]) -> str:
        end = next(ends, match[0])
        return match[0] if end == match[0] else f"{match[0]} to {end}"

    return _QUANTITY.sub(both, first)
