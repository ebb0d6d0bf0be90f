"""CUDA variants that no GPU would run as they look: refused where they are checked, and told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Gpuplay, Outcome
from needs import compiles
from places import PLANTED

FILE = PLANTED / "no_gpu_takes.py"
SAYS = {
    "returns": "returns a value of type int64",
    "raises": "exception: block 1 thread 1 raises ValueError",
    "asserts": "exception: block 0 thread 5 raises AssertionError",
    "medians": "Numba refuses it: No implementation of function Function(<function median",
    "stays": "endless: block 0 thread 0 and 32 other threads turn in this loop for ever",
    "halves": "endless: block 0 thread 0 and 32 other threads turn in this loop for ever",
    "host": "run asks the GPU for nothing",
}
AT = {"raises": "raise ValueError", "asserts": "assert i < 5", "stays": "while i <", "halves": "while guess"}


@pytest.fixture(scope="module")
def checked(gpuplay: Gpuplay) -> Outcome:
    return gpuplay("check", FILE, "--sizes", "33", COLUMNS="400")


@pytest.mark.parametrize("variant", [pytest.param(v, marks=compiles if v == "medians" else ()) for v in SAYS])
def test_check_refuses_what_no_gpu_takes(checked: Outcome, variant: str) -> None:
    assert checked.code == 1, checked.err
    [told] = [line for line in checked.out.splitlines() if f"✗ cuda:{variant} " in line]
    assert SAYS[variant] in told
    if variant in AT:
        lines = FILE.read_text(encoding="utf-8").splitlines()
        assert f"{FILE.name}:{next(n for n, line in enumerate(lines, 1) if AT[variant] in line)}" in told


def test_a_right_function_beside_them_is_right(checked: Outcome) -> None:
    [row] = [line for line in checked.out.splitlines() if line.startswith("  cuda:right ")]
    assert row.split()[-1] == "right"


def test_an_endless_loop_takes_no_time(checked: Outcome) -> None:
    assert checked.seconds < 60


SIGNED = """
import numpy as np
from numba import cuda

from gpuplay.kernel import Kernel, Variant


@cuda.jit("f4(f4)", device=True)
def doubled(x):
    return x + x


@cuda.jit("void(float32[::1], float32[::1])")
def twice(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = doubled(x[i])


KERNEL = Kernel(
    name="signed", summary="y = 2·x", size="64",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n, reference=lambda p, x: 2 * x,
    variants=(
        Variant("cuda:twice", "SIMT", "a thread each", lambda p: lambda gpu, y, x: gpu.launch(twice, p.n, 32, y, x)),
    ),
)
"""


def test_a_function_with_a_signature_needs_no_driver_and_serves_it(gpuplay: Gpuplay, tmp_path: Path) -> None:
    (tmp_path / "signed.py").write_text(SIGNED, encoding="utf-8")
    single = gpuplay("check", "./signed.py", "--dtype", "float32", folder=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert single.code == 0, single.out + single.err
    double = gpuplay("check", "./signed.py", "--dtype", "float64", folder=tmp_path, COLUMNS="400")
    assert double.code == 1
    assert "twice is launched with (array(float64, 1d, C), array(float64, 1d, C)), but its signature has" in double.out


def test_what_threads_print_is_shown_for_the_first_of_them(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "printing.py", "--sizes", "7,33", COLUMNS="400")
    assert done.code == 0, done.out + done.err
    [told] = [line for line in done.out.splitlines() if "prints" in line]
    assert "cuda:double: prints 14 lines: 'block 0 thread 0: element 0 False', " in told
    assert "'block 0 thread 2: element 2 True'" in told
    assert told.endswith(", …")
