"""``gpuplay code``: source, LLVM, assembly, PTX, machine code and resources of variants; no GPU is needed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from gpuplay import __version__
from gpuplay.analysis.ladder.change import Change, change
from gpuplay.analysis.machine_code.inspection import gpu_rows, host_row
from gpuplay.catalog import definitions as sources
from gpuplay.cli import inspections
from gpuplay.cli.explaining import refuse_idle_knobs
from gpuplay.cli.options import CODE_FORMS, CODE_WORK
from gpuplay.cli.session import FAILED, OK, Session, refuse_negative
from gpuplay.errors import TargetMissing, UsageError
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import PlannedCell, Row
from gpuplay.plan.request import chosen_names
from gpuplay.plan.settings import Settings
from gpuplay.results.compiled import Compiled
from gpuplay.units import parse_duration
from gpuplay.views.code import export, listing, resources
from gpuplay.views.code.data import Document, as_json
from gpuplay.views.ladder import change as change_view
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY, environment_of

SOURCE, RESOURCES = "source", "resources"


def code(session: Session, values: Mapping[str, Any]) -> int:
    """Show the code that the options ask for: 1 where a compiler refused any of it."""
    stdout = Console(no_color=values["plain"] or None)
    files = tuple(values["export"] or ())
    refuse_negative(values)
    export.refuse(files)
    kernel = session.kernel
    names = _names(kernel, values["on"])
    form = _form(kernel, names, values["form"])
    refuse_idle_knobs(kernel, names, values, "code")
    document = _document(session, values, names, form)
    if values["debug"]:
        print(session.crew.log_tail(ORDINARY), file=sys.stderr)
    export.write(files, document)
    if values["json"]:
        print(json.dumps(as_json(document), indent=1, allow_nan=False))
        return FAILED if document.failed else OK
    if document.change:
        show(stdout, change_view.render([document.change], stdout.width))
        if form != SOURCE:
            print()
    if form == RESOURCES:
        show(stdout, resources.render(document, stdout.width))
    elif not document.change:
        show(stdout, listing.render(document, stdout.width))
    return FAILED if document.failed else OK


def _document(session: Session, values: Mapping[str, Any], names: Sequence[str], form: str) -> Document:
    """Everything that is shown: compiled, or read from the source."""
    kernel = session.kernel
    named = tuple(word.strip() for word in (values["on"] or "").split(",")) == names
    pair = named and len(names) == 2 and (values["form"] is None or form == SOURCE)
    definitions = {}
    if form == SOURCE or pair:
        definitions = {name: sources.definitions(session.origin, kernel.variant(name)) for name in names}
    settings = Settings(seed=values["seed"], cell_timeout_s=parse_duration(values["cell_timeout"], "--cell-timeout"))
    found = () if form == SOURCE else _compiled(session, values, names, form, settings)
    on_gpu = [one for one in found if one.cell.target == "cuda"]
    return Document(
        kernel,
        form,
        __version__,
        dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        ("gpuplay", *sys.argv[1:]),
        inspections.tools() if on_gpu else "",
        found,
        gpu_rows(on_gpu),
        tuple(host_row(one) for one in found if one.cell.target != "cuda"),
        definitions,
        _change(kernel, names, definitions) if pair else None,
    )


def _change(kernel: Kernel, names: Sequence[str], found: Mapping[str, Sequence[sources.Definition]]) -> Change:
    """What differs in the source of two variants."""
    below, above = (kernel.variant(name) for name in names)
    return change(below, above, found, {name: environment_of(kernel.variant(name)) for name in names})


def _compiled(
    session: Session, values: Mapping[str, Any], names: Sequence[str], form: str, settings: Settings
) -> tuple[Compiled, ...]:
    """The cells of all variants, for every architecture those on CUDA."""
    kernel = session.kernel
    on_gpu = any(kernel.variant(name).target == "cuda" for name in names)
    if on_gpu and (reason := inspections.missing(assemble=form != "ptx")):
        if form != "ptx" and not inspections.missing(assemble=False):
            reason += "; --as ptx needs neither"
        raise TargetMissing(f"code: nothing can be compiled for a GPU as {form}: {reason}")
    if values["arch"] is not None and not on_gpu:
        raise UsageError(f"--arch {values['arch']}: is for CUDA variants, not for {', '.join(names)}")
    here = session.gpu_here() if on_gpu and values["arch"] is None else None
    capabilities = inspections.architectures(values["arch"], here.capability if here else None)
    wanted: list[tuple[PlannedCell, tuple[int, int]]] = []
    for capability in capabilities:
        row = _row(kernel, values, inspections.planned(session, values, names, capability, settings))
        cells = [one for one in row.cells if one.cell.target == "cuda" or capability == capabilities[0]]
        wanted += [(one, capability) for one in cells]
    if all(one.skip for one, _ in wanted):
        raise UsageError(f"code: {wanted[0][0].cell.label}: {wanted[0][0].skip}")
    places = {name: place for place, name in enumerate(names)}
    wanted.sort(key=lambda pair: places[pair[0].cell.variant])
    return inspections.compiled(session, wanted, form, settings)


def _row(kernel: Kernel, values: Mapping[str, Any], rows: Sequence[Row]) -> Row:
    """The one problem that code is compiled for; without ``--sizes`` the largest of the sweep that is soon done."""
    if values["sizes"] is not None and len({row.problem.n for row in rows}) > 1:
        raise UsageError(f"--sizes {values['sizes']}: code is compiled for one problem; give one size")
    if len(rows) > len({row.problem.n for row in rows}):
        many = next(axis.name for axis in kernel.axes if "," in (values[axis.name] or ""))
        option = f"--{many.replace('_', '-')} {values[many]}"
        raise UsageError(f"{option}: code is compiled for one problem; give one value")
    return inspections.soon_done(rows, CODE_WORK)


def _names(kernel: Kernel, on: str | None) -> tuple[str, ...]:
    """The variants that ``--on`` names, in its order; else the story's on CUDA, else on the CPU, else the last."""
    if on is not None:
        return chosen_names(kernel, on)
    for target in ("cuda", "cpu"):
        known = [variant.name for variant in kernel.variants if variant.target == target]
        told = [name for name in kernel.story_names if name in known]
        if known:
            return (*told[-1:], *known[-1:])[:1]
    return (kernel.variants[-1].name,)


def _form(kernel: Kernel, names: Sequence[str], asked: str | None) -> str:
    """The form to show, one that every variant has; UsageError where there is none."""
    forms = {name: CODE_FORMS.get(kernel.variant(name).target, (SOURCE,)) for name in names}
    known = list(dict.fromkeys(form for many in CODE_FORMS.values() for form in many))
    if asked is not None and asked not in known:
        raise UsageError(f"--as {asked}: is none of {', '.join(known)}")
    if asked is None:
        return RESOURCES if all(RESOURCES in have for have in forms.values()) else SOURCE
    for name, have in forms.items():
        if asked not in have:
            raise UsageError(f"--as {asked}: {name} has none; for it there is --as {' or --as '.join(have)}")
    return asked
