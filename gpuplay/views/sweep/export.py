"""Files with everything that was measured: JSON, CSV or Markdown, as the suffix says.

Written anew after every cell, so that an interrupted command leaves valid files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.views.sweep.figures import CSV
from gpuplay.views.sweep.page import SWEEP, Page
from gpuplay.views.text.files import Exporter, json_text

COLUMNS = tuple(figure.head for figure in CSV)


def exporter(paths: Sequence[str | Path], page: Page = SWEEP) -> Exporter[[Record, Plan]]:
    """Writes the record as it stands, laid out as the page says, to these files."""
    forms: dict[str, Callable[[Record, Plan], str]] = {
        ".json": lambda record, plan: json_text(document(record, plan, page)),
        ".csv": lambda record, _: to_csv(record),
        ".md": page.markdown,
    }
    return Exporter(forms, paths)


def to_csv(record: Record) -> str:
    """One line a result, the columns always the same; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in record.as_json()["results"]:
        row = result | {"created": record.created, "gpuplay": record.version}
        writer.writerow([figure.value(row) for figure in CSV])
    return text.getvalue()


def document(record: Record, plan: Plan, page: Page = SWEEP) -> dict[str, Any]:
    """The document of the ``gpuplay/1`` schema: what was measured, and behind it what the page derives from it."""
    return record.as_json() | page.derived(record, plan)
