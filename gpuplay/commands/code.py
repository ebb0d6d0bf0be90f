"""``gpuplay code``: source, LLVM, assembly, PTX, machine code and resources of variants; no GPU is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from gpuplay.analysis.ladder.change import Change, change
from gpuplay.analysis.machine_code.inspection import gpu_rows, host_row
from gpuplay.catalog.definitions import Definition, definitions
from gpuplay.commands.asked import CodeAsked
from gpuplay.commands.steps import inspecting
from gpuplay.commands.steps.one_problem import refuse_idle_knobs, refuse_many_params, soon_done
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.present import FAILED, OK, present, show_log
from gpuplay.errors import TargetMissing, UsageError
from gpuplay.kernel import Kernel
from gpuplay.plan.cells import PlannedCell, Row
from gpuplay.plan.request import Choice, chosen_names
from gpuplay.results.compiled import FORMS, Compiled
from gpuplay.results.record import stamp
from gpuplay.views.code import export, listing, resources
from gpuplay.views.code.data import CodeDocument, as_json
from gpuplay.views.ladder import change as change_view
from gpuplay.workers.crew import environment_of

CODE_WORK = 3e8  # operations and bytes of the problem that code is compiled for: a moment for a CPU variant
SOURCE, RESOURCES = "source", "resources"


def code(opened: Opened, asked: CodeAsked) -> int:
    """Show the code that is asked for: 1 where a compiler refused any of it."""
    output, kernel = asked.output, opened.kernel
    exporter = export.exporter(output.export)
    names = _names(kernel, asked.choice.on)
    form = _form(kernel, names, asked.form)
    refuse_idle_knobs(kernel, names, asked.choice, "code")
    document = _document(opened, asked, names, form)
    show_log(output, opened.crew)
    exporter.write(document)

    def pages(width: int) -> Iterator[Text]:
        if document.change:
            yield change_view.render([document.change], width)
            if form != SOURCE:
                yield Text("")
        if form == RESOURCES:
            yield resources.render(document, width)
        elif not document.change:
            yield listing.render(document, width)

    present(output, lambda: as_json(document), pages)
    return FAILED if document.failed else OK


def _document(opened: Opened, asked: CodeAsked, names: Sequence[str], form: str) -> CodeDocument:
    """Everything that is shown: compiled, or read from the source."""
    kernel, on = opened.kernel, asked.choice.on
    named = tuple(word.strip() for word in (on or "").split(",")) == names
    pair = named and len(names) == 2 and (asked.form is None or form == SOURCE)
    sources = {}
    if form == SOURCE or pair:
        sources = {name: definitions(opened.origin, kernel.variant(name)) for name in names}
    found = () if form == SOURCE else _compiled(opened, asked, names, form)
    on_gpu = [one for one in found if one.cell.kind.on_gpu]
    now = stamp()
    return CodeDocument(
        kernel,
        form,
        now.version,
        now.created,
        now.argv,
        inspecting.tools() if on_gpu else "",
        found,
        gpu_rows(on_gpu),
        tuple(host_row(one) for one in found if not one.cell.kind.on_gpu),
        sources,
        _change(kernel, names, sources) if pair else None,
    )


def _change(kernel: Kernel, names: Sequence[str], found: Mapping[str, Sequence[Definition]]) -> Change:
    """What differs in the source of two variants."""
    below, above = (kernel.variant(name) for name in names)
    return change(below, above, found, {name: environment_of(kernel.variant(name)) for name in names})


def _compiled(opened: Opened, asked: CodeAsked, names: Sequence[str], form: str) -> tuple[Compiled, ...]:
    """The cells of all variants, for every architecture those on CUDA."""
    kernel, choice, settings = opened.kernel, asked.choice, asked.settings
    on_gpu = any(kernel.variant(name).kind.on_gpu for name in names)
    if on_gpu and (reason := inspecting.missing(assemble=form != "ptx")):
        if form != "ptx" and not inspecting.missing(assemble=False):
            reason += "; --as ptx needs neither"
        raise TargetMissing(f"code: nothing can be compiled for a GPU as {form}: {reason}")
    if asked.arch is not None and not on_gpu:
        raise UsageError(f"--arch {asked.arch}: is for CUDA variants, not for {', '.join(names)}")
    here = opened.gpu_here() if on_gpu and asked.arch is None else None
    capabilities = inspecting.architectures(asked.arch, here.capability if here else None)
    wanted: list[tuple[PlannedCell, tuple[int, int]]] = []
    for capability in capabilities:
        row = _row(kernel, choice, inspecting.planned_for(opened, choice, names, capability, settings))
        cells = [one for one in row.cells if one.cell.kind.on_gpu or capability == capabilities[0]]
        wanted += [(one, capability) for one in cells]
    if all(one.skip for one, _ in wanted):
        raise UsageError(f"code: {wanted[0][0].cell.label}: {wanted[0][0].skip}")
    places = {name: place for place, name in enumerate(names)}
    wanted.sort(key=lambda pair: places[pair[0].cell.variant])
    return inspecting.compiled(opened, wanted, form, settings)


def _row(kernel: Kernel, choice: Choice, rows: Sequence[Row]) -> Row:
    """The one problem that code is compiled for; without ``--sizes`` the largest of the sweep that is soon done."""
    if choice.sizes is not None and len({row.problem.n for row in rows}) > 1:
        raise UsageError(f"--sizes {choice.sizes}: code is compiled for one problem; give one size")
    if len(rows) > len({row.problem.n for row in rows}):
        refuse_many_params(kernel, choice, "code is compiled for")
    return soon_done(rows, CODE_WORK)


def _names(kernel: Kernel, on: str | None) -> tuple[str, ...]:
    """The variants that ``--on`` names, in its order; else the story's on CUDA, else on the CPU, else the last."""
    if on is not None:
        return chosen_names(kernel, on)
    for compiler in ("numba-cuda", "numba"):
        known = [variant.name for variant in kernel.variants if variant.kind.compiler == compiler]
        told = [name for name in kernel.story_names if name in known]
        if known:
            return (*told[-1:], *known[-1:])[:1]
    return (kernel.variants[-1].name,)


def _form(kernel: Kernel, names: Sequence[str], asked: str | None) -> str:
    """The form to show, one that every variant has; UsageError where there is none."""
    forms = {name: FORMS[kernel.variant(name).kind.compiler] for name in names}
    known = list(dict.fromkeys(form for many in FORMS.values() for form in many))
    if asked is not None and asked not in known:
        raise UsageError(f"--as {asked}: is none of {', '.join(known)}")
    if asked is None:
        return RESOURCES if all(RESOURCES in have for have in forms.values()) else SOURCE
    for name, have in forms.items():
        if asked not in have:
            raise UsageError(f"--as {asked}: {name} has none; for it there is --as {' or --as '.join(have)}")
    return asked
