"""Plans and results written by hand, so that tables can be tested to the letter."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gpuplay.kernel import Kernel, Knob, Param, Value, Variant
from gpuplay.plan.cells import Plan, PlannedCell, Row
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.results.result import ErrorReport, Mistake, Result, Transfer
from gpuplay.results.timing import Timing

MACHINE: dict[str, Any] = {
    "cpu": "AMD EPYC 9R14 96-Core Processor",
    "cores": 2,
    "threads": 2,
    "vector": "AVX-512",
    "vector_bits": 512,
    "caches": {"l1d": 32 * 2**10, "l2": 2**20, "l3": 32 * 2**20},
    "memory_bytes": 16 * 2**30,
    "os": "Debian GNU/Linux 12, Linux 6.1",
    "python": "3.11.2",
    "libraries": {"numba": "0.68.1", "numpy": "2.4.6", "blas": "OpenBLAS 0.3.31"},
    "threading_layer": "omp",
    "gpu": None,
    "gpu_reason": "no NVIDIA driver",
    "governor": None,
    "load": [0.1, 0.2, 0.1],
    "blas_threads": 2,
}
GPU = {"name": "NVIDIA H200", "driver": "580.95", "capability": [9, 0], "memory_bytes": 141 * 10**9}
ROOFS: dict[str, Any] = {
    "copy": {"one": 20e9, "all": 36e9},
    "copy_streaming": {"one": 30e9, "all": 53e9},
    "read": {"one": 18e9, "all": 34e9},
    "fma_float32": {"one": 117e9, "all": 234e9},
    "fma_float64": {"one": 58e9, "all": 117e9},
    "gpu": None,
}
GPU_ROOFS = ROOFS | {"gpu": {"name": "NVIDIA H200", "copy": 4.3e12, "fma_float32": 60e12, "fma_float64": 60e12}}


def nothing(*_args: object) -> None:
    """Stands where a kernel's function would."""


BLAS = Variant("numpy:blas", "library", "what NumPy calls", nothing)
LOOP = Variant("python:loop", "SISD", "interpreted loops", nothing)
SCALAR = Variant("cpu:scalar", "SISD", "one number at a time", nothing)
SIMD = Variant("cpu:simd", "SIMD", "sixteen numbers at a time", nothing, improves_on="cpu:scalar")
PARALLEL = Variant("cpu:parallel", "MIMD", "all cores share the rows", nothing, knobs={"tile": Knob((32, 64, 128), 64)})
TILED = Variant("cuda:tiled", "SIMT", "tiles in shared memory", nothing, knobs={"tile": Knob((16, 8, 32, 64))})
CPU = ("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel")

MATMUL = Kernel(
    name="matmul",
    summary="C = A·B, n×n",
    size="256..2048",
    inputs=nothing,
    reference=nothing,
    output=nothing,
    variants=(BLAS, LOOP, SCALAR, SIMD, PARALLEL, TILED),
    params=(Param("m", "rows of A and C"), Param("k", "columns of A, rows of B")),
)
ACTIVATION = Kernel(
    name="activation",
    summary="y = f(x), n elements",
    size="2^12..2^26",
    inputs=nothing,
    reference=nothing,
    output=nothing,
    variants=(replace(BLAS, name="numpy:ufunc"), SCALAR, SIMD, replace(PARALLEL, knobs={})),
    params=(Param("function", "what is applied", "relu", ("relu", "sigmoid", "gelu")),),
)

Values = Mapping[str, Sequence[Value]]


def plan(
    kernel: Kernel = MATMUL,
    variants: Sequence[str] = CPU,
    sizes: Sequence[int] = (256, 512, 1024, 2048),
    *,
    params: Values | None = None,
    knobs: Values | None = None,
    threads: Sequence[int] = (2,),
    baseline: str | None = "numpy:blas",
    skip: Callable[[Cell], str] = lambda _cell: "",
    notices: Sequence[str] = (),
    settings: Settings | None = None,
) -> Plan:
    """A plan as the planner makes it: rows by params, then size."""
    params, knobs = params or {}, knobs or {}
    rows = []
    for chosen in itertools.product(*params.values()):
        for n in sizes:
            problem = kernel.problem(n, **dict(zip(params, chosen, strict=True)))
            cells = []
            for name in variants:
                variant = kernel.variant(name)
                many = variant.threads == "all" and variant.target != "cuda"
                tried = [knobs.get(knob, (default,)) for knob, default in variant.default_knobs.items()]
                for values in itertools.product(*tried):
                    chosen_knobs = tuple((k, int(v)) for k, v in zip(variant.knobs, values, strict=True))
                    for count in threads if many else (1,):
                        cell = Cell(kernel.name, n, problem.params, name, chosen_knobs, count)
                        cells.append(
                            PlannedCell(cell, flops(cell), moved(cell), memory_bytes=moved(cell), skip=skip(cell))
                        )
            rows.append(Row(problem, tuple(cells)))
    return Plan(kernel, tuple(rows), tuple(variants), baseline, settings or Settings(), tuple(notices))


