"""A request becomes a plan: what would run, its work and memory, why a cell will not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from gpuplay.catalog.load import Loaded
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import Array, Cost, Function, Kernel, Knob, Problem, Variant, without_functions
from gpuplay.machine.model import Machine
from gpuplay.plan.cells import Plan, PlannedCell, Row, takes_threads
from gpuplay.plan.request import Request
from gpuplay.plan.shapes import declared_arrays
from gpuplay.results.cell import Cell
from gpuplay.units import option_text

LIST_BYTES = 32  # a Python float in a list: 8 for the pointer, 24 for the object


def make_plan(loaded: Loaded, request: Request, machine: Machine) -> Plan:
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
            verified_only=not barred and variant.kind.stepped and variant.target in request.missing,
        )


def _notice(variant: Variant, request: Request) -> str:
    """Why a variant's column will be missing: without a GPU a CUDA variant is still verified."""
    what = "timed" if variant.kind.stepped else "run"
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
        counts = request.threads if takes_threads(variant) else (1,)
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
    if variant.kind.interpreted:
        return total + sum(array.nbytes("float64") // 8 * LIST_BYTES for array in arrays)
    return total


def _refuse_barred_knobs(kernel: Kernel, request: Request, rows: list[Row]) -> None:
    """A knob value that no variant can serve at any size is a mistake on the command line, not a skip."""
    for knob, values in request.knobs.items():
        having = [variant.name for variant in kernel.variants if knob in variant.knobs]
        if not set(having) & set(request.variants):
            chosen = ", ".join(request.variants)
            raise UsageError(f"{option_text(knob)}: none of {chosen} has this knob; add --on {','.join(having)}")
        for value in values:
            cells = [c for row in rows for c in row.cells if dict(c.cell.knobs).get(knob) == value]
            reasons = [c.skip for c in cells if c.skip and c.skip != request.missing.get(c.cell.target)]
            if cells and len(reasons) == len(cells):
                raise UsageError(f"{option_text(knob, value)}: {reasons[0]}")
