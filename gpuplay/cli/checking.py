"""``gpuplay check``: plans of awkward shapes, verified and never timed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from gpuplay import catalog
from gpuplay.cli.session import Session, exit_code
from gpuplay.crew import ORDINARY
from gpuplay.kernel import Kernel
from gpuplay.plan import Plan, Settings
from gpuplay.results import Final, Result, StateChanged
from gpuplay.runner import Runner
from gpuplay.views import check as check_view
from gpuplay.views.layout import show

AWKWARD = "1,2,7,31,33,127,129"
ODD_SIZES = "7,33"
CHECK_LIMIT_S = 20.0


def check_kernels(origins: Sequence[catalog.Origin], options: Mapping[str, Any], *, plain: bool, debug: bool) -> int:
    """Verify kernels one after another and print a table for each; the worst exit code."""
    console = Console(no_color=plain or None)
    worst = 0
    for origin in origins:
        with Session.of(origin) as session:
            results = list(_results(session, options))
            if debug:
                print(session.crew.log_tail(ORDINARY), file=sys.stderr)
            show(console, check_view.render(session.kernel, results, console.width))
            worst = max(worst, exit_code(tuple(results)))
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
    """A plan of awkward sizes for every dtype, then one for each of the kernel's odd shapes."""
    kernel = session.kernel
    shapes: list[Mapping[str, Any]] = [{}, *kernel.odd_shapes] if options["sizes"] is None else [{}]
    settings = Settings(seed=options["seed"], device=options["device"], cell_limit_s=CHECK_LIMIT_S)
    for shape in shapes:
        sizes = options["sizes"] or (ODD_SIZES if shape else AWKWARD)
        values = {
            **{name: str(value) for name, value in shape.items()},
            **_all_knobs(kernel),
            "dtype": options["dtype"] or ",".join(kernel.dtypes),
            "sizes": sizes,
            "on": options["on"],
            "baseline": "none",
            "threads": None,
        }
        plan, machine = session.planned(values, settings, default=[variant.name for variant in kernel.variants])
        yield plan, machine.cores


def _all_knobs(kernel: Kernel) -> dict[str, str]:
    """Every candidate value of every knob, as comma lists."""
    found: dict[str, dict[int, None]] = {}
    for variant in kernel.variants:
        for name, knob in variant.knobs.items():
            found.setdefault(name, {}).update(dict.fromkeys(knob.values))
    return {name: ",".join(map(str, values)) for name, values in found.items()}
