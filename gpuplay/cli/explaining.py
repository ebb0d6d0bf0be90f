"""``gpuplay explain``: one CUDA variant, or two side by side, run once on the lockstep machine."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from gpuplay import __version__
from gpuplay.analysis.counters.explanation import Explanation, explanation
from gpuplay.cli.options import explained_size
from gpuplay.cli.session import FAILED, OK, Session, refuse_negative
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import Kernel
from gpuplay.lockstep.record import WarpMap
from gpuplay.plan import sizes
from gpuplay.plan.cells import PlannedCell
from gpuplay.plan.request import chosen_names
from gpuplay.plan.settings import Settings
from gpuplay.results.turns import Explained
from gpuplay.units import parse_duration
from gpuplay.views.explain import compare, export, lanes, page
from gpuplay.views.explain.data import Document, as_json
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY
from gpuplay.workers.process import TaskError


def explain(session: Session, values: Mapping[str, Any]) -> int:
    """Run what the options ask for and show it: 1 where a check fired or an output is wrong."""
    stdout = Console(no_color=values["plain"] or None)
    files = tuple(values["export"] or ())
    refuse_negative(values)
    export.refuse(files)
    wanted = _map_place(values["map"])
    settings = Settings(seed=values["seed"], cell_timeout_s=parse_duration(values["cell_timeout"], "--cell-timeout"))
    found = [_explained(session, cell, settings) for cell in _cells(session, values, settings)]
    if values["debug"]:
        print(session.crew.log_tail(ORDINARY), file=sys.stderr)
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    document = Document(found, __version__, created, ("gpuplay", *sys.argv[1:]), settings.seed)
    maps = [_maps_at(one, *wanted) for one in found] if wanted else []
    if wanted and not any(maps):
        raise UsageError(_no_map(found, values["map"]))
    export.write(files, document)
    if values["json"]:
        print(json.dumps(as_json(document), indent=1, allow_nan=False))
    elif wanted:
        for one, drawn in zip(found, maps, strict=True):
            if drawn:
                show(stdout, lanes.render(one, drawn, stdout.width))
    elif len(found) == 2:
        show(stdout, compare.render(found[0], found[1], stdout.width))
    else:
        show(stdout, page.render(found[0], stdout.width))
    return OK if all(one.right for one in found) else FAILED


# --- what to run ---


def _cells(session: Session, values: Mapping[str, Any], settings: Settings) -> list[PlannedCell]:
    """The one or two cells that the options name; UsageError for more, or for what cannot be."""
    kernel = session.kernel
    names = _variants(kernel, values["on"])
    if values["sizes"] is not None and len(sizes.parse_sizes(values["sizes"])) > 1:
        raise UsageError(f"--sizes {values['sizes']}: explain runs one problem; give one size, such as --sizes 64")
    chosen = {**values, "baseline": "none", "threads": None, "on": ",".join(names)}
    chosen["sizes"] = values["sizes"] or str(explained_size(kernel))
    plan, _ = session.planned(chosen, settings, checking=True)
    if len(plan.rows) > 1:
        many = [name for axis in kernel.axes if "," in (values[name := axis.name] or "")]
        raise UsageError(f"--{many[0].replace('_', '-')} {values[many[0]]}: explain runs one problem; give one value")
    cells = sorted(plan.rows[0].cells, key=lambda planned: names.index(planned.cell.variant))
    if len(cells) > 2:
        labels = ", ".join(planned.cell.label for planned in cells)
        raise UsageError(f"explain shows one variant, or two side by side; this names {len(cells)}: {labels}")
    refuse_idle_knobs(kernel, names, values, "explain")
    for planned in cells:
        if planned.skip and not planned.verified_only:
            raise UsageError(f"explain: {planned.cell.label}: {planned.skip}")
    return cells


def refuse_idle_knobs(kernel: Kernel, names: Sequence[str], values: Mapping[str, Any], command: str) -> None:
    """UsageError for a knob that none of the chosen variants has."""
    owners: dict[str, list[str]] = {}
    for variant in kernel.variants:
        for knob in variant.knobs:
            owners.setdefault(knob, []).append(variant.name)
    for knob, having in owners.items():
        if values.get(knob) is not None and not set(having) & set(names):
            option = f"--{knob.replace('_', '-')} {values[knob]}"
            raise UsageError(f"{option}: {', '.join(names)} has no such knob; {command} --on {having[0]}")


def _variants(kernel: Kernel, on: str | None) -> Sequence[str]:
    """The CUDA variants that ``--on`` names, in its order; else the story's, else the last."""
    known = [variant.name for variant in kernel.variants if variant.target == "cuda"]
    if not known:
        others = ", ".join(variant.name for variant in kernel.variants)
        raise UsageError(
            f"explain: {kernel.name} has no CUDA variant to explain, only {others}; "
            "'gpuplay new NAME' writes a kernel that has one"
        )
    if on is None:
        told = [name for name in kernel.story_names if name in known]
        return told[-1:] or known[-1:]
    names = chosen_names(kernel, on)
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError(f"--on {on}: explain runs CUDA variants, not {wrong[0]}; there are {', '.join(known)}")
    return names


def _explained(session: Session, planned: PlannedCell, settings: Settings) -> Explanation:
    label = planned.cell.label
    with Console(stderr=True, highlight=False).status(f"running {label} on the lockstep machine", spinner="line"):
        try:
            found: Explained = session.crew.member(ORDINARY).ask(
                "explain", planned, settings.seed, settings.cell_timeout_s, timeout_s=settings.cell_timeout_s
            )
        except TaskError as error:
            raise KernelFileError(f"explain: {label}: {error}") from None
    return explanation(found, planned.work_bytes or planned.array_bytes)


# --- which lines to draw ---


def _map_place(text: str | None) -> tuple[str, int] | None:
    """File name (empty for any) and line of ``--map``."""
    if text is None:
        return None
    name, _, line = text.rpartition(":")
    if not line.isdecimal():
        raise UsageError(f"--map {text}: give a line's number, such as --map 14, or --map cuda.py:14")
    return name, int(line)


def _maps_at(found: Explanation, name: str, line: int) -> list[WarpMap]:
    return [
        drawn
        for drawn in found.report.maps
        if drawn.place.line == line and (not name or drawn.place.file.endswith(name))
    ]


def _no_map(found: Sequence[Explanation], text: str) -> str:
    places = dict.fromkeys(drawn.place for one in found for drawn in one.report.maps)
    if not places:
        return f"--map {text}: the run made no access to global or shared memory"
    files = {place.file for place in places}
    known = [str(p.line) if len(files) == 1 else f"{Path(p.file).name}:{p.line}" for p in places]
    return f"--map {text}: nothing was loaded or stored there; lines with accesses: {', '.join(known)}"
