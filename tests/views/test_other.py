"""What the pages of detail and check say, and their footnotes, from scripted results."""

from __future__ import annotations

from scripted import measure, plan, record, usual

from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.views.check import page
from gpuplay.views.sweep import detail
from gpuplay.views.text import notes


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
