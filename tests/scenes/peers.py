"""Rows of ``peers`` with results written by hand, on the CPU and on a GPU, and the pages that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import scripted
from rich.text import Text
from scripted import BLAS, MATMUL, ok, record, timing

from gpuplay.analysis.peers.judging import Judgement, judge, unmeasured
from gpuplay.analysis.peers.report import PeersReport
from gpuplay.peers.terms import Case, Mean, OfRoof, Promise, Scaling, Worst, case
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.views.peers import page

RIVAL = replace(BLAS, name="torch:mm")
FAST = replace(scripted.PARALLEL, name="cpu:fast", knobs={})
KERNEL = replace(MATMUL, variants=(*MATMUL.variants, RIVAL, FAST))
SQUARE = Promise(
    name="matmul:square",
    kernel="matmul",
    cases=(case(128), case(512, quick=True), case(2048)),
    needs=(Mean(1.05), Worst(0.95, smallest=256), Worst(0.8, largest=255), OfRoof(0.88, "fma_float32", smallest=1024)),
)
SHAPES = Promise(
    name="matmul:shapes",
    kernel="matmul",
    cases=(case(64, "4096×64×4096", m=4096, k=4096, quick=True), case(129, "127×129×131", m=127, k=131)),
    needs=(Worst(0.85), Worst(0.5, ours=("cpu:parallel",))),
)
SCALED = Promise("scaling:matmul", "matmul", (case(2048, quick=True),), (Scaling(1.85, 2),), peers=(), threads=(1, 2))
Seconds = dict[str, float | Result | None]


def cell(promise: Promise, one: Case, variant: str, threads: int = 2) -> Cell:
    problem = promise.problem(KERNEL, one)
    return Cell("matmul", problem.n, problem.params, variant, threads=threads)


def results(promise: Promise, *rows: Seconds) -> list[Result]:
    """Results of each case: seconds, or a whole result, or None for not measured."""
    found = []
    for one, row in zip(promise.cases, rows, strict=True):
        for variant, value in row.items():
            at = cell(promise, one, variant)
            if isinstance(value, Result):
                found.append(replace(value, cell=at))
            elif value is not None:
                found.append(ok(at, KERNEL.variant(variant).flynn, timing(value)))
    return found


def judged(promise: Promise, *rows: Seconds, remarks: Sequence[str] = ()) -> Judgement:
    return judge(promise, KERNEL, results(promise, *rows), scripted.ROOFS, remarks)


def skipped(reason: str) -> Result:
    return Result(Cell("matmul", 1, (), "numpy:blas"), "library", "skipped", reason)


GOOD = (
    {"numpy:blas": 1.1e-5, "torch:mm": 1e-5, "cpu:parallel": 1.2e-5, "cpu:fast": 1.1e-5},
    {"numpy:blas": 1.3e-3, "torch:mm": 1.2e-3, "cpu:parallel": 1.0e-3, "cpu:fast": 1.5e-3},
    {"numpy:blas": 9.6e-2, "torch:mm": 9.8e-2, "cpu:parallel": 8.0e-2, "cpu:fast": None},
)


GPU_KERNEL = replace(
    MATMUL,
    variants=(
        *MATMUL.variants,
        replace(BLAS, name="torch_gpu:mm"),
        replace(BLAS, name="torch_gpu:mm_tf32", compute="tfloat32"),
        replace(scripted.TILED, name="cuda:warps", knobs={}),
        replace(scripted.TILED, name="cuda:tf32", knobs={}, compute="tfloat32"),
        replace(scripted.TILED, name="cuda:tf32x3", knobs={}, compute="tfloat32x3"),
    ),
)
ON_A_GPU = Promise(
    name="matmul:float32",
    kernel="matmul",
    cases=(case(1024), case(4096)),
    needs=(Mean(1.0), Worst(1.5, smallest=4096, ours=("cuda:tf32x3",)), OfRoof(0.9, "copy")),
    target="cuda",
    peers=("torch_gpu",),
)
TENSOR = replace(ON_A_GPU, name="matmul:tfloat32", needs=(Worst(0.6, ours=("cuda:tf32",)),), precision="tfloat32")


def on_a_gpu(promise: Promise, *rows: dict[str, float]) -> list[Result]:
    """Results of each case on a GPU, in seconds; the library says what it ran."""
    found = []
    for one, row in zip(promise.cases, rows, strict=True):
        problem = promise.problem(GPU_KERNEL, one)
        for variant, value in row.items():
            at = Cell("matmul", problem.n, problem.params, variant)
            ran = "ampere_sgemm_128x128_nn" if variant.startswith("torch_gpu") else ""
            named = "PyTorch 2.11.0, cuBLAS 13.1.0, TF32 off" if ran else ""
            flynn = GPU_KERNEL.variant(variant).flynn
            found.append(ok(at, flynn, timing(value), library=named, algorithm=ran))
    return found


FAST_GPU = (
    {"cuda:warps": 6.0e-5, "cuda:tf32x3": 4.0e-5, "torch_gpu:mm": 6.1e-5},
    {"cuda:warps": 2.9e-3, "cuda:tf32x3": 1.8e-3, "torch_gpu:mm": 3.0e-3},
)
SLOW_TENSOR = (
    {"cuda:tf32": 1.5e-5, "torch_gpu:mm_tf32": 1.0e-5},
    {"cuda:tf32": 8.0e-4, "torch_gpu:mm_tf32": 4.0e-4},
)


def gpu_report() -> PeersReport:
    """A row of each precision, measured on a scripted GPU."""
    judgements = (
        judge(ON_A_GPU, GPU_KERNEL, on_a_gpu(ON_A_GPU, *FAST_GPU), scripted.GPU_ROOFS),
        judge(TENSOR, GPU_KERNEL, on_a_gpu(TENSOR, *SLOW_TENSOR), scripted.GPU_ROOFS),
    )
    return PeersReport(record([r for judgement in judgements for r in judgement.results], gpu=True), judgements, 2)


def no_gpu_report() -> PeersReport:
    """The same rows where there is no GPU."""
    rows = (ON_A_GPU, TENSOR)
    return PeersReport(record([]), tuple(unmeasured(row, "no NVIDIA driver here") for row in rows), len(rows))


def report() -> PeersReport:
    """A row that holds, one that is missed within the noise, one not judged."""
    noisy = ok(cell(SHAPES, SHAPES.cases[0], "cpu:fast"), "MIMD", timing(1.2e-2, jitter=(0.97, 0.99, 1, 1.01, 1.03)))
    rows: tuple[Seconds, Seconds] = (
        {"numpy:blas": 1.2e-2, "torch:mm": 1.01e-2, "cpu:parallel": 1.3e-2, "cpu:fast": noisy},
        {"numpy:blas": 5e-5, "torch:mm": skipped("[not] here"), "cpu:parallel": 4e-5, "cpu:fast": 6e-5},
    )
    remark = "without torch (PyTorch is not installed): the other libraries alone"
    judgements = (
        judged(SQUARE, *GOOD),
        judged(SHAPES, *rows, remarks=(remark,)),
        judged(SCALED, {"cpu:parallel": replace(skipped("needs 2 cores, 1 can be used here"), flynn="MIMD")}),
    )
    measured = record([result for judgement in judgements for result in judgement.results])
    return PeersReport(measured, judgements, 5, quick=True)


def shown(text: Text) -> str:
    return text.plain + "\n"


VIEWS: dict[str, Callable[[int], str]] = {
    "peers": lambda width: shown(page.render(report(), width, elapsed_s=191)),
    "peers_detail": lambda width: shown(page.render(replace(report(), interrupted=True), width, detail=True)),
    "peers_gpu": lambda width: shown(page.render(gpu_report(), width, detail=True, elapsed_s=95)),
    "peers_no_gpu": lambda width: shown(page.render(no_gpu_report(), width)),
    "peers_plan": lambda width: shown(page.planned((SQUARE, SHAPES, SCALED), width)),
}
