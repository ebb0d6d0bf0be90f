"""PyTorch as a peer: right on every kernel, never charged for copies, and said to be missing where it is."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import geometric_mean

import pytest
from command import Gpuplay
from places import PLANTED

ONE_ROUND = ("--rounds", "1", "--cell-time", "0.02s", "--json")
SWEEPS = {
    "activation": ("torch:map", "1,33", "--function", "relu,leaky_relu,sigmoid,tanh,gelu,silu,softplus,identity"),
    "conv2d": ("torch:conv2d", "7,12", "--batch", "2", "--channels", "5", "--stride", "1,2"),
    "dense": ("torch:linear", "33", "--batch", "1,7", "--function", "relu,gelu,identity"),
    "lstm": ("torch:lstm", "16,33", "--steps", "1,3", "--batch", "5"),
    "matmul": ("torch:mm", "1,33", "--m", "20"),
}

needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder on whose account Python finds no PyTorch: it is imported first wherever it is on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n", encoding="utf-8")
    return str(folder)


@needs_torch
@pytest.mark.parametrize("kernel", SWEEPS)
def test_pytorch_is_right_and_timed_in_both_dtypes(gpuplay: Gpuplay, kernel: str) -> None:
    variant, sizes, *params = SWEEPS[kernel]
    common = ("--baseline", "none", "--dtype", "float32,float64", *ONE_ROUND)
    done = gpuplay(kernel, "--on", "torch", "--sizes", sizes, *params, *common)
    assert done.code == 0, [result["reason"] for result in done.results]
    assert {result["params"]["dtype"] for result in done.results} == {"float32", "float64"}
    for result in done.results:
        assert (result["variant"], result["class"], result["status"]) == (variant, "library", "ok")
        assert result["time"]["median_s"] > 0
        assert re.match(r"PyTorch \d+\.\d+", result["library"])
        assert "BLAS" not in result["library"] or "OpenBLAS" in result["library"]


@needs_torch
def test_what_a_library_gets_wrong_beyond_the_ordinary_inputs_is_said_where_it_is_named(gpuplay: Gpuplay) -> None:
    functions = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")
    words = ("--on", "torch", "--baseline", "none", "--sizes", "1000", "--function", ",".join(functions))
    done = gpuplay("activation", *words, *ONE_ROUND)
    assert done.code == 0, [result["reason"] for result in done.results]
    wrong = {r["params"]["function"] for r in done.results if r["library"].endswith(", wrong on the whole float range")}
    assert {"silu", "gelu"} <= wrong < set(functions) - {"relu", "identity"}


@needs_torch
def test_a_copy_counts_no_operations_and_is_judged_exactly(gpuplay: Gpuplay) -> None:
    done = gpuplay("activation", "--on", "numpy,torch,cpu", "--function", "identity", "--sizes", "1000", *ONE_ROUND)
    assert done.code == 0, [result["reason"] for result in done.results]
    assert {(r["flops"], r["error"]["tolerance"], r["error"]["max_abs"]) for r in done.results} == {(0, 0, 0)}


@needs_torch
def test_results_that_a_run_returns_are_judged_as_those_that_it_writes(gpuplay: Gpuplay) -> None:
    done = gpuplay(PLANTED / "returns.py", "--on", "torch", *ONE_ROUND)
    assert done.code == 1
    for right in ("written", "returned", "both"):
        assert done.cell(f"torch:{right}")["status"] == "ok", done.cell(f"torch:{right}")["reason"]
    forgotten = done.cell("torch:forgotten")
    assert (forgotten["status"], "z" in forgotten["reason"]) == ("wrong", True)
    assert "output 0: the run returned float32 (99,)" in done.cell("torch:short")["reason"]
    tiring = done.cell("torch:tiring")
    assert tiring["status"] == "wrong"
    assert tiring["reason"].startswith("wrong after repeated calls")


@needs_torch
def test_pytorch_uses_the_threads_it_is_told_to_and_keeps_no_gradients() -> None:
    code = """
from gpuplay.targets import open_target
target = open_target("torch")
import torch
for threads in (1, 2):
    target.use_threads(threads)
    print(torch.get_num_threads(), torch.is_inference_mode_enabled())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True", "2", "True"]


@needs_torch
def test_the_best_baseline_is_the_faster_library_of_each_row(gpuplay: Gpuplay, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    words = ("--sizes", "33,256", "--on", "cpu:simd", "--rounds", "1", "--cell-time", "0.05s")
    done = gpuplay("matmul", *words, "--baseline", "best", "-o", kept)
    assert done.code == 0, done.err
    assert "1× = the fastest of numpy:blas (" in done.out
    medians = {(r["variant"], r["size"]): r["time"]["median_s"] for r in json.loads(kept.read_text())["results"]}
    ratios = [min(medians["numpy:blas", n], medians["torch:mm", n]) / medians["cpu:simd", n] for n in (33, 256)]
    said = " ".join(done.out.split())
    assert f"is {geometric_mean(ratios):.2f}× the fastest library in the geometric mean of 2 rows" in said
    assert f"{min(ratios):.2f}× at worst" in said


@pytest.mark.parametrize("words", [("--on", "torch"), ("--on", "torch:mm"), ("--baseline", "torch:mm")])
def test_a_missing_pytorch_that_is_asked_for_by_name_is_exit_3(
    gpuplay: Gpuplay, without_torch: str, words: tuple[str, str]
) -> None:
    done = gpuplay("matmul", *words, PYTHONPATH=without_torch)
    assert (done.code, done.out) == (3, "")
    assert "PyTorch is not installed; pip install 'gpuplay[peers]'" in done.err


def test_a_missing_pytorch_is_left_out_of_the_best_baseline_in_a_line(gpuplay: Gpuplay, without_torch: str) -> None:
    words = ("--sizes", "33", "--on", "cpu:simd", "--baseline", "best", *ONE_ROUND[:-1])
    done = gpuplay("matmul", *words, PYTHONPATH=without_torch)
    assert done.code == 0, done.err
    assert "1× = numpy:blas" in done.out
    assert "torch:mm not run here: PyTorch is not installed" in done.out


def test_a_missing_pytorch_is_no_error_of_check_or_doctor(gpuplay: Gpuplay, without_torch: str) -> None:
    checked = gpuplay("check", PLANTED / "returns.py", PYTHONPATH=without_torch)
    assert checked.code == 0, checked.out
    assert "PyTorch is not installed" in " ".join(checked.out.split())
    doctor = gpuplay("doctor", PYTHONPATH=without_torch)
    assert doctor.code == 0, doctor.out
    assert "pip install torch" in doctor.out
