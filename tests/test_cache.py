"""Numba's disk cache: right after an edit, complete after two runs, and apart for every environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Gpuplay

HELPER = "from numba import njit\n\n@njit(cache=True)\ndef factor():\n    return {factor}\n"
KERNEL = """
from numba import njit
from helper import factor
from gpuplay.kernel import Kernel, Knob, Variant

def loop(problem, chunk):
    @njit(cache=True)
    def run(y, x):
        for start in range(0, x.size, chunk):
            for i in range(start, min(start + chunk, x.size)):
                y[i] = factor() * x[i]
    return run

KERNEL = Kernel(
    name="scaled", summary="y = 2·x", size="100",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n, dtype=p.dtype)},
    output=lambda p: p.n, reference=lambda p, x: 2 * x,
    variants=(
        Variant("cpu:scalar", "SISD", "a loop", loop, knobs={"chunk": Knob((16,))}),
        Variant("cpu:simd", "SIMD", "a loop", loop, knobs={"chunk": Knob((16,))}),
    ),
)
"""
WORDS = ("./scaled.py", "--baseline", "none", "--cell-time", "0.1s", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scaled.py").write_text(KERNEL)
    (tmp_path / "helper.py").write_text(HELPER.format(factor=2))
    return tmp_path


def cached(folder: Path) -> set[Path]:
    return set(folder.rglob("*.nb*"))


def test_an_edited_helper_changes_the_result(gpuplay: Gpuplay, folder: Path) -> None:
    assert gpuplay(*WORDS, folder=folder).code == 0
    (folder / "helper.py").write_text(HELPER.format(factor=3))
    done = gpuplay(*WORDS, folder=folder)
    assert done.code == 1
    assert done.cell("cpu:simd")["status"] == "wrong"


def test_a_third_run_finds_everything_compiled_and_adds_no_file(gpuplay: Gpuplay, folder: Path, tmp_path: Path) -> None:
    place = {"GPUPLAY_CACHE_DIR": str(tmp_path / "cache")}
    first = gpuplay(*WORDS, folder=folder, **place)
    assert first.cell("cpu:simd")["compile_cached"] is False
    gpuplay(*WORDS, folder=folder, **place)
    before = cached(tmp_path / "cache")
    third = gpuplay(*WORDS, folder=folder, **place)
    assert cached(tmp_path / "cache") == before
    assert before
    assert [third.cell(name)["compile_cached"] for name in ("cpu:scalar", "cpu:simd")] == [True, True]


def test_the_scalar_and_the_vector_code_of_one_source_are_cached_apart(
    gpuplay: Gpuplay, folder: Path, tmp_path: Path
) -> None:
    assert gpuplay(*WORDS, folder=folder, GPUPLAY_CACHE_DIR=str(tmp_path / "cache")).code == 0
    folders = {path.relative_to(tmp_path / "cache" / "numba").parts[1] for path in cached(tmp_path / "cache")}
    assert folders == {"ordinary", "sisd0"}
