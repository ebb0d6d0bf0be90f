"""Thread scaling: speed-up, efficiency and the serial part, from scripted results and from one real sweep."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemas
import scripted
from command import Gpuplay
from scripted import measure, plan, record, timing, usual

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.analysis.sweep.scaling import ThreadScaling, scalings, serial_part
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.views.sweep.export import document
from gpuplay.views.sweep.markdown import markdown


def amdahl(serial: float, threads: int) -> float:
    return serial + (1 - serial) / threads


def scene(counts: tuple[int, ...], serial: float = 0.1, cores: int = 8) -> tuple[Plan, Record]:
    """cpu:parallel obeys Amdahl's law, cpu:simd has one thread whatever --threads says."""
    found = plan(variants=("cpu:simd", "cpu:parallel"), threads=counts, sizes=(256,), baseline=None)

    def times(cell: Cell) -> float:
        return usual(cell) * amdahl(serial, cell.threads) if cell.variant == "cpu:parallel" else usual(cell)

    whole = record(measure(found, times))
    return found, replace(whole, machine=whole.machine | {"cores": cores})


def only(found: Plan, results: tuple[Result, ...], cores: int = 8) -> ThreadScaling:
    (one,) = scalings(arrange(results, found), cores)
    return one


def test_efficiency_is_the_speed_up_as_a_share_of_the_threads() -> None:
    found, record_ = scene((1, 2, 4))
    one = only(found, record_.results)
    assert one.variant == "cpu:parallel"
    assert [point.threads for point in one.points] == [1, 2, 4]
    assert [point.speedup.ratio for point in one.points] == pytest.approx([1, 1 / 0.55, 1 / 0.325])
    assert [point.efficiency for point in one.points] == pytest.approx([1, 1 / 1.1, 1 / 1.3])


def test_without_one_thread_the_efficiency_is_that_of_the_fewest_upwards() -> None:
    found, record_ = scene((4, 2), serial=0.0)
    one = only(found, record_.results)
    assert one.fewest == 2
    assert [point.efficiency for point in one.points] == pytest.approx([1, 1])


@pytest.mark.parametrize("serial", [0.0, 0.02, 0.3, 1.0])
@pytest.mark.parametrize("counts", [(1, 2, 4), (2, 3, 8)], ids=["from-1", "from-2"])
def test_the_serial_part_of_times_that_obey_the_law_is_found_again(serial: float, counts: tuple[int, ...]) -> None:
    assert serial_part({count: 3e-3 * amdahl(serial, count) for count in counts}) == pytest.approx(serial, abs=1e-9)


def test_two_counts_fit_any_serial_part_so_none_is_given() -> None:
    assert serial_part({1: 1.0, 2: 0.6}) is None
    found, record_ = scene((1, 2))
    assert only(found, record_.results).fit is None


def test_the_range_of_the_serial_part_is_that_over_the_rounds() -> None:
    found = plan(variants=("cpu:parallel",), threads=(1, 2, 4), sizes=(256,), baseline=None)
    serials = (0.1, 0.12, 0.08, 0.11, 0.09)

    def times(cell: Cell) -> Any:
        whole = amdahl(0.1, cell.threads)
        return timing(1e-3 * whole, jitter=[amdahl(serial, cell.threads) / whole for serial in serials])

    fit = only(found, measure(found, times)).fit
    assert fit is not None
    assert (fit.serial, fit.low, fit.high) == pytest.approx((0.1, 0.08, 0.12))


def test_counts_above_the_cores_have_a_speed_up_but_no_part_in_the_fit() -> None:
    found, record_ = scene((1, 2, 4), cores=2)
    one = only(found, record_.results, cores=2)
    assert len(one.points) == 3
    assert one.fit is None


def test_a_count_that_was_not_measured_leaves_the_others() -> None:
    found, record_ = scene((1, 2, 4))
    results = tuple(r if r.cell.threads != 2 else scripted.wrong(r.cell, "MIMD") for r in record_.results)
    assert [point.threads for point in only(found, results).points] == [1, 4]


def test_one_thread_count_is_no_scaling() -> None:
    found, record_ = scene((2,))
    assert not scalings(arrange(record_.results, found), 8)
    assert "scaling" not in document(record_, found)


def test_json_has_speed_ups_efficiencies_and_the_fit() -> None:
    found, record_ = scene((1, 2, 4))
    made = document(record_, found)
    jsonschema.validate(made, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
    (one,) = made["scaling"]
    assert one["variant"] == "cpu:parallel"
    assert one["serial"]["fit"] == pytest.approx(0.1)
    assert [point["threads"] for point in one["points"]] == [1, 2, 4]


def test_markdown_has_the_block_and_says_whose_law_is_fitted() -> None:
    found, record_ = scene((1, 2, 4))
    text = markdown(record_, found)
    assert "**cpu:parallel** by threads, speed-up on 1 thread and efficiency" in text
    assert "| 256 | 1.82 × 91 % | 3.08 × 77 % | 10 % |" in text
    assert "fit of Amdahl's law" in text


def test_a_sweep_over_threads_shows_how_variants_scale(gpuplay: Gpuplay, tmp_path: Path) -> None:
    words = ("matmul", "--sizes", "256", "--on", "numpy:blas", "--baseline", "none", "--threads", "1,2")
    done = gpuplay(*words, "--cell-time", "50ms", "--rounds", 2, "-o", tmp_path / "scaling.json")
    assert done.code == 0, done.err
    assert "numpy:blas by threads, speed-up on 1 thread and efficiency" in done.out
    made = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))
    jsonschema.validate(made, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
    (one,) = made["scaling"]
    rounds = {r["threads"]: [statistics.median(samples) for samples in r["time"]["rounds"]] for r in made["results"]}
    ratios = [alone / both for alone, both in zip(rounds[1], rounds[2], strict=True)]
    assert [point["threads"] for point in one["points"]] == [1, 2]
    assert one["points"][1]["efficiency"] == pytest.approx(one["points"][1]["speedup"] / 2)
    assert one["points"][1]["speedup"] == pytest.approx(statistics.median(ratios))
