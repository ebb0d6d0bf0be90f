"""What was explained as plain data, for JSON: all counters by line, faults, findings, one warp's addresses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gpuplay.analysis.counters.counters import pairs
from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.lockstep.record import Counts, Place, Source

SCHEMA = "gpuplay-explain/1"


@dataclass(frozen=True)
class ExplainDocument:
    """One or two explained cells, with what an export says of the command that made them."""

    explained: Sequence[Explanation]
    version: str
    created: str
    argv: Sequence[str]
    seed: int = 0


def as_json(document: ExplainDocument) -> dict[str, Any]:
    """The document as one object of the ``gpuplay-explain/1`` schema; what is not known is null."""
    first, *rest = document.explained
    compared = pairs(first.report.total, rest[0].report.total) if rest else ()
    return {
        "schema": SCHEMA,
        "gpuplay": document.version,
        "created": document.created,
        "argv": list(document.argv),
        "seed": document.seed,
        "explained": [_explained(found) for found in document.explained],
        "compared": [
            {"counter": pair.name, "first": pair.left, "second": pair.right, "ratio": pair.ratio} for pair in compared
        ],
    }


def _explained(found: Explanation) -> dict[str, Any]:
    explained, report = found.explained, found.report
    cell = explained.cell
    return {
        "kernel": cell.kernel,
        "variant": cell.variant,
        "size": cell.size,
        "params": dict(cell.params),
        "knobs": dict(cell.knobs),
        "status": explained.status,
        "reason": explained.reason,
        "error": asdict(explained.error) if explained.error else None,
        "compulsory_bytes": found.compulsory,
        "launches": [asdict(launch) for launch in report.launches],
        "total": counters(report.total),
        "functions": [_function(found, source) for source in report.sources],
        "faults": [asdict(fault) for fault in report.faults],
        "findings": [
            asdict(finding) | {"weight": finding.weight if math.isfinite(finding.weight) else None}
            for finding in found.findings
        ],
        "notes": [asdict(note) for note in report.notes],
        "maps": [asdict(drawn) for drawn in report.maps],
    }


def _function(found: Explanation, source: Source) -> dict[str, Any]:
    lines = []
    for number, text in enumerate(source.lines, source.first):
        place = Place(source.file, number)
        counts = found.report.at(place)
        entry: dict[str, Any] = {"line": number, "text": text}
        if counts != Counts():
            entry |= {"heat": found.heat(place), "counts": counters(counts)}
        lines.append(entry)
    return {
        "name": source.name,
        "file": source.file,
        "first": source.first,
        "device": source.device,
        "lines": lines,
    }


def counters(counts: Counts) -> dict[str, Any]:
    """All counters, with those that follow from them."""
    return asdict(counts) | {
        "active_share": counts.active_share,
        "flops": counts.flops,
        "intensity": counts.intensity,
        "global_bytes_moved": counts.global_loads.bytes_moved + counts.global_stores.bytes_moved,
    }
