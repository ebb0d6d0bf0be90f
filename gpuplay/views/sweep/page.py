"""What a command makes of its record: a page on a terminal, a page of Markdown, figures for the JSON document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.views.sweep import scaling, table
from gpuplay.views.sweep.markdown import markdown


@dataclass(frozen=True)
class Page:
    """How a command lays out what it measured.

    ``render(record, plan, width, elapsed_s=…, interrupted=…)`` is for terminals and pipes, ``markdown``
    a page of its own; ``derived`` are further fields of the JSON document, computed from the results.
    """

    render: Callable[..., Text]
    markdown: Callable[[Record, Plan], str]
    derived: Callable[[Record, Plan], dict[str, Any]]


SWEEP = Page(table.render, markdown, scaling.derived)
