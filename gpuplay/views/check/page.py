"""``gpuplay check``: a line for each variant and its knob values, right or wrong, and where it first went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text

from gpuplay.kernel import Kernel
from gpuplay.results.result import Result
from gpuplay.units import count
from gpuplay.views.text.layout import Entry, column, join, stack, wrap
from gpuplay.views.text.notes import error_text

Group = tuple[str, str]
FAILURES = ("wrong", "failed")
RIGHT = ("ok", "verified")
NUMBERS = re.compile(r"-?\d[\d.e+-]*|True|False")
TELLING_SIZE = 31  # of one element every cause looks alike


def render(kernel: Kernel, results: Sequence[Result], width: int, *, failures_too: bool = True) -> Text:
    """The table of one kernel, its failures in full unless they stand elsewhere, and a line that sums it up."""
    groups = _groups(kernel, results)
    title = Text.assemble((kernel.name, "bold"), "  ", kernel.summary)
    if not groups:
        return stack([title, Text("  nothing could be checked")])
    found = list(groups.values())
    knob_column = column(["knobs"], [Entry((knobs,)) for _, knobs in groups], right=False)
    columns = [
        column(["variant"], [Entry((variant,)) for variant, _ in groups], right=False),
        *([knob_column] if any(knobs for _, knobs in groups) else []),
        column(["right"], [Entry((_passed(group),)) for group in found], units=False),
        column(["sizes"], [Entry((_sizes(group),)) for group in found], right=False),
        column(["verdict"], [_verdict(group) for group in found], right=False),
    ]
    lines = [title, Text(), *join(columns, 2)]
    if failures_too:
        for group in found:
            lines += _failure(group, width)
    lines += _remarks(found, width)
    return stack([*lines, Text(), *wrap(summary(kernel, results), width, first="  ")])


def failures(kernel: Kernel, results: Sequence[Result], width: int) -> list[Text]:
    """The first failure of each variant and its knob values in full."""
    return [line for group in _groups(kernel, results).values() for line in _failure(group, width) if line.plain]


def summary(kernel: Kernel, results: Sequence[Result]) -> str:
    """How many variants with their knob values are right at every problem that was checked, and which are not."""
    groups: dict[tuple[object, ...], set[str]] = {}
    for result in results:
        groups.setdefault((result.cell.variant, result.cell.knobs), set()).add(result.status)
    checked = {group: states for group, states in groups.items() if states != {"skipped"}}
    if not checked:
        reasons = dict.fromkeys(result.reason for result in results if result.reason)
        return f"{kernel.name}: nothing could be checked here{': ' if reasons else ''}{'; '.join(reasons)}."
    bad = list(dict.fromkeys(str(group[0]) for group, states in checked.items() if states & set(FAILURES)))
    right = sum(not states & set(FAILURES) for states in checked.values())
    checks = sum(result.status != "skipped" for result in results)
    skipped = len(groups) - len(checked)
    text = f"{kernel.name}: {right} of {count(len(checked), 'variant')} (knob values apart) right"
    text += f", {count(checks, 'problem')} checked"
    if skipped:
        text += f", {skipped} not run here"
    return f"{text}; not right: {', '.join(bad)}." if bad else f"{text}."


def _groups(kernel: Kernel, results: Sequence[Result]) -> dict[Group, list[Result]]:
    """Results by variant, as declared, and knob values."""
    groups: dict[Group, list[Result]] = {}
    order = [variant.name for variant in kernel.variants]
    for result in sorted(results, key=lambda r: order.index(r.cell.variant)):
        knobs = " ".join(f"{knob}={value}" for knob, value in result.cell.knobs)
        groups.setdefault((result.cell.variant, knobs), []).append(result)
    return groups


def _passed(group: Sequence[Result]) -> str:
    checked = [result for result in group if result.status != "skipped"]
    return f"{sum(r.status in RIGHT for r in checked)} of {len(checked)}" if checked else "–"


def _sizes(group: Sequence[Result]) -> str:
    sizes = sorted({result.cell.size for result in group if result.status != "skipped"})
    return f"{sizes[0]}–{sizes[-1]}" if len(sizes) > 1 else "".join(map(str, sizes))


def _verdict(group: Sequence[Result]) -> Entry:
    states = {result.status for result in group}
    for state in FAILURES:
        if state in states:
            return Entry((state,), "", "bold red")
    return Entry(("not run here",), "", "dim") if states == {"skipped"} else Entry(("right",), "", "green")


def _failure(group: Sequence[Result], width: int) -> list[Text]:
    """One failure in full, and how many more there are."""
    failures = sorted((r for r in group if r.status in FAILURES), key=_telling)
    if not failures:
        return []
    first = failures[0]
    params = ", ".join(f"{name} {value}" for name, value in first.cell.params)
    more = f" ({len(failures) - 1} more)" if len(failures) > 1 else ""
    text = f"{first.cell.label} ({params}): {first.reason}{error_text(first)}{more}"
    return [Text(), *(Text(line.plain, style="red") for line in wrap(text, width, first="  ✗ ", rest="    "))]


def _telling(result: Result) -> tuple[bool, int]:
    """An order in which the failures that tell most come first: at a size that is large enough for a pattern."""
    size = result.cell.size
    return size < TELLING_SIZE, size if size >= TELLING_SIZE else -size


def _remarks(groups: Sequence[Sequence[Result]], width: int) -> list[Text]:
    """Why problems were skipped or run on the lockstep machine only, each reason once, with its variants."""
    holders: dict[tuple[str, str], dict[str, int]] = {}
    for group in groups:
        for result in group:
            what = {"skipped": "skipped", "verified": "on the lockstep machine"}.get(result.status)
            if what and result.reason:
                counted = holders.setdefault((what, result.reason), {})
                counted[result.cell.variant] = counted.get(result.cell.variant, 0) + 1
    lines: list[Text] = []
    for (what, reason), counted in holders.items():
        who = ", ".join(f"{variant} ({count(times, 'problem')})" for variant, times in counted.items())
        lines += wrap(f"{what}: {who}: {reason}", width, first="  – ", rest="    ")
    for text, warned in _warned(groups).items():
        lines += wrap(f"{', '.join(warned)}: {text}", width, first="  ! ", rest="    ")
    return [Text(), *lines] if lines else []


def _warned(groups: Sequence[Sequence[Result]]) -> dict[str, list[str]]:
    """What is to be said of right variants, with their names or "all"; of texts that differ in numbers the first."""
    found: dict[str, tuple[str, dict[str, None]]] = {}
    checked = {result.cell.variant for group in groups for result in group if result.status in RIGHT}
    for group in groups:
        for result in group:
            for text in result.warnings:
                found.setdefault(NUMBERS.sub("#", text), (text, {}))[1][result.cell.variant] = None
    return {text: ["all"] if set(who) == checked and len(who) > 1 else list(who) for text, who in found.values()}
