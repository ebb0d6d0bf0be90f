"""What commands that look at one problem refuse, and which size is soon done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from gpuplay.commands.steps.opened import Opened
from gpuplay.errors import UsageError
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import PlannedCell, Row
from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings
from gpuplay.results.turns import Explained
from gpuplay.units import option_text
from gpuplay.workers.crew import ORDINARY


def refuse_idle_knobs(kernel: Kernel, names: Sequence[str], choice: Choice, command: str) -> None:
    """UsageError for a knob that none of the chosen variants has."""
    owners: dict[str, list[str]] = {}
    for variant in kernel.variants:
        for knob in variant.knobs:
            owners.setdefault(knob, []).append(variant.name)
    for knob, having in owners.items():
        if knob in choice.axes and not set(having) & set(names):
            option = option_text(knob, choice.axes[knob])
            raise UsageError(f"{option}: {', '.join(names)} has no such knob; {command} --on {having[0]}")


def refuse_many_params(kernel: Kernel, choice: Choice, command: str) -> None:
    """UsageError that names the first param of several values."""
    many = next(axis.name for axis in kernel.axes if "," in choice.axes.get(axis.name, ""))
    option = option_text(many, choice.axes[many])
    raise UsageError(f"{option}: {command} one problem; give one value")


def soon_done(rows: Sequence[Row], most: float) -> Row:
    """The row of the largest problem with at most so many operations and bytes in each cell; else the smallest."""
    by_size = sorted(rows, key=lambda row: row.problem.n)

    def work(row: Row) -> float:
        return max(
            (one.work_flops or one.flops or 0.0) + (one.work_bytes or one.bytes or one.array_bytes or 0.0)
            for one in row.cells
        )

    return ([row for row in by_size if work(row) <= most] or by_size[:1])[-1]


def explained(opened: Opened, planned: PlannedCell, settings: Settings, doing: str) -> Explained:
    """One run on the lockstep machine, ``doing`` said on stderr meanwhile."""
    limit = settings.cell_timeout_s
    with working(doing):
        return opened.crew.tasks(ORDINARY, limit).explain(planned, settings.seed, limit)


@contextmanager
def working(doing: str) -> Iterator[None]:
    """A line on stderr, on a terminal alone, for as long as something is done."""
    with Console(stderr=True, highlight=False).status(doing, spinner="line"):
        yield
