"""Sizes and axes become a frozen plan of cells: what would run, its work and memory, why a cell will not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gpuplay.catalog.load import Loaded
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import ON_GPU, Array, Cost, Function, Kernel, Knob, Problem, Value, Variant, without_functions
from gpuplay.machine.model import Machine
from gpuplay.results.cell import Cell
from gpuplay.shapes import declared_arrays

LIST_BYTES = 32  # a Python float in a list: 8 for the pointer, 24 for the object


@dataclass(frozen=True)
class Settings:
    """How to measure. Times in seconds; ``time_s`` None leaves the whole command unlimited.

    ``keep_going`` takes the lockstep machine past a check that fires: the outputs are judged all the same.
    ``cold`` flushes the caches before each call; ``graph`` times replays of captured runs on a GPU.
    """

    time_s: float | None = None
    cell_time_s: float = 1.0
    cell_limit_s: float = 30.0
    cell_timeout_s: float = 60.0
    rounds: int = 5
    seed: int = 0
    cold: bool = False
    graph: bool = False
    device: int = 0
    keep_going: bool = False


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what is known before it runs: its work, its memory, and why it will not run.

    ``verified_only`` where that is for want of a GPU: the lockstep machine can still verify it.
    """

    cell: Cell
    flops: float | None = None
    bytes: float | None = None
    work_flops: float | None = None
    work_bytes: float | None = None
    array_bytes: int | None = None
    memory_bytes: int | None = None
    skip: str = ""
    verified_only: bool = False


@dataclass(frozen=True)
class Row:
    """All cells of one problem; ``beside`` are cells of other problems that take turns with them, as a yardstick."""

    problem: Problem
    cells: tuple[PlannedCell, ...]
    beside: tuple[PlannedCell, ...] = ()

    @property
    def measured(self) -> tuple[PlannedCell, ...]:
        """Everything that is measured in the same rounds."""
        return (*self.cells, *self.beside)


@dataclass(frozen=True)
class Plan:
    """What one command measures. Rows are ordered by params, then size; cells as columns stand."""

    kernel: Kernel
    rows: tuple[Row, ...]
    variants: tuple[str, ...]
    baseline: str | None
    settings: Settings
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What the user asked for, checked against the declaration; ``missing`` maps targets to reasons.

    ``problems`` take the place of all sizes by all params, where not every combination is wanted.
    For ``checking`` a barred knob value is skipped, though it is barred everywhere.
    """

    sizes: tuple[int, ...]
    variants: tuple[str, ...]
    baseline: str | None
    threads: tuple[int, ...]
    params: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    knobs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = Settings()
    checking: bool = False
    problems: tuple[Problem, ...] = ()


def make(loaded: Loaded, request: Request, machine: Machine) -> Plan:
    """The plan of a request. Calls the kernel's functions, so it runs where the kernel was loaded."""
    kernel = loaded.kernel
    problems = request.problems or _product(kernel, request)
    rows = [Row(problem, tuple(_assess(loaded, request, machine, problem))) for problem in problems]
    if not request.checking:
        _refuse_barred_knobs(kernel, request, rows)
    shown = (v for v in request.variants if kernel.variant(v).target in request.missing)
    notices = tuple(_notice(kernel.variant(name), request) for name in shown)
    return Plan(without_functions(kernel), tuple(rows), request.variants, request.baseline, request.settings, notices)


def _product(kernel: Kernel, request: Request) -> Iterable[Problem]:
    """Every size with every combination of the params."""
    axes = [request.params.get(axis.name, ()) for axis in kernel.axes]
    for values in itertools.product(*(axis or (None,) for axis in axes)):
        given = {axis.name: v for axis, v in zip(kernel.axes, values, strict=True) if v is not None}
        for n in request.sizes:
            yield kernel.problem(n, **given)


