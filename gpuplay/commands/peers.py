"""``gpuplay peers``: row by row, our variants against the libraries, with the figure each must reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.text import Text

from gpuplay.analysis.peers.judging import Judgement, judge, unmeasured
from gpuplay.analysis.peers.report import PeersReport
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.commands.asked import Output, PeersAsked
from gpuplay.commands.steps.exporting import Exports
from gpuplay.commands.steps.measuring import Measured, measure
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import plan_of
from gpuplay.commands.steps.present import FAILED, INTERRUPTED, OK, present, show_pages
from gpuplay.errors import TargetMissing, UsageError
from gpuplay.kernel import Kernel
from gpuplay.machine import describe
from gpuplay.machine.model import Machine
from gpuplay.peers.rows import ROWS, chosen_rows
from gpuplay.peers.terms import Promise
from gpuplay.plan.cells import Plan, PlannedCell, Row
from gpuplay.plan.request import Request
from gpuplay.plan.settings import Settings
from gpuplay.results.record import Record, begun
from gpuplay.targets import why_not
from gpuplay.units import count
from gpuplay.views.peers import export, page
from gpuplay.views.sweep import export as sweeps
from gpuplay.views.sweep import table
from gpuplay.views.text.files import Exporter
from gpuplay.views.text.layout import show


def peers(asked: PeersAsked) -> int:
    """Measure the rows that are asked for, one after another; the exit code."""
    rows = chosen_rows(_rows(asked.machine), asked.rows)
    rows = tuple(row.quick() for row in rows) if asked.quick else rows
    output, settings = asked.output, asked.settings
    exporter = export.exporter(output.export)
    if output.plan:
        show_pages(output, lambda width: [page.planned(rows, width)])
        return OK
    if reason := why_not(asked.machine, settings.device):
        shown = _unmeasured(rows, reason, settings)
        exporter.write(shown)
        _present(shown, output)
        raise TargetMissing(f"peers {asked.machine}: {asked.machine} is not here: {reason}")
    run = _Run(rows, settings, output)
    run.refuse_without_peers()
    report = _measured(run, exporter, quick=asked.quick)
    _present(report, output, run.elapsed_s)
    if report.interrupted:
        return INTERRUPTED
    return FAILED if report.missed or run.exports.lost else OK


def _measured(run: _Run, exporter: Exporter[[PeersReport]], *, quick: bool) -> PeersReport:
    """The last report, each one exported and said as it comes."""
    stderr = Console(stderr=True, highlight=False)
    report = None
    try:
        for newest in run.reports(quick=quick):
            report = newest
            _write(run.exports, exporter, newest)
            _say(stderr, newest)
    except KeyboardInterrupt:  # between two rows
        if report is None:
            raise
        report = replace(report, interrupted=True)
        _write(run.exports, exporter, report)
    assert report is not None
    return report


def _write(exports: Exports, exporter: Exporter[[PeersReport]], report: PeersReport) -> None:
    exports.finish(lambda: exporter.write(report))


def _present(report: PeersReport, output: Output, elapsed_s: float | None = None) -> None:
    """Print the report as a table or as JSON."""
    present(
        output,
        lambda: export.as_json(report),
        lambda width: [page.render(report, width, detail=output.detail, elapsed_s=elapsed_s)],
    )


def _unmeasured(rows: tuple[Promise, ...], reason: str, settings: Settings) -> PeersReport:
    """A report of rows of which nothing can be run on this machine."""
    record = begun(settings.seed, describe.facts() | {"gpu": None, "gpu_reason": reason})
    return PeersReport(record, tuple(unmeasured(row, reason) for row in rows), len(rows))


@dataclass
class _Run:
    """Rows one after another, neighbours of the same kernel in the same workers."""

    rows: tuple[Promise, ...]
    settings: Settings
    output: Output
    elapsed_s: float = 0.0
    exports: Exports = field(default_factory=Exports)
    missing: dict[str, str] = field(default_factory=dict)

    def reports(self, *, quick: bool) -> Iterator[PeersReport]:
        """The report after every row, all rows judged by the newest roofs; the last one where the user interrupts."""
        done: list[tuple[Promise, Kernel, Record]] = []
        with ExitStack() as stack:
            opened: Opened | None = None
            for row in self.rows:
                if opened is None or opened.kernel.name != row.kernel:
                    stack.close()
                    opened = stack.enter_context(Opened.of(find_kernel(row.kernel)))
                found = self._measured(opened, row)
                done.append((row, opened.kernel, found.record))
                results = tuple(result for _, _, record in done for result in record.results)
                judged = tuple(self._judged(*one, found.record.roofs) for one in done)
                whole = replace(found.record, results=results)
                yield PeersReport(whole, judged, len(self.rows), quick=quick, interrupted=found.interrupted)
                if found.interrupted:
                    return

    def refuse_without_peers(self) -> None:
        """TargetMissing where no library is here that any of the rows is measured against."""
        kernels = [(row, load_kernel(find_kernel(row.kernel)).kernel) for row in self.rows if row.peers]
        absent: dict[str, str] = {}
        here = False
        for row, kernel in kernels:
            absent |= self._absent(row, kernel)
            here = here or any(name.partition(":")[0] not in absent for name in row.rivals(kernel))
        if kernels and not here:
            reasons = "; ".join(f"{target}: {reason}" for target, reason in absent.items())
            raise TargetMissing(f"peers: no library is here to stand against: {reasons}")

    def _measured(self, opened: Opened, row: Promise) -> Measured:
        machine = describe.machine()
        if row.kind.on_gpu:
            gpu = opened.gpu(self.settings.device)
            if gpu.reason:
                raise TargetMissing(f"peers cuda: cuda is not here: {gpu.reason}")
            machine = replace(machine, gpu=gpu.model)
        found = measure(opened, self._plan(opened, row, machine), machine, sweeps.exporter(()), self.output)
        self.elapsed_s += found.elapsed_s
        return found

    def _plan(self, opened: Opened, row: Promise, machine: Machine) -> Plan:
        """All cases of a row as one plan, each yardstick beside the case of its size."""
        kernel = opened.kernel
        names = {*row.ours(kernel), *row.named(kernel), *row.rivals(kernel)}
        ordered = tuple(v.name for v in kernel.variants if v.name in names)
        request = Request(
            sizes=(),
            variants=ordered,
            baseline="best" if row.peers else None,
            threads=row.threads or (machine.cores,),
            missing=self._absent(row, kernel),
            settings=self.settings,
            problems=tuple(row.problem(kernel, case) for case in row.cases),
        )
        plan = plan_of(opened, request, machine)
        for need in row.yardsticks:
            if need.variant in names:
                asked = replace(request, variants=(need.variant,), problems=(row.yardstick(kernel, need),))
                cells = plan_of(opened, asked, machine).rows[0].cells
                plan = replace(plan, rows=tuple(_beside(r, need.size, cells) for r in plan.rows))
        return _within(plan, machine.cores)

    def _judged(self, row: Promise, kernel: Kernel, record: Record, roofs: Mapping[str, Any] | None) -> Judgement:
        absent = self._absent(row, kernel)
        remarks = [f"without {target} ({reason}): the other libraries alone" for target, reason in absent.items()]
        return judge(row, kernel, record.results, roofs, remarks)

    def _absent(self, row: Promise, kernel: Kernel) -> dict[str, str]:
        """Targets of the row's peers that are not here, with their reasons."""
        targets = dict.fromkeys(name.partition(":")[0] for name in row.rivals(kernel))
        for target in targets:
            if target not in self.missing:
                self.missing[target] = why_not(target, self.settings.device)
        return {target: self.missing[target] for target in targets if self.missing[target]}


