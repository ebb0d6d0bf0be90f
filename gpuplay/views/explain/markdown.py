"""What was explained as Markdown: summary, findings and tables as such, the annotated source as a block of code."""

from __future__ import annotations

import shlex

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.views.explain import compare, lanes
from gpuplay.views.explain.data import Document
from gpuplay.views.explain.page import NO_TIMES, described, faults, sentence, summary, title
from gpuplay.views.explain.source import annotated, legend

WIDTH = 132  # characters of a block of code


def markdown(document: Document) -> str:
    """The whole document."""
    explained = document.explained
    parts = [f"# {explained[0].explained.cell.kernel}, explained"]
    if len(explained) == 2:
        parts += ["## Side by side", _pairs(*explained)]
    for found in explained:
        parts += _explanation(found)
    parts += [NO_TIMES, "## Command", _block([Text(shlex.join(document.argv))])]
    parts.append(f"gpuplay {document.version}, {document.created}, seed {document.seed}")
    return "\n\n".join(parts) + "\n"


def _explanation(found: Explanation) -> list[str]:
    verdict = " ".join(line.plain.strip() for line in title(found, 10_000)[1:])
    parts = [f"## {escaped(described(found.explained.cell))}", f"**{escaped(verdict)}**"]
    if found.report.faults:
        parts.append(_block([line for line in faults(found, WIDTH) if line.plain]))
    if found.findings:
        parts += ["### Findings", "\n".join(_item(found, number) for number in range(len(found.findings)))]
    if found.report.sources:
        parts += ["### Source", *(_block(annotated(found, source, WIDTH)) for source in found.report.sources)]
        parts += [escaped(legend(found.report.total)), "### Summary", _block(summary(found, WIDTH)[1:])]
    if found.report.maps:
        drawn = [lanes.render(found, [one], WIDTH).split("\n") for one in found.report.maps]
        parts += ["### Lanes of one warp", *(_block(list(lines)) for lines in drawn)]
    return parts


def _item(found: Explanation, number: int) -> str:
    finding = found.findings[number]
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return f"{number + 1}. {escaped(sentence(found, finding))}{escaped(remedy)}"


def _pairs(left: Explanation, right: Explanation) -> str:
    columns = compare.table(left, right)
    heads = [" ".join(filter(None, column.heads)) for column in columns]
    rows = zip(*([cell.plain.strip() for cell in column.cells] for column in columns), strict=True)
    lines = [heads, ["---", "---:", "---:", "---:"], *map(list, rows)]
    return "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)


def _block(lines: list[Text]) -> str:
    """Lines as they are; a fence longer than any within."""
    text = "\n".join(line.plain.rstrip() for line in lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is; a rule of dashes stays one."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text
