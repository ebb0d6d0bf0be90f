"""Files with everything that was measured: JSON, CSV or Markdown, as the suffix says.

Written anew after every cell, so that an interrupted command leaves valid files.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpuplay.paths import replace
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.views.sweep.page import SWEEP, Page
from gpuplay.views.text.files import refuse_unusable

COLUMNS = (
    *("kernel", "size", "dtype", "params", "variant", "class", "knobs", "threads", "library", "status", "reason"),
    *("error_max_abs", "error_max_rel", "error_tolerance", "error_output", "error_index", "error_got"),
    *("error_expected", "verified_at", "time_median_s", "time_q1_s", "time_q3_s", "time_min_s", "time_samples"),
    *("time_loops", "time_rounds", "call_s", "compile_s", "compile_cached", "prepare_s", "to_device_s"),
    *("from_device_s", "flops", "bytes", "work_flops", "work_bytes", "warnings", "source", "created", "gpuplay"),
    *("storage", "compute", "accumulate", "algorithm"),
    *("sm_mhz", "memory_mhz", "power_w", "celsius", "throttled", "energy_j"),
)
SUFFIXES = (".json", ".csv", ".md")


@dataclass(frozen=True)
class Exporter:
    """Writes records to files. UsageError at once where a file cannot be written; nothing is created then."""

    paths: Sequence[str | Path]
    page: Page = SWEEP

    def __post_init__(self) -> None:
        for path in map(Path, self.paths):
            refuse_unusable(path, SUFFIXES)

    def write(self, record: Record, plan: Plan) -> None:
        """Put the record as it stands into every file."""
        for path in map(Path, self.paths):
            replace(path.resolve(), _text(path.suffix.lower(), record, plan, self.page))


def to_csv(record: Record) -> str:
    """One line a result, the columns always the same; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in record.as_json()["results"]:
        writer.writerow({**_flat(result), "created": record.created, "gpuplay": record.version})
    return text.getvalue()


def document(record: Record, plan: Plan, page: Page = SWEEP) -> dict[str, Any]:
    """The document of the ``gpuplay/1`` schema: what was measured, and behind it what the page derives from it."""
    return record.as_json() | page.derived(record, plan)


def _text(suffix: str, record: Record, plan: Plan, page: Page) -> str:
    if suffix == ".json":
        return json.dumps(document(record, plan, page), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return to_csv(record) if suffix == ".csv" else page.markdown(record, plan)


def _flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON result as one row: nested figures by prefix, mappings as 'key=value;key=value'."""
    error, time = result["error"] or {}, result["time"] or {}
    at, moved, own = error.get("at") or {}, result["transfer"] or {}, result["work"] or {}
    params = dict(result["params"])
    row = {name: result[name] for name in COLUMNS if name in result}
    row |= {"dtype": params.pop("dtype", ""), "params": _pairs(params), "knobs": _pairs(result["knobs"])}
    row |= {f"error_{name}": error.get(name) for name in ("max_abs", "max_rel", "tolerance")}
    row |= {f"error_{name}": at.get(name) for name in ("output", "got", "expected")}
    row |= {f"time_{name}": time.get(name) for name in ("median_s", "q1_s", "q3_s", "min_s", "loops")}
    row |= {f"work_{name}": own.get(name) for name in ("flops", "bytes")}
    row |= {name: moved.get(name) for name in ("to_device_s", "from_device_s")}
    row |= {name: (result["formats"] or {}).get(name) for name in ("storage", "compute", "accumulate")}
    told = result["telemetry"] or {}
    row |= {name: told.get(name) for name in ("sm_mhz", "memory_mhz", "power_w", "celsius", "energy_j")}
    rounds = time.get("rounds", [])
    return row | {
        "error_index": " ".join(map(str, at.get("index", ()))),
        "verified_at": " ".join(map(str, result["verified_at"] or ())),
        "time_samples": sum(map(len, rounds)) if time else None,
        "time_rounds": len(rounds) if time else None,
        "throttled": "; ".join(told.get("throttled") or ()),
        "warnings": "; ".join(result["warnings"]),
    }


def _pairs(values: Mapping[str, Any]) -> str:
    return ";".join(f"{name}={value}" for name, value in values.items())
