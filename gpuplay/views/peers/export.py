"""The comparison with the libraries as JSON and Markdown, written anew after every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpuplay.analysis.peers.judging import Answer, Judgement, Standing
from gpuplay.analysis.peers.report import PeersReport, sentences, wording
from gpuplay.analysis.sweep import warnings
from gpuplay.analysis.sweep.ratios import seconds
from gpuplay.results.result import Result
from gpuplay.views.peers import page
from gpuplay.views.peers.figures import cases, summary
from gpuplay.views.sweep.markdown import provenance
from gpuplay.views.text.files import Exporter, json_text
from gpuplay.views.text.layout import UNBROKEN
from gpuplay.views.text.markdown import escaped, items, pipes
from gpuplay.views.text.markdown import page as paragraphs

SCHEMA = "gpuplay-peers/1"


def exporter(paths: Sequence[str | Path]) -> Exporter[[PeersReport]]:
    """Writes the report as it stands to these files."""
    return Exporter({".json": to_json, ".md": to_markdown}, paths)


def to_json(report: PeersReport) -> str:
    """The report as one document."""
    return json_text(as_json(report))


def as_json(report: PeersReport) -> dict[str, Any]:
    """The record of ``gpuplay/1`` under a schema of its own, with the rows beside the results; unknown is null."""
    record = report.record.as_json() | {"schema": SCHEMA}
    return record | {
        "quick": report.quick,
        "interrupted": report.interrupted,
        "asked": report.asked,
        "rows": [_row(judgement) for judgement in report.judgements],
    }


def to_markdown(report: PeersReport) -> str:
    """The page with all its details, the machine and the command."""
    title, *known = [line.plain for line in page.head(report, UNBROKEN)]
    parts = ["# peers", escaped(title.removeprefix("peers").strip()), *map(escaped, known)]
    parts += [pipes(summary(report, wide=True)), items(page.legend(report)), items(sentences(report))]
    for judgement in report.judgements:
        parts += [
            f"## {escaped(judgement.promise.name)}",
            pipes(cases(judgement)),
            items(page.algorithms(judgement)),
        ]
        parts.append(items(warnings.collect(replace(report.record, results=judgement.results)), "warning: "))
    return paragraphs([*parts, *provenance(report.record)])


def _row(judgement: Judgement) -> dict[str, Any]:
    cases = len(judgement.promise.cases)
    return {
        "row": judgement.promise.name,
        "kernel": judgement.promise.kernel,
        "state": judgement.state,
        "remarks": list(judgement.remarks),
        "figures": [_finding(answer, cases) for answer in judgement.answers],
        "cases": [_standing(standing) for standing in judgement.standings],
    }


def _finding(answer: Answer, cases: int) -> dict[str, Any]:
    return {
        "figure": wording(answer.need, cases),
        "needed": answer.need.at_least,
        "reached": _known(answer.got),
        "low": _known(answer.low),
        "high": _known(answer.high),
        "holds": answer.holds,
        "at": answer.at.label if answer.at else None,
        "reason": answer.reason,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    found = standing.found
    return {
        "case": standing.label,
        "size": standing.case.size,
        "params": dict(standing.case.params),
        "ours": _who(standing.ours),
        "library": _who(standing.rival),
        "ratio": _known(found.ratio if found else None),
        "low": _known(found.low if found else None),
        "high": _known(found.high if found else None),
        "reason": standing.reason,
    }


def _who(result: Result | None) -> dict[str, Any] | None:
    return {"variant": result.cell.variant, "median_s": seconds(result)} if result else None


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