def _rows(machine: str) -> tuple[Promise, ...]:
    """All rows of a machine."""
    if machine not in ROWS:
        raise UsageError(f"peers {machine}: give one of {', '.join(ROWS)}")
    return ROWS[machine]


def _beside(row: Row, size: int, cells: tuple[PlannedCell, ...]) -> Row:
    return replace(row, beside=(*row.beside, *cells)) if row.problem.n == size else row


def _within(plan: Plan, cores: int) -> Plan:
    """The plan; nothing of it runs where it asks for more threads than there are cores, which would tell nothing."""
    needed = max((planned.cell.threads for row in plan.rows for planned in row.cells), default=1)
    if needed <= cores:
        return plan
    reason = f"needs {count(needed, 'core')}, {cores} can be used here"
    rows = (replace(row, cells=tuple(replace(c, skip=c.skip or reason) for c in row.cells)) for row in plan.rows)
    return replace(plan, rows=tuple(rows))


def _say(stderr: Console, report: PeersReport) -> None:
    """The newest row in a line, and what makes its figures less than they seem."""
    newest = report.judgements[-1]
    show(stderr, Text(page.line(newest, len(report.judgements), report.asked)))
    remarks = table.render_warnings(replace(report.record, results=newest.results), stderr.width)
    if remarks is not None:
        show(stderr, remarks)
