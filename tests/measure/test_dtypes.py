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
