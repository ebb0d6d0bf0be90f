"""``gpuplay KERNEL``: measure cells as they are planned, and show how variants compare as the problem grows."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from gpuplay.commands.asked import Asked
from gpuplay.commands.steps.measuring import measure
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.commands.steps.present import FAILED, OK, exit_code, present, show_pages
from gpuplay.results.record import Record
from gpuplay.views.sweep import detail, export, table
from gpuplay.views.sweep import plan as plan_view
from gpuplay.views.sweep.page import SWEEP, Page
from gpuplay.views.text.layout import show


def run(opened: Opened, asked: Asked, page: Page = SWEEP) -> int:
    """Measure what is asked for, show it as it comes; the exit code. ``page`` lays it out."""
    output = asked.output
    exporter = export.exporter(output.export, page)
    plan, machine = planned(opened, asked.choice, asked.settings)
    if output.plan:
        show_pages(output, lambda width: [plan_view.render(plan, width)])
        return OK
    found = measure(opened, plan, machine, exporter, output)

    def pages(width: int) -> Iterator[Text]:
        yield page.render(found.record, plan, width, elapsed_s=found.elapsed_s, interrupted=found.interrupted)
        if output.detail:
            yield detail.render(found.record, width)

    present(output, lambda: export.document(found.record, plan, page), pages)
    _warn(found.record)
    return exit_code(found.record.results, interrupted=found.interrupted) or (FAILED if found.lost else OK)


def _warn(record: Record) -> None:
    """Say on stderr what makes the figures less than they seem."""
    stderr = Console(stderr=True)
    if (remarks := table.render_warnings(record, stderr.width)) is not None:
        show(stderr, remarks)
