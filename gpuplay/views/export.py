"""Files with everything that was measured: JSON, CSV or Markdown, as the suffix says.

Written anew after every cell, first beside the file and then in its place, so that an interrupted
command leaves valid files.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpuplay.errors import UsageError
from gpuplay.plan import Plan
from gpuplay.results import Record
from gpuplay.views.markdown import markdown

COLUMNS = (
    *("kernel", "size", "dtype", "params", "variant", "class", "knobs", "threads", "library", "status", "reason"),
    *("error_max_abs", "error_max_rel", "error_tolerance", "error_output", "error_index", "error_got"),
    *("error_expected", "verified_at", "time_median_s", "time_q1_s", "time_q3_s", "time_min_s", "time_samples"),
    *("time_loops", "time_rounds", "call_s", "compile_s", "compile_cached", "prepare_s", "to_device_s"),
    *("from_device_s", "flops", "bytes", "work_flops", "work_bytes", "warnings", "source", "created", "gpuplay"),
)
SUFFIXES = (".json", ".csv", ".md")


@dataclass(frozen=True)
class Exporter:
    """Writes records to files. UsageError at once where a file cannot be written; nothing is created then."""

    paths: Sequence[str | Path]

    def __post_init__(self) -> None:
        for path in map(Path, self.paths):
            if path.suffix.lower() not in SUFFIXES:
                raise UsageError(f"--export {path}: unknown suffix {path.suffix!r}; use {', '.join(SUFFIXES)}")
            _refuse_loop(path)
            _refuse_unwritable(path)

    def write(self, record: Record, plan: Plan) -> None:
        """Put the record as it stands into every file."""
        for path in map(Path, self.paths):
            _replace(path.resolve(), _text(path.suffix.lower(), record, plan))


def to_csv(record: Record) -> str:
    """One line a result, the columns always the same; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in record.as_json()["results"]:
        writer.writerow({**_flat(result), "created": record.created, "gpuplay": record.version})
    return text.getvalue()


def _text(suffix: str, record: Record, plan: Plan) -> str:
    if suffix == ".json":
        return json.dumps(record.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return to_csv(record) if suffix == ".csv" else markdown(record, plan)


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
    rounds = time.get("rounds", [])
    return row | {
        "error_index": " ".join(map(str, at.get("index", ()))),
        "verified_at": " ".join(map(str, result["verified_at"] or ())),
        "time_samples": sum(map(len, rounds)) if time else None,
        "time_rounds": len(rounds) if time else None,
        "warnings": "; ".join(result["warnings"]),
    }


def _pairs(values: Mapping[str, Any]) -> str:
    return ";".join(f"{name}={value}" for name, value in values.items())


def _refuse_loop(path: Path) -> None:
    """Refuse links that lead back to themselves: resolving them raises or, from Python 3.13 on, ends at a link."""
    try:
        loops = path.resolve().is_symlink()
    except (OSError, RuntimeError):
        loops = True
    if loops:
        raise UsageError(f"--export {path}: is a link that leads back to itself; name another file")


def _refuse_unwritable(path: Path) -> None:
    """Find out without touching the file itself whether it can be replaced."""
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"--export {path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise UsageError(f"--export {path}: there is no folder {folder}; make it first: mkdir -p {folder}")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"--export {path}: the file must not be written; name another, or chmod u+w {path}")
    probe = _beside(path.resolve())
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--export {path}: cannot be written ({error.strerror}); name a file elsewhere") from None


def _replace(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never half of one."""
    fresh = _beside(path)
    try:
        fresh.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")
