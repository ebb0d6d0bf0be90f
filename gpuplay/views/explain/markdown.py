"""What was explained as Markdown: summary, findings and tables as such, the annotated source as a block of code."""

from __future__ import annotations

import shlex

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.views.explain import compare, lanes
from gpuplay.views.explain.data import ExplainDocument
from gpuplay.views.explain.page import NO_TIMES, described, faults, sentence, summary, title
from gpuplay.views.explain.source import annotated, legend
from gpuplay.views.text.layout import UNBROKEN
from gpuplay.views.text.markdown import escaped, fenced, page, pipes

WIDTH = 132  # characters of a block of code


def markdown(document: ExplainDocument) -> str:
    """The whole document."""
    explained = document.explained
    parts = [f"# {explained[0].explained.cell.kernel}, explained"]
    if len(explained) == 2:
        parts += ["## Side by side", pipes(compare.table(*explained), sided=True)]
    for found in explained:
        parts += _explanation(found)
    parts += [NO_TIMES, "## Command", fenced([shlex.join(document.argv)], "text")]
    parts.append(f"gpuplay {document.version}, {document.created}, seed {document.seed}")
    return page(parts)


def _explanation(found: Explanation) -> list[str]:
    verdict = " ".join(line.plain.strip() for line in title(found, UNBROKEN)[1:])
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


def _block(lines: list[Text]) -> str:
    return fenced((line.plain.rstrip() for line in lines), "text")
