"""``check`` verifies every variant at awkward shapes; ``new`` writes a file that checks and runs at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import BUNDLED, Gpuplay
from places import PLANTED
from product import some

WHOLE = "activation"  # every run verifies the others in kernels/test_cpu_variants.py and gpu/test_variants.py
HOST = ("python:loop", "numpy:", "cpu:scalar", "cpu:simd", "cpu:parallel")


@pytest.mark.parametrize("kernel", some(BUNDLED, lambda name: name == WHOLE))
def test_every_variant_is_right_at_awkward_shapes_and_every_knob_value(gpuplay: Gpuplay, kernel: str) -> None:
    done = gpuplay("check", kernel, *(() if kernel == WHOLE else ("--on", "python,numpy,cpu")), timeout=1500)
    assert done.code == 0, done.out + done.err
    assert "wrong" not in done.out
    assert "failed" not in done.out
    absent = re.findall(r"^  (\w+):\w+ .* not run here$", done.out, re.MULTILINE)
    assert set(absent) <= {"torch", "torch_gpu", "cupy"}, done.out
    for variant in (*HOST, "cuda:") if kernel == WHOLE else HOST:
        assert variant in done.out


def test_check_names_the_first_failure_and_exits_1(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "planted.py", "--on", "numpy:last,numpy:double", "--dtype", "float32")
    assert done.code == 1
    assert "numpy:last" in done.out
    assert "out[30] is " in done.out
    assert "expected" in done.out


def test_a_new_kernel_checks_and_runs_at_once(gpuplay: Gpuplay, tmp_path: Path) -> None:
    assert gpuplay("new", "mine", folder=tmp_path).code == 0
    checked = gpuplay("check", "./mine.py", folder=tmp_path)
    assert checked.code == 0, checked.out + checked.err
    done = gpuplay("./mine.py", "--sizes", "4096", "--cell-time", "0.05s", folder=tmp_path)
    assert done.code == 0, done.out + done.err
    assert all(variant in done.out for variant in ("numpy:ufunc", "cpu:scalar", "cpu:simd", "cpu:parallel"))
    again = gpuplay("new", "mine", folder=tmp_path)
    assert again.code == 2
    assert "exists already" in again.err


def test_a_new_reduction_checks_and_runs_at_once_and_has_a_ladder_on_the_gpu(gpuplay: Gpuplay, tmp_path: Path) -> None:
    assert gpuplay("new", "mine", "--with", "reduction", folder=tmp_path).code == 0
    checked = gpuplay("check", "./mine.py", folder=tmp_path)
    assert checked.code == 0, checked.out + checked.err
    done = gpuplay("./mine.py", "--sizes", "4096", "--cell-time", "0.05s", folder=tmp_path)
    assert done.code == 0, done.out + done.err
    assert all(variant in done.out for variant in ("numpy:sum", "cpu:scalar", "cpu:simd", "cpu:parallel"))
    explained = gpuplay("explain", "./mine.py", "--on", "cuda:chunks", folder=tmp_path)
    assert "→ let adjacent threads take adjacent elements" in explained.out
    climbed = gpuplay("ladder", "./mine.py", "--on", "cuda", "--sizes", "2^16", folder=tmp_path)
    assert climbed.code == 0, climbed.out + climbed.err
    rungs = re.findall(r"^  (cuda:\w+) +right", climbed.out, re.MULTILINE)
    assert rungs == ["cuda:chunks", "cuda:strided", "cuda:tree", "cuda:shuffles"]


def test_a_new_reduction_without_one_of_its_barriers_is_a_race_with_its_line(gpuplay: Gpuplay, tmp_path: Path) -> None:
    gpuplay("new", "mine", "--with", "reduction", folder=tmp_path)
    path = tmp_path / "mine.py"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# outside of the if" not in line), encoding="utf-8")
    checked = gpuplay("check", "./mine.py", "--on", "cuda:tree", "--dtype", "float32", folder=tmp_path)
    assert checked.code == 1
    adds = 1 + next(i for i, line in enumerate(lines) if "sums[thread + half]" in line)
    assert f"mine.py:{adds}" in checked.out, checked.out


def test_new_knows_which_templates_there_are(gpuplay: Gpuplay, tmp_path: Path) -> None:
    done = gpuplay("new", "mine", "--with", "scan", folder=tmp_path)
    assert done.code == 2
    assert "--with scan: there is reduction" in done.err
    assert not list(tmp_path.iterdir())


def test_run_is_the_same_as_the_kernel_itself(gpuplay: Gpuplay) -> None:
    done = gpuplay("run", "matmul", "--sizes", "33", "--cell-time", "0.05s")
    assert done.code == 0, done.err
    assert "cpu:parallel" in done.out


def test_doctor_says_what_works_and_what_mends_the_rest(gpuplay: Gpuplay) -> None:
    done = gpuplay("doctor")
    assert done.code == 0, done.err
    for word in ("CPU", "AVX" if "AVX" in done.out else "bits", "Threading", "GPU", "copy"):
        assert word.lower() in done.out.lower()


def test_a_builder_that_breaks_the_contract_is_told_what_it_has_to_do(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "builders.py", "--sizes", "33", COLUMNS="300")
    assert done.code == 1
    told = {line.split()[1]: line for line in done.out.splitlines() if "✗" in line}
    assert set(told) == {"numpy:forgets", "numpy:gives_back", "numpy:knob"}
    assert "the builder forgets_to_return returned None; it has to return run(out, x)" in told["numpy:forgets"]
    assert "no element was written; run returns a value, which nobody takes" in told["numpy:gives_back"]
    assert "the builder names_another_knob takes no 'tile', which numpy:knob declares as a knob" in told["numpy:knob"]
