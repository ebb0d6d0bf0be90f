"""Ratios, ties, grids, crossovers, verdicts, roofs and warnings from scripted results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import scripted
from scripted import measure, ok, plan, record, runs, timing, usual

from gpuplay.analysis.sweep import crossover, gains, ratios, roofline, verdict, warnings
from gpuplay.analysis.sweep.grid import arrange
from gpuplay.plan.cells import Plan
from gpuplay.precision import Formats
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result, Transfer
from gpuplay.results.timing import Timing

CELL = Cell("matmul", 256, (("dtype", "float32"),), "cpu:simd")
STEADY = (1.0, 1.0, 1.0, 1.0, 1.0)


def result(median_s: float, jitter: Sequence[float] = STEADY) -> Result:
    return ok(CELL, "SIMD", timing(median_s, jitter=jitter))


def test_a_speedup_is_the_median_of_the_ratios_of_rounds_that_ran_together() -> None:
    drifting = (1.0, 1.1, 1.2, 1.3, 1.4)
    found = ratios.speedup(result(1e-3, drifting), result(2e-3, drifting))
    assert found is not None
    assert found.ratio == pytest.approx(2.0)
    assert (found.low, found.high) == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.order == "faster"


@pytest.mark.parametrize(
    ("median_s", "jitter", "order"),
    [
        (1e-3, (0.98, 1.02, 1.0, 0.97, 1.03), "tie"),
        (1.008e-3, STEADY, "tie"),
        (1.02e-3, STEADY, "slower"),
        (0.97e-3, (0.999, 1.001, 1.0, 1.002, 0.998), "faster"),
        (0.97e-3, (0.9, 1.2, 1.0, 0.95, 1.1), "tie"),
        (3e-3, (0.1, 1.2, 1.0, 0.3, 1.1), "uncertain"),
    ],
    ids=["contains-1", "within-1-percent", "2-percent-slower", "3-percent-faster", "noise", "chaos"],
)
def test_a_tie_is_an_interval_around_one_or_within_one_percent(
    median_s: float, jitter: Sequence[float], order: str
) -> None:
    found = ratios.speedup(result(median_s, jitter), result(1e-3))
    assert found is not None
    assert found.order == order


def test_one_round_gives_no_interval_and_no_order_unless_the_factor_is_large() -> None:
    once = ok(CELL, "SIMD", runs(1.0, 1))
    near, far = ok(CELL, "SIMD", runs(1.3, 1)), ok(CELL, "SIMD", runs(40.0, 1))
    close, wide = ratios.speedup(once, near), ratios.speedup(far, once)
    assert close is not None
    assert (close.low, close.order) == (None, "uncertain")
    assert wide is not None
    assert wide.order == "slower"


def test_the_same_rounds_give_the_same_interval() -> None:
    jitter = (1.0, 1.01, 0.99, 1.02, 0.985)
    first = ratios.speedup(result(1e-3, jitter), result(1e-3))
    ratios._bootstrap.cache_clear()
    assert ratios.speedup(result(1e-3, jitter), result(1e-3)) == first


def test_only_right_results_have_a_ratio() -> None:
    assert ratios.speedup(scripted.wrong(CELL, "SIMD"), result(1.0)) is None
    assert not ratios.timed(scripted.wrong(CELL, "SIMD"))


def test_all_that_cannot_be_told_from_the_fastest_are_fastest() -> None:
    first, tied, behind = result(1e-3), result(1.005e-3), result(1.1e-3)
    assert ratios.fastest([behind, None, tied, first, scripted.wrong(CELL, "SIMD")]) == (first, tied)


def test_where_the_order_is_uncertain_none_is_the_fastest() -> None:
    chaos = result(3e-3, (0.1, 1.2, 1.0, 0.3, 1.1))
    assert ratios.fastest([chaos, result(1e-3)]) == ()
    assert ratios.fastest([ok(CELL, "SIMD", runs(time, 1)) for time in (1.0, 1.3)]) == ()
    assert ratios.fastest([far := ok(CELL, "SIMD", runs(1.0, 1)), ok(CELL, "SIMD", runs(40.0, 1))]) == (far,)


def test_copies_add_the_transfers_and_what_the_call_takes_beyond_the_kernel() -> None:
    on_gpu = replace(result(1e-3), call_s=1.2e-3, transfer=Transfer(2e-3, 0.8e-3))
    assert ratios.seconds(on_gpu, copies=True) == pytest.approx(4e-3)
    assert ratios.seconds(result(1e-3), copies=True) == pytest.approx(1e-3)


def test_params_that_follow_n_are_no_axis_and_params_with_several_values_are() -> None:
    assert arrange((), plan()).axes == ()
    assert arrange((), plan()).fixed == (("dtype", "float32"),)
    assert arrange((), plan(params={"m": (32,)})).fixed == (("m", "32"), ("dtype", "float32"))
    assert arrange((), plan(params={"m": (32, 64)})).axes == ("m",)


def test_several_thread_counts_make_lines_that_repeat_the_one_thread_variants() -> None:
    found = plan(threads=(1, 2), sizes=(256,))
    grid = arrange(measure(found, usual), found)
    assert grid.axes == ("threads",)
    one, two = grid.lines
    assert one.result("cpu:simd") is two.result("cpu:simd")
    assert [line.slots["cpu:parallel"][0].cell.threads for line in grid.lines] == [1, 2]


def test_a_variant_that_ran_nowhere_is_hidden_with_its_one_reason() -> None:
    found = plan(
        variants=(*scripted.CPU, "cuda:tiled"),
        skip=lambda cell: "no NVIDIA driver" if cell.target == "cuda" else "",
        notices=("cuda:tiled not run here: no NVIDIA driver",),
    )
    (hidden,) = arrange((), found).hidden
    assert (hidden.name, hidden.absent) == ("cuda:tiled", "not run here: no NVIDIA driver")


def test_a_variant_with_several_knob_values_stands_with_its_fastest() -> None:
    found = plan(knobs={"tile": (32, 64)}, sizes=(256,))
    results = measure(found, lambda cell: usual(cell) * (2 if dict(cell.knobs).get("tile") == 32 else 1))
    best = arrange(results, found).lines[0].result("cpu:parallel")
    assert best is not None
    assert dict(best.cell.knobs) == {"tile": 64}


@pytest.mark.parametrize(
    ("orders", "kind", "after", "first"),
    [
        ("FFFF", "always", None, 1),
        ("FTFF", "always", None, 1),
        ("TTTT", "tied", None, 1),
        ("SSFF", "from", 2, 3),
        ("STFF", "from", 1, 3),
        ("FSFF", "from", 2, 3),
        ("SSTT", "level", 2, 3),
        ("SSSS", "never", None, 1),
        ("FFSS", "lost", None, 1),
        ("TTFF", "always", None, 1),
    ],
)
def test_a_crossover_lies_between_the_last_size_behind_and_the_first_ahead(
    orders: str, kind: str, after: int | None, first: int
) -> None:
    words: dict[str, ratios.Order] = {"F": "faster", "S": "slower", "T": "tie"}
    found = crossover.settle([(size, words[letter]) for size, letter in enumerate(orders, 1)])
    assert found is not None
    assert (found.kind, found.after, found.first) == (kind, after, first)


def gpu_plan() -> Plan:
    return plan(variants=(*scripted.CPU, "cuda:tiled"), sizes=(64, 128, 256, 512))


def slow_link(cell: Cell) -> Result | float:
    """A GPU ten times as fast as the baseline from n = 128 on, behind a link that costs 2 ms."""
    if cell.target != "cuda":
        return usual(cell)
    median_s = 20e-6 + usual(replace(cell, variant="numpy:blas", threads=2)) / 10
    return ok(cell, "SIMT", timing(median_s), transfer=Transfer(4e-4, 2e-4))


def test_a_gpu_has_a_crossover_for_the_kernel_and_one_with_copies() -> None:
    found = gpu_plan()
    lines = arrange(measure(found, slow_link), found).lines
    alone = crossover.overtakes(lines, "cuda:tiled", "numpy:blas")
    copies = crossover.overtakes(lines, "cuda:tiled", "numpy:blas", copies=True)
    assert alone is not None
    assert copies is not None
    assert (alone.after, alone.first) == (128, 256)
    assert (copies.after, copies.first) == (256, 512)


def test_the_verdict_says_both_crossovers_of_a_gpu() -> None:
    found = gpu_plan()
    text = " ".join(verdict.sentences(arrange(measure(found, slow_link), found)))
    assert "cuda:tiled leads from n = 256 on (kernel alone), with copies at n = 512, the largest size." in text
    assert (
        "It overtakes numpy:blas between n = 128 and 256 (kernel alone); "
        "with copies it overtakes numpy:blas between n = 256 and 512." in text
    )


def test_the_verdict_says_gains_lead_and_cells() -> None:
    found = plan()
    assert verdict.sentences(arrange(measure(found, usual), found)) == (
        "SIMD is 41× scalar, 2 threads 2.1× one: together 85×.",
        "cpu:parallel leads at every size measured.",
        "16 cells measured, all verified.",
    )


def test_the_verdict_says_where_the_leader_overtook_the_baseline() -> None:
    found = plan()
    results = measure(found, lambda c: usual(c) * (1.5 if c.variant == "cpu:parallel" and c.size < 1024 else 1))
    text = verdict.sentences(arrange(results, found))[1]
    assert text == "cpu:parallel overtakes numpy:blas between n = 512 and 1024 and leads from there on."


def test_a_tie_at_the_top_is_a_shared_lead() -> None:
    found = plan()
    results = measure(found, lambda c: usual(c) * (1.06 if c.variant == "cpu:parallel" and c.size > 512 else 1))
    text = verdict.sentences(arrange(results, found))[1]
    assert text == "numpy:blas and cpu:parallel share the lead from n = 1024 on."


def test_the_verdict_counts_what_went_wrong() -> None:
    found = plan(sizes=(256,))
    results = measure(found, lambda c: scripted.wrong(c, "SIMD") if c.variant == "cpu:simd" else usual(c))
    assert verdict.tally(arrange(results, found)) == "3 of 4 cells measured; 1 wrong."
    assert verdict.tally(arrange((), found)) == "0 of 4 cells measured: 4 not measured."


def test_leads_that_differ_between_params_are_said_for_each() -> None:
    found = plan(
        scripted.ACTIVATION,
        ("numpy:ufunc", "cpu:simd", "cpu:parallel"),
        (2**20, 2**24),
        params={"function": ("relu", "gelu")},
        baseline="numpy:ufunc",
    )
    slow = lambda c: usual(c) * (2 if c.variant == "cpu:parallel" and dict(c.params)["function"] == "relu" else 1)  # noqa: E731
    text = verdict.sentences(arrange(measure(found, slow), found))
    assert "function relu: numpy:ufunc leads at every size measured." in text
    assert "function gelu: cpu:parallel leads at every size measured." in text


def test_interpreted_loops_do_not_pass_for_scalar_code() -> None:
    found = plan(variants=("numpy:blas", "python:loop", "cpu:scalar", "cpu:simd"), sizes=(64,))
    steps = gains.steps(arrange(measure(found, usual), found))
    assert steps.compiled is not None
    assert steps.compiled.low == pytest.approx(500)
    assert steps.simd is not None
    assert steps.simd.low == pytest.approx(0.51 * 80)


def test_a_roof_is_the_longer_of_arithmetic_and_memory() -> None:
    bounded = replace(result(1e-3), flops=234e6, bytes=53e6 * 0.5)
    found = roofline.roof(replace(bounded, cell=replace(CELL, threads=2)), scripted.ROOFS, {})
    assert found is not None
    assert (found.bound, found.fraction(2e-3)) == ("compute", pytest.approx(0.5))
    moving = replace(bounded, cell=replace(CELL, threads=2), work={"flops": 1.0, "bytes": 53e6})
    found = roofline.roof(moving, scripted.ROOFS, scripted.MACHINE)
    assert found is not None
    assert (found.bound, found.fraction(1e-3)) == ("memory", pytest.approx(1.0))


def test_data_in_the_cache_has_no_memory_roof() -> None:
    found = roofline.roof(replace(result(1e-3), flops=1.0, bytes=2**20), scripted.ROOFS, scripted.MACHINE)
    assert found is not None
    assert found.bound == "cache"
    assert found.fraction(1e-3) is None


def test_unknown_roofs_are_no_roof() -> None:
    assert roofline.roof(result(1e-3), None, {}) is None
    assert roofline.roof(result(1e-3), {"gpu": None}, {}) is None
    assert roofline.roof(replace(result(1e-3), flops=None, bytes=None), scripted.ROOFS, {}) is None


def test_arithmetic_on_matrix_units_has_no_roof_and_what_memory_bounds_keeps_its_own() -> None:
    cell = replace(CELL, variant="cuda:tf32")
    product = replace(result(1e-3), cell=cell, flops=1e12, bytes=1e8)
    assert roofline.roof(product, scripted.GPU_ROOFS, {}) is not None
    assert roofline.roof(replace(product, formats=Formats(compute="tfloat32")), scripted.GPU_ROOFS, {}) is None
    thin = replace(product, flops=1e8, formats=Formats(compute="tfloat32"))
    found = roofline.roof(thin, scripted.GPU_ROOFS, {})
    assert found is not None
    assert found.bound == "memory"


def warned(time: Timing, **more: object) -> str:
    return " | ".join(warnings.collect(record([replace(ok(CELL, "SIMD", time), **more)])))


def test_a_steady_result_warns_of_nothing() -> None:
    assert warned(timing(1e-3)) == ""


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timing(1e-3, spread=0.12), "noise, half of the samples spread over 12 %; close other programs"),
        (timing(1e-3, jitter=(1, 1.2, 1, 1.2, 1)), "rounds differ by up to 20 %"),
        (runs(3.0, 2), "2 samples only"),
    ],
    ids=["noise", "drift", "few"],
)
def test_a_warning_names_the_cell_and_its_remedy(time: Timing, words: str) -> None:
    found = warned(time)
    assert found.startswith("cpu:simd at n = 256: ")
    assert words in found
    assert " | " not in found


def test_data_that_fits_in_the_cache_is_warned_of_where_memory_is_the_question() -> None:
    assert "fits in the last cache (32 MiB)" in warned(timing(1e-3), flops=1e6, bytes=1e6)
    assert warned(timing(1e-3), flops=1e9, bytes=1e6) == ""
    in_cache = record([ok(CELL, "SIMD", timing(1e-3), flops=1e6, bytes=1e6)])
    assert warnings.collect(in_cache)
    assert warnings.collect(replace(in_cache, argv=("gpuplay", "matmul", "--cold"))) == ()


def test_a_call_shorter_than_a_launch_is_warned_of() -> None:
    assert "launch-bound" in warned(timing(2e-6), flynn="MIMD")


def test_workers_warnings_are_said_once_for_all_their_cells() -> None:
    cells = [replace(CELL, size=n) for n in (256, 512)]
    found = warnings.collect(record([replace(ok(c, "SIMD", timing(1e-3)), warnings=("other load",)) for c in cells]))
    assert found == ("cpu:simd at n = 256, 512: other load",)
