"""What was explained as one HTML page without further files: counters beside the source, heat as background."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.analysis.counters.findings import Finding
from gpuplay.lockstep.record import Place, Source
from gpuplay.views.explain import compare, lanes
from gpuplay.views.explain.data import ExplainDocument
from gpuplay.views.explain.page import NO_TIMES, described, faults, sentence, summary, title
from gpuplay.views.explain.source import FIGURES, legend
from gpuplay.views.text.layout import UNBROKEN

WIDTH = 132  # characters of the drawings of lanes
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font: 13px/1.45 ui-monospace, monospace; display: block; overflow-x: auto; }
th, td { padding: 0 .6em; text-align: right; white-space: pre; vertical-align: top; }
th { font-weight: 600; border-bottom: 1px solid #8886; vertical-align: bottom; }
td.code, th.code, td.name { text-align: left; }
tr.plain td { color: #8889; }
td.mark { font-weight: 700; color: #b35900; }
tr.fault td.code { outline: 2px solid #c00; }
.right { color: #080; } .wrong, .failed, .faults { color: #c00; }
pre { overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }
.remedy { color: #080; } footer, .legend { color: #888; font-size: .9em; }
@media (prefers-color-scheme: dark) { .right, .remedy { color: #6c6; } .wrong, .failed, .faults { color: #f77; } }
"""


def html(document: ExplainDocument) -> str:
    """The whole page."""
    explained = document.explained
    name = f"{explained[0].explained.cell.kernel}, explained"
    body = [f"<h1>{escape(name)}</h1>"]
    if len(explained) == 2:
        body += ["<h2>Side by side</h2>", _pairs(*explained)]
    for found in explained:
        body += _explanation(found)
    footer = f"{NO_TIMES} gpuplay {document.version}, {document.created}, seed {document.seed}:"
    body.append(f"<footer><p>{escape(footer)} <code>{escape(shlex.join(document.argv))}</code></p></footer>")
    head = f'<meta charset="utf-8">\n<title>{escape(name)}</title>\n<style>{STYLE}</style>'
    joined = "\n".join(body)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{joined}\n</body>\n</html>\n'


def _explanation(found: Explanation) -> list[str]:
    status = found.explained.status
    verdict = " ".join(line.plain.strip() for line in title(found, UNBROKEN)[1:])
    parts = [f"<h2>{escape(described(found.explained.cell))}</h2>", f'<p class="{status}">{escape(verdict)}</p>']
    if found.report.faults:
        parts.append(_pre([line for line in faults(found, WIDTH) if line.plain], "faults"))
    if found.findings:
        parts += ["<h3>Findings</h3>", "<ol>", *(_item(found, one) for one in found.findings), "</ol>"]
    for source in found.report.sources:
        parts += [_heading(source), _source(found, source)]
    if found.report.sources:
        parts += [
            f'<p class="legend">{escape(legend(found.report.total))}</p>',
            "<h3>Summary</h3>",
            _pre(summary(found, WIDTH)[1:]),
        ]
    if found.report.maps:
        parts.append("<h3>Lanes of one warp</h3>")
    for drawn in found.report.maps:
        heading, *lines = lanes.render(found, [drawn], WIDTH).split("\n")
        parts.append(f"<details><summary>{escape(heading.plain)}</summary>{_pre(lines)}</details>")
    return parts


def _item(found: Explanation, finding: Finding) -> str:
    remedy = f'<br><span class="remedy">→ {escape(finding.remedy)}</span>' if finding.remedy else ""
    return f"<li>{escape(sentence(found, finding))}{remedy}</li>"


def _heading(source: Source) -> str:
    kind = "device function" if source.device else "GPU function"
    return f"<h3><code>{escape(source.name)}</code>, {kind}, {escape(Path(source.file).name)}:{source.first}</h3>"


def _source(found: Explanation, source: Source) -> str:
    """One row a line of source, the columns that say something for this function."""
    texts = textwrap.dedent("\n".join(source.lines)).rstrip().split("\n")
    places = [Place(source.file, number) for number in range(source.first, source.first + len(texts))]
    counts = [found.report.at(place) for place in places]
    figures = [figure for figure in FIGURES if any(map(figure.value, counts))]
    faulty = {fault.place for fault in found.report.faults} | {fault.other for fault in found.report.faults}
    heads = "".join(f"<th>{'<br>'.join(escape(head) for head in figure.heads)}</th>" for figure in figures)
    rows = [f'<tr><th>line</th>{heads}<th class="code">source</th></tr>']
    for place, count, text in zip(places, counts, texts, strict=True):
        cells = [
            f"<td{' class=mark' if figure.entry(count).mark else ''}>{escape(figure.value(count))}</td>"
            for figure in figures
        ]
        heat = found.heat(place)
        colour = f' style="background: rgba(220, 60, 0, {0.6 * heat:.3f})"' if heat else ""
        kind = "fault" if place in faulty else "" if heat else "plain"
        code = f'<td class="code"{colour}>{escape(text)}</td>'
        rows.append(f'<tr class="{kind}"><td>{place.line}</td>{"".join(cells)}{code}</tr>')
    return "<table>\n" + "\n".join(rows) + "\n</table>"


def _pairs(left: Explanation, right: Explanation) -> str:
    columns = compare.table(left, right)
    heads = "".join(f"<th>{escape(' '.join(filter(None, column.heads)))}</th>" for column in columns)
    rows = zip(*([cell.plain.strip() for cell in column.cells] for column in columns), strict=True)
    lines = [f"<tr>{heads}</tr>", *(f"<tr>{_cells(row)}</tr>" for row in rows)]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _cells(texts: Sequence[str]) -> str:
    first, *rest = map(escape, texts)
    return f'<td class="name">{first}</td>' + "".join(f"<td>{text}</td>" for text in rest)


def _pre(lines: Iterable[Text], kind: str = "") -> str:
    text = "\n".join(line.plain.rstrip() for line in lines).strip("\n")
    return f'<pre class="{kind}">{escape(text)}</pre>' if kind else f"<pre>{escape(text)}</pre>"
