"""``gpuplay peers``: row by row, our variants against the libraries, with the figure each must reach."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.text import Text

from gpuplay import __version__
from gpuplay.analysis.peers.judging import Judgement, judge, unmeasured
from gpuplay.analysis.peers.report import Report
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.cli.session import FAILED, INTERRUPTED, OK, Measured, Session, settings_of
from gpuplay.errors import TargetMissing, UsageError
from gpuplay.kernel import Kernel
from gpuplay.machine import describe as machines
from gpuplay.machine.model import Machine
from gpuplay.peers.rows import ROWS, chosen_rows
from gpuplay.peers.terms import Promise
from gpuplay.plan.cells import Plan, PlannedCell, Row
from gpuplay.plan.request import Request
from gpuplay.plan.settings import Settings
from gpuplay.results.record import Record
from gpuplay.targets import why_not
from gpuplay.units import count
from gpuplay.views.peers import export, page
from gpuplay.views.sweep import export as sweeps
from gpuplay.views.sweep import table
from gpuplay.views.text.layout import show

QUICK = {"rounds": 3, "cell_time": "300ms"}
WHOLE = {"rounds": 5, "cell_time": "1s"}
FIXED = {"time": None, "cell_limit": "60s", "cold": False, "graph": False}


def compare(machine: str, values: Mapping[str, Any]) -> int:
    """Measure the rows that the options ask for, one after another; the exit code."""
    rows = chosen_rows(_rows(machine), values["rows"])
    rows = tuple(row.quick() for row in rows) if values["quick"] else rows
    usual = QUICK if values["quick"] else WHOLE
    given = {name: values[name] if values[name] is not None else usual[name] for name in usual}
    settings = settings_of({**values, **given, **FIXED})
    stdout, stderr = Console(no_color=values["plain"] or None), Console(stderr=True, highlight=False)
    exporter = export.Exporter(tuple(values["export"] or ()))
    if values["plan"]:
        show(stdout, page.planned(rows, stdout.width))
        return OK
    if reason := why_not(machine, settings.device):
        shown = _unmeasured(rows, reason, settings)
        exporter.write(shown)
        _print(stdout, shown, values)
        raise TargetMissing(f"peers {machine}: {machine} is not here: {reason}")
    run = _Run(rows, settings, plain=values["plain"], debug=values["debug"])
    run.refuse_without_peers()
    report, lost = None, False
    try:
        for report in run.reports(quick=values["quick"]):
            lost = not _written(exporter, report) or lost
            _say(stderr, report)
    except KeyboardInterrupt:  # between two rows
        if report is None:
            raise
        report = replace(report, interrupted=True)
        _written(exporter, report)
    assert report is not None
    _print(stdout, report, values, run.elapsed_s)
    if report.interrupted:
        return INTERRUPTED
    return FAILED if report.missed or lost else OK


def _print(stdout: Console, report: Report, values: Mapping[str, Any], elapsed_s: float | None = None) -> None:
    """The report as a table or as JSON."""
    if values["json"]:
        print(json.dumps(export.as_json(report), indent=1, allow_nan=False))
    else:
        show(stdout, page.render(report, stdout.width, detail=values["detail"], elapsed_s=elapsed_s))
    stdout.file.flush()


def _unmeasured(rows: tuple[Promise, ...], reason: str, settings: Settings) -> Report:
    """A report of rows of which nothing can be run on this machine."""
    facts = machines.facts() | {"gpu": None, "gpu_reason": reason}
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    record = Record(__version__, made, ("gpuplay", *sys.argv[1:]), settings.seed, facts, None)
    return Report(record, tuple(unmeasured(row, reason) for row in rows), len(rows))


@dataclass
class _Run:
    """Rows one after another, neighbours of the same kernel in the same workers."""

    rows: tuple[Promise, ...]
    settings: Settings
    plain: bool = False
    debug: bool = False
    elapsed_s: float = 0.0
    missing: dict[str, str] = field(default_factory=dict)

    def reports(self, *, quick: bool) -> Iterator[Report]:
        """The report after every row, all rows judged by the newest roofs; the last one where the user interrupts."""
        done: list[tuple[Promise, Kernel, Record]] = []
        with ExitStack() as stack:
            session: Session | None = None
            for row in self.rows:
                if session is None or session.kernel.name != row.kernel:
                    stack.close()
                    session = stack.enter_context(Session.of(find_kernel(row.kernel)))
                found = self._measured(session, row)
                done.append((row, session.kernel, found.record))
                results = tuple(result for _, _, record in done for result in record.results)
                judged = tuple(self._judged(*one, found.record.roofs) for one in done)
                whole = replace(found.record, results=results)
                yield Report(whole, judged, len(self.rows), quick=quick, interrupted=found.interrupted)
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

    def _measured(self, session: Session, row: Promise) -> Measured:
        machine = machines.machine()
        if row.target == "cuda":
            gpu = session.device(self.settings.device)
            if gpu.reason:
                raise TargetMissing(f"peers cuda: cuda is not here: {gpu.reason}")
            machine = replace(machine, gpu=gpu.model)
        found = session.measured(
            self._plan(session, row, machine), machine, sweeps.Exporter(()), plain=self.plain, debug=self.debug
        )
        self.elapsed_s += found.elapsed_s
        return found

    def _plan(self, session: Session, row: Promise, machine: Machine) -> Plan:
        """All cases of a row as one plan, each yardstick beside the case of its size."""
        kernel = session.kernel
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
        plan = session.plan_of(request, machine)
        for need in row.yardsticks:
            if need.variant in names:
                asked = replace(request, variants=(need.variant,), problems=(row.yardstick(kernel, need),))
                cells = session.plan_of(asked, machine).rows[0].cells
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


def _say(stderr: Console, report: Report) -> None:
    """The newest row in a line, and what makes its figures less than they seem."""
    newest = report.judgements[-1]
    show(stderr, Text(page.line(newest, len(report.judgements), report.asked)))
    remarks = table.render_warnings(replace(report.record, results=newest.results), stderr.width)
    if remarks is not None:
        show(stderr, remarks)


def _written(exporter: export.Exporter, report: Report) -> bool:
    """Whether the exports could be written; where not, measuring goes on."""
    try:
        exporter.write(report)
    except OSError as error:
        print(f"gpuplay: the export is lost: {error}; measuring goes on", file=sys.stderr)
        return False
    return True
