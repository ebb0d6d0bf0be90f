"""Numba's disk cache: right after an edit, complete after two runs, and apart for every environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from command import Gpuplay, Outcome, copy_roofs

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.workers.crew import KEPT_CACHES, cache_folder

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
WORDS = ("./scaled.py", "--baseline", "none", "--cell-time", "0.05s", "--json")


@dataclass(frozen=True)
class Runs:
    """Three runs of one kernel with a cache of their own and the files in it after each, and a run after an edit."""

    cache: Path
    first: Outcome
    third: Outcome
    files: tuple[set[Path], ...]
    edited: Outcome


@pytest.fixture(scope="module")
def runs(gpuplay: Gpuplay, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder, own = tmp_path_factory.mktemp("kernel"), tmp_path_factory.mktemp("own")
    copy_roofs(cache, own)
    (folder / "scaled.py").write_text(KERNEL)
    (folder / "helper.py").write_text(HELPER.format(factor=2))

    def run() -> tuple[Outcome, set[Path]]:
        done = gpuplay(*WORDS, folder=folder, GPUPLAY_CACHE_DIR=str(own))
        return done, set(own.rglob("*.nb*"))

    (first, second, third), files = zip(*(run() for _ in range(3)), strict=True)
    assert second.code == 0, second.err
    (folder / "helper.py").write_text(HELPER.format(factor=3))
    return Runs(own, first, third, files, run()[0])


def test_an_edited_helper_changes_the_result(runs: Runs) -> None:
    assert runs.third.code == 0
    assert runs.edited.code == 1
    assert runs.edited.cell("cpu:simd")["status"] == "wrong"


def test_a_third_run_finds_everything_compiled_and_adds_no_file(runs: Runs) -> None:
    assert runs.first.cell("cpu:simd")["compile_cached"] is False
    _, before, after = runs.files
    assert after == before
    assert before
    assert [runs.third.cell(name)["compile_cached"] for name in ("cpu:scalar", "cpu:simd")] == [True, True]


def test_the_scalar_and_the_vector_code_of_one_source_are_cached_apart(runs: Runs) -> None:
    assert runs.first.code == 0
    folders = {path.relative_to(runs.cache / "numba-own").parts[1] for path in runs.files[0]}
    assert folders == {"ordinary", "sisd0"}


def test_a_file_that_is_edited_again_and_again_costs_the_bundled_kernels_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(tmp_path / "cache"))
    bundled = cache_folder(find_kernel("matmul"), "0" * 16)
    file = tmp_path / "mine.py"
    for number in range(2 * KEPT_CACHES):
        own = cache_folder(Origin("file", "mine", str(file)), f"{number:016x}")
    assert bundled.is_dir()
    assert len(list(own.parent.iterdir())) == KEPT_CACHES
