"""``gpuplay check``: plans of awkward shapes, verified and never timed.

CUDA variants are verified on the lockstep machine, and where there is a GPU on the GPU as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gpuplay.catalog.origin import Origin
from gpuplay.cli.session import INTERRUPTED, Session, exit_code, refuse_negative
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import Plan
from gpuplay.plan.request import chosen_names
from gpuplay.plan.settings import Settings
from gpuplay.results.events import Final, StateChanged
from gpuplay.results.result import Result
from gpuplay.run.runner import Runner
from gpuplay.targets import presence
from gpuplay.views.check import page as check_view
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY

AWKWARD = "1,2,7,31,33,127,129"
ODD_SIZES = "7,33"
CHECK_LIMIT_S = 2.0


def check_kernels(
    origins: Sequence[Origin],
    options: Mapping[str, Any],
    *,
    plain: bool,
    debug: bool,
    view: Callable[[Kernel, Sequence[Result], int], Text] = check_view.render,
) -> int:
    """Verify kernels one after another and print a page for each, laid out by ``view``; the worst exit code."""
    console = Console(no_color=plain or None)
    refuse_negative(options)
    worst = 0
    for origin in origins:
        with Session.of(origin) as session:
            results: list[Result] = []
            try:
                results.extend(_results(session, options))
            except KeyboardInterrupt:
                worst = INTERRUPTED
            if debug:
                print(session.crew.log_tail(ORDINARY), file=sys.stderr)
            show(console, view(session.kernel, results, console.width))
            worst = max(worst, exit_code(tuple(results)))
        if worst == INTERRUPTED:
            break
    return worst


def _results(session: Session, options: Mapping[str, Any]) -> Iterator[Result]:
    status = Console(stderr=True, highlight=False)
    with status.status(f"checking {session.kernel.name}", spinner="line") as line:
        for plan, cores in _plans(session, options):
            for event in Runner(plan, session.crew, cores=cores, verify_only=True).events():
                if isinstance(event, Final):
                    yield event.result
                elif isinstance(event, StateChanged):
                    line.update(f"checking {event.cell.label}")


def _plans(session: Session, options: Mapping[str, Any]) -> Iterator[tuple[Plan, int]]:
    """Plans for awkward sizes, one knob away from its default at a time, then for each of the kernel's odd shapes."""
    kernel = session.kernel
    usual = dict(kernel.check_at)
    shapes = [usual, *kernel.odd_shapes] if options["sizes"] is None else [usual]
    device = presence.find_device(options["device"])
    settings = Settings(
        cell_limit_s=CHECK_LIMIT_S, seed=options["seed"], device=device, keep_going=options["keep_going"]
    )
    for shape in shapes:
        selections = list(_selections(kernel, options["on"]))
        for names, knob in selections if shape is usual else selections[:1]:
            values = {
                **{name: str(value) for name, value in shape.items()},
                **knob,
                "dtype": options["dtype"] or ",".join(kernel.dtypes),
                "sizes": options["sizes"] or (AWKWARD if shape is usual else ODD_SIZES),
                "on": options["on"] if not knob else None,
                "baseline": "none",
                "threads": None,
            }
            plan, machine = session.planned(values, settings, default=names, checking=True)
            yield plan, machine.cores


def _selections(kernel: Kernel, on: str | None) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Variants to check together: all with their default knobs, then, knob by knob, those that have other values.

    Defaults are left to the first selection: every value is checked, every pair of values is not.
    """
    chosen = [v for v in kernel.variants if on is None or v.name in chosen_names(kernel, on)]
    yield [variant.name for variant in chosen], {}
    for variant in chosen:
        for name, knob in variant.knobs.items():
            others = [str(value) for value in knob.values if knob.choose or value != knob.default]
            if others:
                yield [variant.name], {name: ",".join(others)}
