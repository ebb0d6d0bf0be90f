"""Ladders climbed on a scripted machine: whole, with gaps, by threads, and broken off."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import scripted
from rich.console import Console
from scripted import measure, plan, record, runs

from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.views.ladder import page
from gpuplay.views.text.layout import show

NAIVE = replace(scripted.SCALAR, name="cpu:naive", idea="textbook order: the inner loop jumps a whole row of B")
BLOCKED = replace(scripted.SCALAR, name="cpu:blocked", idea="blocks that stay in the caches", improves_on="cpu:naive")
SIMD = replace(scripted.SIMD, improves_on="cpu:blocked")
PARALLEL = replace(scripted.PARALLEL, improves_on="cpu:simd")
FEWER = replace(PARALLEL, name="cpu:winograd", idea="fewer multiplications", improves_on="cpu:blocked")
MATMUL = replace(scripted.MATMUL, variants=(scripted.BLAS, PARALLEL, SIMD, FEWER, BLOCKED, NAIVE, scripted.TILED))
NAMES = ("cpu:naive", "cpu:blocked", "cpu:simd", "cpu:parallel")
SECONDS = {"cpu:naive": 4.0, "cpu:blocked": 0.32, "cpu:simd": 0.05, "cpu:parallel": 0.0256, "numpy:blas": 0.025}

Scene = tuple[Plan, Record, dict[str, Any]]


def planned(**more: Any) -> Plan:
    return plan(MATMUL, ("numpy:blas", *NAMES), **({"sizes": (1024,)} | more))


def time_of(cell: Cell) -> float:
    return SECONDS[cell.variant] * (2 / cell.threads if cell.variant in ("cpu:parallel", "numpy:blas") else 1)


def climbed() -> Scene:
    found = planned()
    return found, record(measure(found, time_of)), {"names": NAMES, "elapsed_s": 31, "also": ("cpu:winograd",)}


def climb_with_gaps() -> Scene:
    """The first rung takes too long, the third is wrong, and the last has one round only."""
    too_long = lambda cell: "would take about 55 s (--cell-limit 30.0 s)" if cell.variant == "cpu:naive" else ""  # noqa: E731
    found = planned(skip=too_long)

    def times(cell: Cell) -> Any:
        if cell.variant == "cpu:simd":
            return scripted.wrong(cell, "SIMD")
        return runs(0.3, 1) if cell.variant == "cpu:parallel" else time_of(cell)

    return found, record(measure(found, times)), {"names": NAMES, "elapsed_s": 12}


def climbs_by_threads() -> Scene:
    found = planned(sizes=(512, 1024), threads=(1, 2))
    return found, record(measure(found, lambda cell: time_of(cell) * (cell.size / 1024) ** 3)), {"names": NAMES}


def climb_interrupted() -> Scene:
    found = planned()
    return (
        found,
        record(measure(found, lambda c: time_of(c) if c.variant in NAMES[:2] else None)),
        {"names": NAMES, "interrupted": True},
    )


def printed(found: Plan, made: Record, width: int, **more: Any) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    show(console, page.render(made, found, width, **more))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def shown(scene: Callable[[], Scene], width: int) -> str:
    found, made, more = scene()
    return printed(found, made, width, **more)


VIEWS: dict[str, Callable[[int], str]] = {
    scene.__name__: partial(shown, scene) for scene in (climbed, climb_with_gaps, climbs_by_threads, climb_interrupted)
}
