"""Arrays may be of any dtype that NumPy and Numba share: held, guarded, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Gpuplay
from places import PLANTED

from gpuplay.precision import ITEMSIZE


@pytest.mark.product
def test_every_dtype_is_carried_and_every_wrong_element_of_it_found(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "dtypes.py", COLUMNS="300")
    assert done.code == 1
    problems = 7 + 2 * (len(ITEMSIZE) - 1)
    rows = {line.split()[0]: line.split() for line in done.out.splitlines() if line.startswith("  ") and " of " in line}
    for variant in ("numpy:copy", "python:loop", "cuda:copy"):
        assert rows[variant][1:4] == [str(problems), "of", str(problems)]
    assert rows["cpu:loop"][1:4] == [str(problems - 7), "of", str(problems - 7)]  # Numba has no float16 on the CPU
    assert rows["numpy:last_off"][1:4] == ["0", "of", str(problems)]


def test_a_dtype_that_there_is_not_is_named_with_those_that_there_are(gpuplay: Gpuplay, tmp_path: Path) -> None:
    text = (PLANTED / "dtypes.py").read_text(encoding="utf-8").replace('"in", p.of', '"in", "float8"')
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    done = gpuplay("check", "./mine.py", folder=tmp_path)
    assert done.code == 2
    assert "array x: dtype 'float8' is none of float16, float32" in done.err


WRAPPED = """
import numpy as np

from gpuplay.kernel import Array, Kernel, Variant


def lowered(p):
    def run(y, x):
        np.subtract(x, x.dtype.type(1), out=y)

    return run


KERNEL = Kernel(
    name="wrapped", summary="y = x - 1", size="64",
    inputs=lambda p, rng: {"x": np.zeros(p.n, DTYPE)},
    arrays=lambda p: (Array("y", (p.n,), "out", DTYPE), Array("x", (p.n,), "in", DTYPE)),
    reference=lambda p, x: x.astype(np.int64) - 1, dtypes=("float32",),
    variants=(Variant("numpy:lowered", "library", "below 0 comes round to the top", lowered),),
)
"""


@pytest.mark.parametrize("dtype", ["uint8", "uint64"])
def test_a_number_that_came_round_is_not_the_one_that_was_expected(
    gpuplay: Gpuplay, tmp_path: Path, dtype: str
) -> None:
    (tmp_path / "wrapped.py").write_text(WRAPPED.replace("DTYPE", f'"{dtype}"'), encoding="utf-8")
    done = gpuplay("check", "./wrapped.py", "--sizes", "7", folder=tmp_path)
    assert done.code == 1, done.out
    assert f"is {2 ** (8 if dtype == 'uint8' else 64) - 1}, expected -1" in done.out
