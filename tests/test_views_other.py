"""Detail, plan, list, welcome and check to the letter, from scripted results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.text import Text

from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.views import listing
from gpuplay.views.check import page
from gpuplay.views.sweep import detail
from gpuplay.views.sweep import plan as plan_view
from gpuplay.views.text import notes
from tests import scripted
from tests.screen import kept
from tests.scripted import CPU, measure, plan, record, usual


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

    return page.render(found.kernel, measure(found, outcome), width)


def welcome(width: int) -> Text:
    return listing.welcome((scripted.MATMUL, scripted.ACTIVATION), width)


def listed(width: int) -> Text:
    kernel = replace(scripted.MATMUL, summary="C = A·B [square], n×n")
    return listing.render((kernel, scripted.ACTIVATION), width)


VIEWS: dict[str, Callable[[int], Text]] = {f.__name__: f for f in (details, planned, checked, welcome, listed)}


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", VIEWS)
def test_the_view_looks_as_its_screen_does(name: str, width: int) -> None:
    text = VIEWS[name](width).plain + "\n"
    assert text == kept(name, width, text)
    assert max(map(len, text.splitlines())) <= width


def test_the_check_of_right_variants_says_so_in_one_line() -> None:
    found = plan(sizes=(1, 33))
    results = measure(found, lambda cell: Result(cell, "SIMD", "verified"))
    assert (
        page.summary(found.kernel, results) == "matmul: 4 of 4 variants (knob values apart) right, 8 problems checked."
    )


def test_a_check_of_nothing_but_skips_says_that_nothing_could_be_checked() -> None:
    found = plan(variants=("cuda:tiled",), skip=lambda _cell: "no NVIDIA driver")
    text = page.summary(found.kernel, measure(found, usual))
    assert text == "matmul: nothing could be checked here: no NVIDIA driver."


def test_a_failure_that_variants_share_names_all_of_them() -> None:
    cells = [(v, n) for v, n in (("cpu:simd", 33), ("cpu:parallel", 33), ("cpu:parallel", 64))]
    found = [Result(Cell("matmul", n, (), v), "SIMD", "failed", "MemoryError") for v, n in cells]
    assert notes.collect(found[:2], str).texts == (("¹", "cpu:simd, cpu:parallel failed at n = 33: MemoryError"),)
    assert notes.collect(found, str).texts[0][1].endswith("MemoryError; also cpu:parallel at n = 64")


def test_a_detail_of_nothing_says_so() -> None:
    assert "nothing was measured" in detail.render(record(()), 80).plain


def footnotes(*reasons: tuple[str, int, str]) -> list[str]:
    results = [
        Result(Cell("matmul", size, (), variant), "SIMD", "skipped", reason) for variant, size, reason in reasons
    ]
    return [f"{mark} {text}" for mark, text in notes.collect(results, str).texts]


def test_reasons_that_differ_in_quantities_share_a_footnote_with_both_ends() -> None:
    assert footnotes(
        ("cpu:scalar", 4096, "would take about 21 s (--cell-limit)"),
        ("cpu:scalar", 8192, "would take about 2 min 50 s (--cell-limit)"),
    ) == ["¹ skipped: would take about 21 s to 2 min 50 s (--cell-limit)"]


def test_reasons_of_other_variants_stay_apart_unless_they_are_the_same_words() -> None:
    assert footnotes(
        ("cpu:scalar", 8192, "would take about 3 min"),
        ("cpu:simd", 8192, "would take about 2 min"),
        ("cuda:naive", 8192, "3×3 only"),
        ("cuda:tiled", 8192, "3×3 only"),
    ) == ["¹ skipped: would take about 3 min", "² skipped: would take about 2 min", "³ skipped: 3×3 only"]


def test_more_than_nine_footnotes_have_two_digits() -> None:
    assert notes.superscript(12) == "¹²"
