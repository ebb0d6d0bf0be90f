"""Tables of scripted sweeps: what goes well, what does not, and what a GPU, knobs, threads and baselines add."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import scripted
from rich.console import Console
from scripted import CPU, measure, ok, plan, record, runs, timing, usual

from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.results.result import Result, Transfer
from gpuplay.views.sweep import table
from gpuplay.views.text.layout import show

ABSENT = ("cuda:tiled not run here: no NVIDIA driver",)
Scene = tuple[Plan, Record, dict[str, Any]]


def printed(plan_: Plan, record_: Record, width: int, **more: Any) -> str:
    """What a console without colour shows: the table, then the warnings."""
    console = Console(file=io.StringIO(), width=width, no_color=True)
    show(console, table.render(record_, plan_, width, **more))
    warned = table.render_warnings(record_, width)
    if warned:
        show(console, warned)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def forecast(cell: Cell) -> str:
    if cell.target == "cuda":
        return "no NVIDIA driver"
    reasons = {4096: "would take about 55 s (--cell-limit)", 8192: "would take about 7 min (--cell-limit)"}
    return reasons.get(cell.size, "") if cell.variant == "cpu:scalar" else ""


def plain_sweep() -> Scene:
    """No GPU, two forecasts too long, a tie at 2048, two runs only at 8192."""
    found = plan(variants=(*CPU, "cuda:tiled"), sizes=(256, 512, 1024, 2048, 4096, 8192), skip=forecast, notices=ABSENT)

    def times(cell: Cell) -> Any:
        if cell.size == 8192:
            return runs(usual(cell), 2)
        return usual(cell) * (1.055 if cell.size == 2048 and cell.variant == "cpu:parallel" else 1)

    return found, record(measure(found, times)), {"elapsed_s": 110}


def with_gpu() -> Scene:
    """A GPU behind a slow link: one crossover for the kernel, one with copies."""
    found = plan(variants=(*CPU, "cuda:tiled"), sizes=(64, 128, 256, 512, 1024))

    def times(cell: Cell) -> Any:
        if cell.target != "cuda":
            return usual(cell)
        return ok(cell, "SIMT", timing(usual(cell)), transfer=Transfer(4e-4, 2e-4))

    return found, record(measure(found, times), gpu=True), {"elapsed_s": 61}


def gpu_verified() -> Scene:
    """CUDA variants were found right without a GPU, and never timed."""
    found = plan(variants=(*CPU, "cuda:tiled"), sizes=(64, 128), notices=ABSENT)
    right = lambda cell: Result(cell, "SIMT", "verified", "no GPU to time it on", verified_at=(1, 7, 33, 129))  # noqa: E731
    return found, record(measure(found, lambda c: right(c) if c.target == "cuda" else usual(c))), {}


def troubles() -> Scene:
    """A wrong cell, a failed one, skipped ones, brackets in every text that a user can write."""
    found = plan(
        variants=("numpy:blas", "python:loop", "cpu:scalar", "cpu:simd", "cpu:parallel"),
        sizes=(33, 256, 512),
        skip=lambda c: (
            f"would take about {c.size // 8} s (--cell-limit)" if c.target == "python" and c.size > 33 else ""
        ),
    )

    def times(cell: Cell) -> Any:
        if cell.variant == "cpu:simd" and cell.size == 33:
            return scripted.wrong(cell, "SIMD")
        if cell.variant == "cpu:parallel" and cell.size == 512:
            return Result(cell, "MIMD", "failed", "ValueError: [bold]not[/bold] markup [/] (mine.py:3)")
        return usual(cell)

    kernel = replace(found.kernel, summary="C = A·B [square], n×n")
    return replace(found, kernel=kernel), record(measure(found, times)), {"elapsed_s": 12.3}


def one_size() -> Scene:
    found = plan(sizes=(512,))
    return found, record(measure(found, usual)), {"elapsed_s": 5.0}


def knob_sweep() -> Scene:
    """Three tiles, one barred throughout, the others tied at small sizes."""
    barred = "tile 128 needs 256 KiB, the L2 cache has 128 KiB"
    found = plan(knobs={"tile": (32, 64, 128)}, skip=lambda cell: barred if dict(cell.knobs).get("tile") == 128 else "")

    def times(cell: Cell) -> float:
        return usual(cell) * (1.2 if dict(cell.knobs).get("tile") == 64 and cell.size > 512 else 1)

    return found, record(measure(found, times)), {}


def params() -> Scene:
    """Two activation functions, sizes as powers, rates in bytes."""
    names = [variant.name for variant in scripted.ACTIVATION.variants]
    sizes = [2**k for k in (12, 16, 20, 24)]
    found = plan(scripted.ACTIVATION, names, sizes, params={"function": ("relu", "gelu")}, baseline="numpy:ufunc")
    return found, record(measure(found, usual)), {"elapsed_s": 30}


def threads() -> Scene:
    found = plan(threads=(1, 2), sizes=(256, 512))
    many = ("numpy:blas", "cpu:parallel")
    return found, record(measure(found, lambda c: usual(c) * (2 if c.threads == 1 and c.variant in many else 1))), {}


def many_threads() -> Scene:
    """A serial part of 5 % at the larger size, none that shows at the smaller, and more threads than cores."""
    found = plan(variants=("cpu:simd", "cpu:parallel"), threads=(1, 2, 4, 8), sizes=(256, 512), baseline=None)

    def times(cell: Cell) -> Any:
        if cell.variant == "cpu:simd":
            return usual(cell)
        serial = 0.05 if cell.size == 512 else 0.0
        crowded = 1.3 if cell.threads > 4 else 1.0
        noise = (1, 1.01, 0.99, 1.02, 0.98) if cell.threads == 4 else (1.0,) * 5
        return timing(usual(cell) * 4 * (serial + (1 - serial) / cell.threads) * crowded, jitter=noise)

    found_record = record(measure(found, times))
    return found, replace(found_record, machine=found_record.machine | {"cores": 4, "threads": 4}), {"elapsed_s": 40}


def no_baseline() -> Scene:
    found = plan(baseline=None)
    return found, record(measure(found, usual)), {}


def best_baseline() -> Scene:
    """Two libraries, each the fastest at some sizes; ours is behind at one."""
    peer = replace(scripted.BLAS, name="torch:mm")
    kernel = replace(scripted.MATMUL, variants=(scripted.BLAS, peer, *scripted.MATMUL.variants[1:]))
    found = plan(kernel, ("numpy:blas", "torch:mm", *CPU[1:]), baseline="best")
    speeds = {256: 0.8, 512: 1.0, 1024: 1.1, 2048: 1.02}

    def times(cell: Cell) -> Any:
        if cell.variant != peer.name:
            return usual(cell)
        seconds = usual(replace(cell, variant="numpy:blas")) / speeds[cell.size]
        return ok(cell, "library", timing(seconds), library="PyTorch 2.13.0, MKL 2024.2")

    return found, record(measure(found, times)), {}


def bare_baseline() -> Scene:
    """The baseline does not fit at one size: its row shows times."""
    lack = "needs 3 GiB, 2 GiB are free"
    found = plan(skip=lambda cell: lack if cell.variant == "numpy:blas" and cell.size == 2048 else "")
    return found, record(measure(found, usual)), {}


def interrupted() -> Scene:
    found, _, _ = plain_sweep()
    results = measure(found, lambda cell: usual(cell) if cell.size < 1024 else None)
    return found, record(results), {"interrupted": True, "elapsed_s": 20.2}


def one_round() -> Scene:
    """Nothing can be told apart from one round, except a factor of many."""
    found = plan(sizes=(4096,))
    return found, record(measure(found, lambda cell: runs(usual(cell), 1))), {}


SCENES = (
    *(plain_sweep, with_gpu, gpu_verified, troubles, one_size, knob_sweep, params, threads, many_threads),
    *(no_baseline, best_baseline, bare_baseline, interrupted, one_round),
)


def shown(scene: Callable[[], Scene], width: int) -> str:
    plan_, record_, more = scene()
    return printed(plan_, record_, width, **more)


VIEWS: dict[str, Callable[[int], str]] = {scene.__name__: partial(shown, scene) for scene in SCENES}