def _assess(loaded: Loaded, request: Request, machine: Machine, problem: Problem) -> Iterable[PlannedCell]:
    kernel = loaded.kernel
    contradiction = _reason(loaded, loaded.call(kernel.applies, problem)) if kernel.applies else None
    if contradiction:
        for cell in _cells(loaded, request, machine, problem):
            yield PlannedCell(cell, skip=contradiction)
        return
    arrays = declared_arrays(loaded, problem)
    cost = _cost(loaded, kernel.cost, problem)
    for cell in _cells(loaded, request, machine, problem):
        variant, knobs = kernel.variant(cell.variant), dict(cell.knobs)
        barred = _reason(loaded, loaded.call(variant.applies, problem, knobs, machine)) if variant.applies else None
        work = _cost(loaded, variant.work, problem, knobs) if variant.work and not barred else cost
        spaces = loaded.call(variant.workspace, problem, cell.choices) if variant.workspace and not barred else ()
        converted = (own for array in arrays if (own := variant.stored(array, problem.dtype)) is not array)
        yield PlannedCell(
            cell,
            flops=cost.flops if cost else None,
            bytes=cost.bytes if cost else None,
            work_flops=work.flops if work else None,
            work_bytes=work.bytes if work else None,
            array_bytes=_memory(variant, problem.dtype, arrays),
            memory_bytes=_memory(variant, problem.dtype, (*arrays, *spaces, *converted)),
            skip=barred or request.missing.get(variant.target, ""),
            verified_only=not barred and variant.target == "cuda" and "cuda" in request.missing,
        )


def _notice(variant: Variant, request: Request) -> str:
    """Why a variant's column will be missing: without a GPU a CUDA variant is still verified."""
    what = "timed" if variant.target == "cuda" else "run"
    return f"{variant.name} not {what} here: {request.missing[variant.target]}"


def _reason(loaded: Loaded, answer: object) -> str | None:
    """What ``applies`` answered: None or a reason."""
    if answer is not None and not isinstance(answer, str):
        raise KernelFileError(f"kernel {loaded.kernel.name}: applies must return None or a reason, not {answer!r}")
    return answer


def _cost(loaded: Loaded, function: Function | None, *args: object) -> Cost | None:
    """What ``cost`` or ``work`` answered."""
    answer = loaded.call(function, *args) if function else None
    if answer is not None and not isinstance(answer, Cost):
        raise KernelFileError(f"kernel {loaded.kernel.name}: cost and work must return a Cost, not {answer!r}")
    return answer


def _cells(loaded: Loaded, request: Request, machine: Machine, problem: Problem) -> Iterable[Cell]:
    kernel = loaded.kernel
    for name in request.variants:
        variant = kernel.variant(name)
        counts = request.threads if variant.threads == "all" and variant.target not in ON_GPU else (1,)
        values = (request.knobs.get(name) or (_default(loaded, k, machine),) for name, k in variant.knobs.items())
        for chosen in itertools.product(*values):
            knobs = tuple(zip(variant.knobs, chosen, strict=True))
            for threads in counts:
                yield Cell(kernel.name, problem.n, problem.params, name, knobs, threads)


def _default(loaded: Loaded, knob: Knob, machine: Machine) -> int:
    """The value of a knob that nobody gave."""
    if knob.choose is None:
        return knob.default
    chosen = loaded.call(knob.choose, machine)
    if not isinstance(chosen, int) or chosen < 1:
        raise KernelFileError(f"kernel {loaded.kernel.name}: choose must return a whole number, not {chosen!r}")
    return chosen


def _memory(variant: Variant, dtype: str, arrays: Iterable[Array]) -> int:
    """Bytes of the arrays where the variant runs, and on the host for a target that is elsewhere."""
    total = sum(array.nbytes(dtype) for array in arrays)
    if variant.target == "python":
        return total + sum(array.nbytes("float64") // 8 * LIST_BYTES for array in arrays)
    return total


def _refuse_barred_knobs(kernel: Kernel, request: Request, rows: list[Row]) -> None:
    """A knob value that no variant can serve at any size is a mistake on the command line, not a skip."""
    for knob, values in request.knobs.items():
        having = [variant.name for variant in kernel.variants if knob in variant.knobs]
        if not set(having) & set(request.variants):
            option, chosen = f"--{knob.replace('_', '-')}", ", ".join(request.variants)
            raise UsageError(f"{option}: none of {chosen} has this knob; add --on {','.join(having)}")
        for value in values:
            cells = [c for row in rows for c in row.cells if dict(c.cell.knobs).get(knob) == value]
            reasons = [c.skip for c in cells if c.skip and c.skip != request.missing.get(c.cell.target)]
            if cells and len(reasons) == len(cells):
                raise UsageError(f"--{knob.replace('_', '-')} {value}: {reasons[0]}")
