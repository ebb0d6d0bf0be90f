"""``gpuplay ladder``: the rungs of one kernel, measured together, or the source changes between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from gpuplay.analysis.ladder.change import change
from gpuplay.catalog.definitions import definitions
from gpuplay.commands.asked import LadderAsked, Output
from gpuplay.commands.run import run
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.commands.steps.present import FAILED, OK, exit_code, present, show_pages
from gpuplay.commands.steps.rung_facts import rung_facts, untimed
from gpuplay.errors import UsageError
from gpuplay.plan.cells import Plan
from gpuplay.plan.rungs import others, rungs
from gpuplay.plan.small import LADDER_FLOPS
from gpuplay.targets import why_not
from gpuplay.views.ladder import change as change_view
from gpuplay.views.ladder import page as ladder_page
from gpuplay.views.sweep import export
from gpuplay.views.sweep import plan as plan_view
from gpuplay.workers.crew import environment_of


def ladder(opened: Opened, asked: LadderAsked) -> int:
    """Measure the rungs that are asked for, or show what changes from rung to rung; the exit code."""
    kernel, choice = opened.kernel, asked.choice
    names = rungs(kernel, choice.on)
    if asked.diff:
        return _show_changes(opened, names, asked.output)
    on_gpu = any(kernel.variant(name).kind.stepped for name in names)
    bare = replace(choice, baseline="none")
    plan, _ = planned(opened, bare, asked.settings, names, checking=on_gpu)
    chosen = replace(choice, on=",".join(names), sizes=choice.sizes or str(_default_size(plan)))
    whole = choice.on is None or ":" not in choice.on
    also = others(kernel, names) if whole else ()
    climbed = replace(asked, choice=chosen)
    return _on_gpu(opened, climbed, names, also) if on_gpu else run(opened, climbed, ladder_page.page(names, also))


def _on_gpu(opened: Opened, asked: LadderAsked, names: Sequence[str], also: Sequence[str]) -> int:
    """Show rungs on a GPU with their resources and counters, and with times where there is one."""
    settings, output = asked.settings, asked.output
    export.exporter(output.export)  # refuses at once what cannot be written
    choice = replace(asked.choice, baseline=asked.choice.baseline or "none")
    plan, machine = planned(opened, choice, settings, checking=True)
    if output.plan:
        show_pages(output, lambda width: [plan_view.render(plan, width)])
        return OK
    absent = why_not("cuda", settings.device) if machine.gpu.modelled else ""
    facts = rung_facts(opened, choice, names, plan, machine.gpu.capability, absent)
    page = ladder_page.page(names, also, facts)
    if not machine.gpu.modelled:
        return run(opened, asked, page)
    record = untimed(opened, plan, facts, names)
    export.exporter(output.export, page).write(record, plan)
    present(output, lambda: export.document(record, plan, page), lambda width: [page.render(record, plan, width)])
    refused = any(row.failed for rung in facts.rungs.values() for row in rung.rows)
    return FAILED if refused else exit_code(record.results)


def _default_size(plan: Plan) -> int:
    """The largest size of the kernel's sweep that is not too much work for its slowest rung; else the smallest."""
    work = {row.problem.n: max((one.flops or 0.0 for one in row.cells), default=0.0) for row in plan.rows}
    return max((n for n, flops in work.items() if flops <= LADDER_FLOPS), default=min(work))


def _show_changes(opened: Opened, names: Sequence[str], output: Output) -> int:
    """Print the change of source from every rung to the next."""
    for option, given in (("json", output.json), ("export", output.export)):
        if given:
            raise UsageError(f"--diff prints source changes as text; leave --{option} away")
    kernel = opened.kernel
    found = {name: definitions(opened.origin, kernel.variant(name)) for name in names}
    environments = {name: environment_of(kernel.variant(name)) for name in names}
    steps = [change(kernel.variant(a), kernel.variant(b), found, environments) for a, b in pairwise(names)]
    show_pages(output, lambda width: [change_view.render(steps, width)])
    return OK
