"""Roofs: kept and found again, never trusted blindly, and of a sane size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Gpuplay
from places import PROOFS

from gpuplay import paths
from gpuplay.machine import describe, roofs

BOTH = {"one": 2e10, "all": 4e10}
SOUND: dict[str, Any] = {name: dict(BOTH) for name in roofs.HOST} | {"gpu": None}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(tmp_path / "kept"))


def test_what_is_saved_is_found_again_under_its_fingerprint() -> None:
    assert roofs.load("abc") is None
    roofs.save("abc", SOUND)
    assert roofs.load("abc") == SOUND
    assert roofs.load("another") is None
    assert [file.name for file in paths.cache_dir().iterdir()] == ["roofs-abc.json"]


def test_roofs_of_a_gpu_are_kept_too() -> None:
    gpu = {"name": "a GPU", "copy": 4e12, "fma_float32": 5e13, "fma_float64": 2.5e13}
    roofs.save("abc", SOUND | {"gpu": gpu})
    assert roofs.load("abc") == SOUND | {"gpu": gpu}


def record(**changes: Any) -> str:
    return json.dumps({"version": roofs.VERSION, "roofs": SOUND | changes})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "\x00\x01\x02"),
        json.dumps({"version": roofs.VERSION + 1, "roofs": SOUND}),
        json.dumps({"version": roofs.VERSION, "roofs": {}}),
        record(copy=None),
        record(read={"one": 1e10}),
        record(read={"one": 1e10, "all": 0}),
        record(read={"one": 1e10, "all": "fast"}),
        record(fma_float32={"one": float("nan"), "all": 1e11}),
        record(gpu={"copy": 4e12}),
        record(gpu=[]),
    ],
)
def test_a_damaged_or_foreign_file_counts_as_none(text: str) -> None:
    (paths.cache_dir() / "roofs-abc.json").write_text(text, encoding="utf-8")
    assert roofs.load("abc") is None


def test_a_folder_that_cannot_be_made_gives_way_to_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(paths.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = paths.cache_dir()
    assert folder.is_dir()
    assert folder.parent == tmp_path
    assert paths.cache_dir() == folder
    roofs.save("abc", SOUND)
    assert roofs.load("abc") == SOUND


def test_merging_keeps_the_higher_of_each_roof() -> None:
    fresh = SOUND | {"copy": {"one": 3e10, "all": 1e10}, "gpu": {"name": "a GPU"}}
    merged = roofs.merged(SOUND, fresh)
    assert merged == SOUND | {"copy": {"one": 3e10, "all": 4e10}, "gpu": {"name": "a GPU"}}
    assert roofs.merged(fresh, SOUND) == merged


def test_the_probes_find_rates_that_hardware_can_have(
    gpuplay: Gpuplay, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read what a command of this run of the tests measured and kept: the probes take seconds."""
    assert gpuplay("doctor").code == 0
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(cache))
    found = roofs.load(describe.fingerprint(describe.facts()))
    assert found is not None  # complete, finite, above zero
    for name in ("copy", "copy_streaming", "read"):
        assert 2e8 < found[name]["one"] < 2e12
        assert found[name]["all"] > 0.4 * found[name]["one"]
    for name in ("fma_float32", "fma_float64"):
        assert 1e9 < found[name]["one"] < 1e12
        assert found[name]["all"] > 0.4 * found[name]["one"]
    assert found["fma_float32"]["one"] == pytest.approx(2 * found["fma_float64"]["one"], rel=0.5)


def test_chains_of_multiply_adds_are_fused(tmp_path: Path) -> None:
    code = (
        "import numpy as np, numba\n"
        "from gpuplay.measure import probes as p\n"
        "chains, lanes, count = p.fma_chains, p.LANES32, p.CHAINS\n"
        "@numba.njit\n"
        "def f(seeds, turns): chains(seeds, turns, lanes, count)\n"
        "seeds = np.full(p.ROW * p.LANES32, 0.5, np.float32)\n"
        "f(seeds, 100)\n"
        "assert (seeds[: p.CHAINS * p.LANES32] == 1).all()\n"
        "asm = next(iter(f.inspect_asm().values()))\n"
        "print(asm.count('vfmadd'), p.CHAINS * p.STEPS, p.BITS)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    fused, wanted, bits = map(int, done.stdout.split())
    if bits < 256:
        pytest.skip("no fused multiply-add of x86 to look for")
    assert fused == wanted


SIMULATED = """
import numpy as np
from gpuplay.machine.model import GpuModel
from gpuplay.measure import gpu_probes
from simulated_gpu import SimulatorTarget

gpu_probes.ELEMENTS, gpu_probes.BLOCK, gpu_probes.BLOCKS_EACH, gpu_probes.TURNS = 64, 8, 1, 2
target = SimulatorTarget()
target.gpu = lambda: GpuModel(name="a model", multiprocessors=2)
target.seconds = lambda call, loops: (call(), 0.5 * loops)[1]

source, destination = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
target.bind(gpu_probes._by_threads(2), (destination, source))()
assert (source == destination).all()
values = np.full(16, np.nan, np.float32)
target.bind(gpu_probes._chains(2, "float32"), (values,))()
assert np.allclose(values, 8), values

fma = 2 * 8 * 16 * 2 * 16 / 0.5
assert gpu_probes.probe(target) == {
    "name": "a model", "copy": 8 * 64 / 0.5, "fma_float32": fma, "fma_float64": fma
}
"""

OFFLINE = """
from numba import cuda, types
from gpuplay.measure.gpu_probes import FMAS, fma_chains

for element, name in ((types.float32, "fma.rn.f32"), (types.float64, "fma.rn.f64")):
    signature = types.void(element[::1], element, element)
    ptx, _ = cuda.compile(fma_chains.py_func, signature, device=False, abi="numba", cc=(7, 5), output="ptx")
    assert ptx.count(name) == FMAS, ptx.count(name)

from gpuplay.targets.cuda.gpu_functions import sweep

ptx, _ = cuda.compile(sweep.py_func, types.void(types.float32[::1]), device=False, abi="numba", cc=(7, 5), output="ptx")
assert "ld.global" in ptx and "st.global" in ptx  # what flushes the cache is not left out for having no result
"""


@pytest.mark.parametrize(("code", "simulator"), [(SIMULATED, "1"), (OFFLINE, "0")], ids=["simulated", "compiled"])
def test_the_probes_of_a_gpu_do_the_work_they_count(code: str, simulator: str) -> None:
    pytest.importorskip("cuda.bindings", reason="needs the extra cuda")
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": simulator, "PYTHONPATH": str(PROOFS)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
