"""``gpuplay check``: plans of awkward shapes, verified and never timed.

CUDA variants are verified on the lockstep machine, and where there is a GPU on the GPU as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from gpuplay.catalog.origin import Origin
from gpuplay.commands.asked import Asked
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.commands.steps.present import INTERRUPTED, exit_code, show_log, show_pages
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import Plan
from gpuplay.plan.request import Choice, chosen_names
from gpuplay.results.events import Final, StateChanged
from gpuplay.results.result import Result
from gpuplay.run.runner import Runner
from gpuplay.units import count
from gpuplay.views.check import page

AWKWARD = "1,2,7,31,33,127,129"
ODD_SIZES = "7,33"
CHECK_LIMIT_S = 2.0

View = Callable[[Kernel, Sequence[Result], int], Text]


def check(origins: Sequence[Origin], asked: Asked, view: View = page.render) -> int:
    """Verify kernels one after another and print a page for each, laid out by ``view``; the worst exit code."""
    worst = 0
    for origin in origins:
        with Opened.of(origin) as opened:
            results: list[Result] = []
            try:
                results.extend(_results(opened, asked))
            except KeyboardInterrupt:
                worst = INTERRUPTED
            show_log(asked.output, opened.crew)
            _show(opened.kernel, results, asked, view, interrupted=worst == INTERRUPTED)
            worst = max(worst, exit_code(results))
        if worst == INTERRUPTED:
            break
    return worst


def _show(kernel: Kernel, results: Sequence[Result], asked: Asked, view: View, *, interrupted: bool) -> None:
    said = f"  Interrupted after {count(len(results), 'problem')}; what is not above was not looked at."
    show_pages(asked.output, lambda width: [view(kernel, results, width), *([Text(said)] if interrupted else [])])


def _results(opened: Opened, asked: Asked) -> Iterator[Result]:
    status = Console(stderr=True, highlight=False)
    with status.status(f"checking {opened.kernel.name}", spinner="line") as line:
        plans = list(_plans(opened, asked))
        cells = sum(len(row.all_cells) for plan, _ in plans for row in plan.rows)
        done, told = 0, set[str]()
        for plan, cores in plans:
            for event in Runner(plan, opened.crew, cores=cores, verify_only=True).events():
                if isinstance(event, Final):
                    result, done = event.result, done + 1
                    if status.is_terminal and result.status in page.FAILURES and result.cell.variant not in told:
                        told.add(result.cell.variant)
                        status.print(f"  {result.status}: {result.cell.label}", markup=False)
                    yield result
                elif isinstance(event, StateChanged):
                    line.update(f"checking {done + 1:,} of {cells:,}: {event.cell.label}")


def _plans(opened: Opened, asked: Asked) -> Iterator[tuple[Plan, int]]:
    """Plans for awkward sizes, one knob away from its default at a time, then for each of the kernel's odd shapes."""
    kernel, choice = opened.kernel, asked.choice
    usual = dict(kernel.check_at)
    shapes = [usual, *kernel.odd_shapes] if choice.sizes is None else [usual]
    settings = replace(asked.settings, cell_limit_s=CHECK_LIMIT_S)
    for shape in shapes:
        selections = list(_selections(kernel, choice.on))
        for names, knob in selections if shape is usual else selections[:1]:
            params = {name: str(value) for name, value in shape.items()}
            tried = Choice(
                sizes=choice.sizes or (AWKWARD if shape is usual else ODD_SIZES),
                on=choice.on if not knob else None,
                baseline="none",
                axes={**params, **knob, "dtype": choice.axes.get("dtype") or ",".join(kernel.dtypes)},
            )
            plan, machine = planned(opened, tried, settings, names, checking=True)
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