def flops(cell: Cell) -> float:
    """Matmul's arithmetic, or one operation an element."""
    return 2.0 * cell.size**3 if cell.kernel == "matmul" else float(cell.size)


def moved(cell: Cell) -> int:
    """Bytes of three matrices, or of two vectors."""
    return 12 * cell.size**2 if cell.kernel == "matmul" else 8 * cell.size


def timing(median_s: float, spread: float = 0.02, jitter: Sequence[float] = (1, 1.001, 0.999, 1.002, 0.998)) -> Timing:
    """Five rounds of three samples around a median, or as many rounds as ``jitter`` has entries."""
    rounds = tuple(tuple(median_s * j * (1 + d * spread) for d in (-0.5, 0, 0.5)) for j in jitter)
    return Timing(
        median_s, median_s * (1 - spread / 2), median_s * (1 + spread / 2), median_s * (1 - spread), 4, rounds
    )


def runs(median_s: float, count: int) -> Timing:
    """A long call: one sample in each of ``count`` rounds."""
    return Timing(median_s, median_s, median_s, median_s, 1, ((median_s,),) * count)


def ok(cell: Cell, flynn: Any, time: Timing, **more: Any) -> Result:
    """A right and timed result."""
    known: dict[str, Any] = {
        "library": "OpenBLAS 0.3.31" if cell.target == "numpy" else "",
        "error": ErrorReport(2.1e-5, 3.0e-6, 4.0e-4),
        "compile_s": 1.21 if cell.target in ("cpu", "cuda") else None,
        "compile_cached": False if cell.target == "cpu" else None,
        "flops": flops(cell),
        "bytes": float(moved(cell)),
    }
    return Result(cell, flynn, "ok", time=time, call_s=time.median_s, **(known | more))


def wrong(cell: Cell, flynn: Any) -> Result:
    """A result with its last column wrong; a time that must never be shown."""
    index = (cell.size - 2, cell.size - 1)
    reason = f"C[{index[0]}, {index[1]}] is 1.5, expected 2.5; last column; {cell.size} is no multiple of 16"
    report = ErrorReport(1.0, 0.4, 4e-5, Mistake("C", index, 1.5, 2.5))
    return Result(cell, flynn, "wrong", reason, error=report, time=timing(1e-3))


def transfer(cell: Cell) -> Transfer:
    """Copies at 20 GB/s."""
    return Transfer(moved(cell) * 2 / 3 / 20e9, moved(cell) / 3 / 20e9)


def measure(plan_: Plan, times: Callable[[Cell], Result | Timing | float | None]) -> tuple[Result, ...]:
    """Results of a plan: a time in seconds, a Timing, a whole Result, or None for not measured; skips by plan."""
    results = []
    for row in plan_.rows:
        for planned in row.cells:
            cell, flynn = planned.cell, plan_.kernel.variant(planned.cell.variant).flynn
            found = Result(cell, flynn, "skipped", planned.skip) if planned.skip else times(cell)
            if isinstance(found, float | int):
                found = timing(float(found))
            if isinstance(found, Timing):
                more = {"transfer": transfer(cell)} if cell.target == "cuda" else {}
                found = ok(cell, flynn, found, **more)
            if found is not None:
                results.append(found)
    return tuple(results)


def record(results: Sequence[Result], *, gpu: bool = False) -> Record:
    """A record of this machine, with or without a GPU."""
    machine = MACHINE | ({"gpu": GPU, "gpu_reason": None} if gpu else {})
    return Record(
        version="0.1.0",
        created="2026-01-02T03:04:05+00:00",
        argv=("gpuplay", "matmul", "--sizes", "256..2048"),
        seed=0,
        machine=machine,
        roofs=GPU_ROOFS if gpu else ROOFS,
        results=tuple(results),
    )


BASE_RATE = 200e9
SPEEDS = {
    "numpy:blas": 1.0,
    "numpy:ufunc": 1.0,
    "python:loop": 1 / 40000,
    "cpu:scalar": 1 / 80,
    "cpu:simd": 0.51,
    "cpu:parallel": 1.06,
    "cuda:tiled": 12.0,
}


def usual(cell: Cell) -> float:
    """Seconds of a cell on the scripted machine; the GPU needs 20 µs at least."""
    base = flops(cell) / BASE_RATE if cell.kernel == "matmul" else moved(cell) / 30e9
    seconds = base / SPEEDS[cell.variant]
    return seconds + 20e-6 if cell.target == "cuda" else seconds
