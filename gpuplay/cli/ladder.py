"""``gpuplay ladder``: the rungs of one kernel, measured together, or the source changes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from rich.console import Console

from gpuplay.analysis.ladder import rungs as ladders
from gpuplay.analysis.ladder.change import change
from gpuplay.catalog import definitions
from gpuplay.cli import gpu_ladder
from gpuplay.cli.options import LADDER_FLOPS
from gpuplay.cli.session import OK, Session, settings_of
from gpuplay.errors import UsageError
from gpuplay.plan.cells import Plan
from gpuplay.views.ladder import change as change_view
from gpuplay.views.ladder import page as view
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import environment_of


def climb(session: Session, values: Mapping[str, Any]) -> int:
    """Measure the rungs that the options ask for, or show what changes from rung to rung; the exit code."""
    names = ladders.rungs(session.kernel, values["on"])
    if values["diff"]:
        return _show_changes(session, names, values)
    kernel = session.kernel
    on_gpu = any(kernel.variant(name).target == "cuda" for name in names)
    asked, _ = session.planned({**values, "baseline": "none"}, settings_of(values), default=names, checking=on_gpu)
    chosen = {**values, "on": ",".join(names), "sizes": values["sizes"] or str(_default_size(asked))}
    whole = values["on"] is None or ":" not in values["on"]
    also = ladders.others(kernel, names) if whole else ()
    return gpu_ladder.climb(session, chosen, names, also) if on_gpu else session.sweep(chosen, view.page(names, also))


def _default_size(plan: Plan) -> int:
    """The largest size of the kernel's sweep that is not too much work for its slowest rung; else the smallest."""
    work = {row.problem.n: max((planned.flops or 0.0 for planned in row.cells), default=0.0) for row in plan.rows}
    return max((n for n, flops in work.items() if flops <= LADDER_FLOPS), default=min(work))


def _show_changes(session: Session, names: Sequence[str], values: Mapping[str, Any]) -> int:
    """Print the change of source from every rung to the next."""
    for option in ("json", "export"):
        if values[option]:
            raise UsageError(f"--diff prints source changes as text; leave --{option} away")
    kernel = session.kernel
    found = {name: definitions.definitions(session.origin, kernel.variant(name)) for name in names}
    environments = {name: environment_of(kernel.variant(name)) for name in names}
    steps = [change(kernel.variant(a), kernel.variant(b), found, environments) for a, b in pairwise(names)]
    console = Console(no_color=values["plain"] or None)
    show(console, change_view.render(steps, console.width))
    return OK
