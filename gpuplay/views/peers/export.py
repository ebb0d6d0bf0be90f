"""The comparison with the libraries as JSON and Markdown, written anew after every row."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gpuplay import paths
from gpuplay.analysis.peers.judging import Finding, Judgement, Standing
from gpuplay.analysis.peers.report import Report, sentences, wording
from gpuplay.analysis.sweep import warnings
from gpuplay.analysis.sweep.ratios import seconds
from gpuplay.results.result import Result
from gpuplay.views.peers import page
from gpuplay.views.sweep import markdown
from gpuplay.views.text import files

SCHEMA = "gpuplay-peers/1"
SUFFIXES = (".json", ".md")


@dataclass(frozen=True)
class Exporter:
    """Writes reports to files. UsageError at once where a file cannot be written; nothing is created then."""

    paths: Sequence[str | Path]

    def __post_init__(self) -> None:
        for path in map(Path, self.paths):
            files.refuse_unusable(path, SUFFIXES)

    def write(self, report: Report) -> None:
        """Put the report as it stands into every file."""
        for path in map(Path, self.paths):
            as_text = to_json if path.suffix.lower() == ".json" else to_markdown
            paths.replace(path.resolve(), as_text(report))


def to_json(report: Report) -> str:
    """The report as one document."""
    return json.dumps(as_json(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """The record of ``gpuplay/1`` under a schema of its own, with the rows beside the results; unknown is null."""
    record = report.record.as_json() | {"schema": SCHEMA}
    return record | {
        "quick": report.quick,
        "interrupted": report.interrupted,
        "asked": report.asked,
        "rows": [_row(judgement) for judgement in report.judgements],
    }


def to_markdown(report: Report) -> str:
    """The page with all its details, the machine and the command."""
    title, *known = [line.plain for line in page.head(report, markdown.WIDE)]
    parts = ["# peers", markdown.escaped(title.removeprefix("peers").strip())]
    parts += map(markdown.escaped, known)
    parts += [markdown.pipes(page.summary(report, wide=True))]
    parts.append("\n".join(f"- {markdown.escaped(text)}" for text in page.legend(report)))
    parts.append("\n".join(f"- {markdown.escaped(text)}" for text in sentences(report)))
    for judgement in report.judgements:
        parts += [f"## {markdown.escaped(judgement.promise.name)}", markdown.pipes(page.cases(judgement))]
        parts.append("\n".join(f"- {markdown.escaped(text)}" for text in page.algorithms(judgement)))
        found = warnings.collect(replace(report.record, results=judgement.results))
        parts.append("\n".join(f"- warning: {markdown.escaped(text)}" for text in found))
    parts += markdown.provenance(report.record)
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(judgement: Judgement) -> dict[str, Any]:
    cases = len(judgement.promise.cases)
    return {
        "row": judgement.promise.name,
        "kernel": judgement.promise.kernel,
        "state": judgement.state,
        "remarks": list(judgement.remarks),
        "figures": [_finding(finding, cases) for finding in judgement.findings],
        "cases": [_standing(standing) for standing in judgement.standings],
    }


def _finding(finding: Finding, cases: int) -> dict[str, Any]:
    return {
        "figure": wording(finding.need, cases),
        "needed": finding.need.at_least,
        "reached": _known(finding.got),
        "low": _known(finding.low),
        "high": _known(finding.high),
        "holds": finding.holds,
        "at": finding.at.label if finding.at else None,
        "reason": finding.reason,
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
