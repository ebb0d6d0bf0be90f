"""What a table says and does not say, from scripted results."""

from __future__ import annotations

import io
from dataclasses import replace

import scripted
from rich.console import Console
from scenes.tables import ABSENT, plain_sweep, printed, troubles, with_gpu
from scripted import measure, plan, record, timing, usual

from gpuplay.kernel import Variant
from gpuplay.views.sweep import table
from gpuplay.views.text.layout import show


def test_a_wrong_cell_never_shows_a_time() -> None:
    plan_, record_, _ = troubles()
    wrong = [replace(r, time=timing(7.77e-3)) if r.status == "wrong" else r for r in record_.results]
    assert "7.77" not in printed(plan_, replace(record_, results=tuple(wrong)), 160)


def test_colour_adds_nothing_that_the_text_does_not_say() -> None:
    plan_, record_, more = plain_sweep()
    coloured = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    text = table.render(record_, plan_, 80, **more)
    show(coloured, text)
    assert "\x1b[" in coloured.file.getvalue()  # type: ignore[attr-defined]
    assert text.plain in printed(plan_, record_, 80, **more)


def test_what_is_piped_is_complete_in_a_narrow_console() -> None:
    plan_, record_, more = with_gpu()
    console = Console(file=io.StringIO(), width=20)
    show(console, table.render(record_, plan_, 80, **more))
    assert console.file.getvalue() == f"{table.render(record_, plan_, 80, **more).plain}\n"  # type: ignore[attr-defined]


def test_two_variants_missing_for_one_reason_share_a_line() -> None:
    second = Variant("cuda:naive", "SIMT", "one thread an element", scripted.nothing)
    kernel = replace(scripted.MATMUL, variants=(*scripted.MATMUL.variants, second))
    found = plan(
        kernel,
        ("numpy:blas", "cpu:simd", "cuda:naive", "cuda:tiled"),
        skip=lambda cell: "no NVIDIA driver" if cell.target == "cuda" else "",
        notices=(*ABSENT, "cuda:naive not run here: no NVIDIA driver"),
    )
    text = printed(found, record(measure(found, usual)), 80)
    assert "cuda:naive, cuda:tiled not run here: no NVIDIA driver" in text
    assert text.count("no NVIDIA driver") == 1


def test_a_variant_with_prepared_weights_says_so_under_its_name() -> None:
    variants = tuple(replace(v, prepare="cpu:pack") if v.name == "cpu:simd" else v for v in scripted.MATMUL.variants)
    found = plan(replace(scripted.MATMUL, variants=variants))
    text = printed(found, record(measure(found, usual)), 80)
    assert text.splitlines()[5].split() == ["n", "prepacked"]


def test_a_baseline_that_was_measured_nowhere_is_no_denominator() -> None:
    found = plan(sizes=(256,), skip=lambda cell: "too long" if cell.variant == "numpy:blas" else "")
    text = printed(found, record(measure(found, usual)), 80)
    assert "times; the baseline numpy:blas was not measured" in text
    assert "1× =" not in text


def test_a_machine_of_which_nothing_is_known_has_no_line() -> None:
    found = plan(sizes=(256,))
    bare = replace(record(measure(found, usual)), machine={}, roofs=None)
    assert printed(found, bare, 80).splitlines()[1] == ""
