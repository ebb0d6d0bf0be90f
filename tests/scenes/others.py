"""The pages of detail, plan, check, welcome and list, from scripted results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import scripted
from rich.text import Text
from scripted import CPU, measure, plan, record, usual

from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.views import listing
from gpuplay.views.check import page as check
from gpuplay.views.sweep import detail
from gpuplay.views.sweep import plan as plan_view


def slow(cell: Cell) -> str:
    return "would take about 21 s (--cell-limit)" if cell.variant == "cpu:scalar" and cell.size == 4096 else ""


def details(width: int) -> Text:
    found = plan(variants=(*CPU, "cuda:tiled"), sizes=(256, 4096), skip=slow)

    def times(cell: Cell) -> Result | float:
        return scripted.wrong(cell, "SIMD") if (cell.variant, cell.size) == ("cpu:simd", 256) else usual(cell)

    results = measure(found, times)
    more = {"prepare_s": 2.2e-3, "compile_cached": True, "warnings": ("other load: 0.8",)}
    results = tuple(replace(r, **more) if r.cell.variant == "cpu:parallel" else r for r in results)
    return detail.render(record(results, gpu=True), width)


def planned(width: int) -> Text:
    return plan_view.render(plan(sizes=(256, 4096), skip=slow, params={"m": (32, 64)}), width)


def checked(width: int) -> Text:
    found = plan(
        variants=("numpy:blas", "cpu:simd", "cpu:parallel", "cuda:tiled"),
        sizes=(1, 2, 7, 31, 33, 127, 129),
        knobs={"tile": (16, 32)},
        skip=lambda cell: "no NVIDIA driver" if cell.target == "cuda" else "",
    )

    def outcome(cell: Cell) -> Result:
        flynn = found.kernel.variant(cell.variant).flynn
        if cell.variant == "cpu:parallel" and cell.size > 31 and dict(cell.knobs)["tile"] == 32:
            return scripted.wrong(cell, flynn)
        if cell.variant == "cpu:simd" and cell.size == 1:
            return Result(cell, flynn, "failed", "IndexError: [0] is out of bounds (mine.py:12)")
        return Result(cell, flynn, "verified", verified_at=(cell.size,))

    return check.render(found.kernel, measure(found, outcome), width)


def welcome(width: int) -> Text:
    return listing.welcome((scripted.MATMUL, scripted.ACTIVATION), width)


def listed(width: int) -> Text:
    kernel = replace(scripted.MATMUL, summary="C = A·B [square], n×n")
    return listing.render((kernel, scripted.ACTIVATION), width)


VIEWS: dict[str, Callable[[int], str]] = {
    page.__name__: lambda width, page=page: page(width).plain + "\n"  # type: ignore[misc]
    for page in (details, planned, checked, welcome, listed)
}
