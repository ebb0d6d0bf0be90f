"""``gpuplay explain``: one CUDA variant, or two side by side, run once on the lockstep machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation, explanation
from gpuplay.commands.asked import ExplainAsked
from gpuplay.commands.steps.one_problem import explained, refuse_idle_knobs, refuse_many_params
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.commands.steps.present import FAILED, OK, present, show_log
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import Kernel
from gpuplay.lockstep.record import WarpMap
from gpuplay.plan.cells import PlannedCell
from gpuplay.plan.request import chosen_names
from gpuplay.plan.settings import Settings
from gpuplay.plan.sizes import parse_sizes
from gpuplay.plan.small import explained_size
from gpuplay.results.record import stamp
from gpuplay.views.explain import compare, export, lanes, page
from gpuplay.views.explain.data import ExplainDocument, as_json
from gpuplay.workers.tasks import TaskError


def explain(opened: Opened, asked: ExplainAsked) -> int:
    """Run what is asked for and show it: 1 where a check fired or an output is wrong."""
    output, settings = asked.output, asked.settings
    exporter = export.exporter(output.export)
    wanted = _map_place(asked.map)
    found = [_explained(opened, cell, settings) for cell in _cells(opened, asked)]
    show_log(output, opened.crew)
    now = stamp()
    document = ExplainDocument(found, now.version, now.created, now.argv, settings.seed)
    maps = [_maps_at(one, *wanted) for one in found] if wanted else []
    if wanted and not any(maps):
        raise UsageError(_no_map(found, asked.map))
    exporter.write(document)

    def pages(width: int) -> Iterator[Text]:
        if wanted:
            yield from (lanes.render(one, drawn, width) for one, drawn in zip(found, maps, strict=True) if drawn)
        elif len(found) == 2:
            yield compare.render(found[0], found[1], width)
        else:
            yield page.render(found[0], width)

    present(output, lambda: as_json(document), pages)
    return OK if all(one.right for one in found) else FAILED


# --- what to run ---


def _cells(opened: Opened, asked: ExplainAsked) -> list[PlannedCell]:
    """The one or two cells that are named; UsageError for more, or for what cannot be."""
    kernel, choice = opened.kernel, asked.choice
    names = _variants(kernel, choice.on)
    if choice.sizes is not None and len(parse_sizes(choice.sizes)) > 1:
        raise UsageError(f"--sizes {choice.sizes}: explain runs one problem; give one size, such as --sizes 64")
    size = choice.sizes or str(explained_size(kernel))
    chosen = replace(choice, sizes=size, on=",".join(names), baseline="none")
    plan, _ = planned(opened, chosen, asked.settings, checking=True)
    if len(plan.rows) > 1:
        refuse_many_params(kernel, choice, "explain runs")
    cells = sorted(plan.rows[0].cells, key=lambda one: names.index(one.cell.variant))
    if len(cells) > 2:
        labels = ", ".join(one.cell.label for one in cells)
        raise UsageError(f"explain shows one variant, or two side by side; this names {len(cells)}: {labels}")
    refuse_idle_knobs(kernel, names, choice, "explain")
    for one in cells:
        if one.skip and not one.verified_only:
            raise UsageError(f"explain: {one.cell.label}: {one.skip}")
    return cells


def _variants(kernel: Kernel, on: str | None) -> Sequence[str]:
    """The CUDA variants that ``--on`` names, in its order; else the story's, else the last."""
    known = [variant.name for variant in kernel.variants if variant.kind.stepped]
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


def _explained(opened: Opened, planned: PlannedCell, settings: Settings) -> Explanation:
    label = planned.cell.label
    try:
        found = explained(opened, planned, settings, f"running {label} on the lockstep machine")
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


def _no_map(found: Sequence[Explanation], text: str | None) -> str:
    places = dict.fromkeys(drawn.place for one in found for drawn in one.report.maps)
    if not places:
        return f"--map {text}: the run made no access to global or shared memory"
    files = {place.file for place in places}
    known = [str(p.line) if len(files) == 1 else f"{Path(p.file).name}:{p.line}" for p in places]
    return f"--map {text}: nothing was loaded or stored there; lines with accesses: {', '.join(known)}"
