"""The main job, kernel by kernel: every class is measured and verified, and the exports are valid."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import jsonschema
import pytest
import schemas
from command import Gpuplay
from product import some

SWEEPS = {
    "activation": ("4096,5000", "--function", "gelu"),
    "conv2d": ("7,12", "--batch", "2", "--channels", "5"),
    "dense": ("33,64", "--batch", "1,8"),
    "lstm": ("16,33", "--steps", "3", "--batch", "5"),
    "matmul": ("33,64", "--m", "20"),
}
DTYPES = ("float32", "float64")


@pytest.mark.parametrize("kernel", some(SWEEPS, lambda kernel: kernel == "activation"))
def test_a_sweep_measures_every_class_and_exports_it(gpuplay: Gpuplay, tmp_path: Path, kernel: str) -> None:
    sizes, *params = SWEEPS[kernel]
    exports = [word for suffix in ("json", "csv", "md") for word in ("-o", tmp_path / f"x.{suffix}")]
    words = (kernel, "--sizes", sizes, *params, "--dtype", ",".join(DTYPES), "--cell-time", "0.05s", "--json", *exports)
    done = gpuplay(*words)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    jsonschema.validate(document, schemas.SWEEP)
    assert json.loads((tmp_path / "x.json").read_text()) == document
    host = [cell for cell in done.results if not cell["variant"].startswith("cuda")]
    for dtype in DTYPES:
        found = {cell["class"] for cell in host if cell["params"]["dtype"] == dtype}
        assert found == {"library", "SISD", "SIMD", "MIMD"}
    assert {cell["status"] for cell in host} == {"ok"}
    assert all(cell["error"]["max_abs"] <= cell["error"]["tolerance"] for cell in host)
    with (tmp_path / "x.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(done.results)
    assert all(cell["variant"] in (tmp_path / "x.md").read_text() for cell in host)


def test_a_knob_sweep_measures_every_value_of_the_variants_that_have_it(gpuplay: Gpuplay, tmp_path: Path) -> None:
    words = ("activation", "--on", "cpu:parallel", "--chunk", "4096,16384", "--sizes", "2^16", "--cell-time", "0.05s")
    done = gpuplay(*words, "-o", tmp_path / "x.json")
    assert done.code == 0, done.err
    results = json.loads((tmp_path / "x.json").read_text())["results"]
    assert [c["knobs"] for c in results if c["variant"] == "cpu:parallel"] == [{"chunk": 4096}, {"chunk": 16384}]
    assert "4096" in done.out
    assert "16384" in done.out


def test_threads_are_an_axis(gpuplay: Gpuplay) -> None:
    words = ("activation", "--on", "cpu:simd,cpu:parallel", "--threads", "1,2", "--sizes", "2^16")
    done = gpuplay(*words, "--rounds", "2", "--cell-time", "0.05s", "--json")
    assert sorted(c["threads"] for c in done.results if c["variant"] == "cpu:parallel") == [1, 2]
    assert [c["threads"] for c in done.results if c["variant"] == "cpu:simd"] == [1]


def test_plan_runs_nothing_and_shows_what_would_run(gpuplay: Gpuplay) -> None:
    done = gpuplay("matmul", "--sizes", "256..8192", "--plan")
    assert done.code == 0
    assert done.seconds < 30
    assert "8192" in done.out


def test_a_spent_budget_skips_the_rest_and_says_so(gpuplay: Gpuplay) -> None:
    done = gpuplay("activation", "--sizes", "2^12..2^24", "--time", "4s", "--json")
    assert done.code == 0, done.err
    skipped = [cell["reason"] for cell in done.results if cell["status"] == "skipped" and "cuda" not in cell["variant"]]
    assert done.seconds < 120
    assert skipped
    assert all("--time" in reason for reason in skipped)


def test_cells_that_would_take_too_long_are_skipped_with_their_forecast(gpuplay: Gpuplay) -> None:
    words = ("matmul", "--on", "python,numpy", "--sizes", "16,1024", "--cell-time", "0.1s", "--json")
    done = gpuplay(*words)
    assert done.code == 0, done.err
    assert done.cell("python:loop", size=16)["status"] == "ok"
    assert done.cell("python:loop", size=1024)["status"] == "skipped"
    assert "would take about" in done.cell("python:loop", size=1024)["reason"]


def test_a_forecast_at_a_small_size_leaves_the_cells_of_that_size_alone(gpuplay: Gpuplay) -> None:
    """The interpreter's work is forecast from n = 40 itself, when the baseline is built on that problem already."""
    done = gpuplay("matmul", "--on", "python,numpy", "--sizes", "40", "--rounds", "1", "--cell-time", "0.02s", "--json")
    assert done.code == 0, [result["reason"] for result in done.results]
    assert [result["status"] for result in done.results] == ["ok", "ok"]


def test_the_baseline_can_be_any_variant_best_or_none(gpuplay: Gpuplay) -> None:
    common = ("matmul", "--sizes", "64", "--on", "cpu:simd", "--cell-time", "0.05s")
    assert "1× = cpu:simd" in gpuplay(*common, "--baseline", "cpu:simd").out
    assert re.search("1× = (the fastest of )?numpy:blas", gpuplay(*common, "--baseline", "best").out)
    assert "1× =" not in gpuplay(*common, "--baseline", "none").out
