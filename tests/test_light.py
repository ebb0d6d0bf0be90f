"""The main process stays light: help comes at once, and numba and numpy are left to the workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import Gpuplay

from gpuplay.catalog.find import bundled_kernels

KERNELS = ["activation", "conv2d", "dense", "lstm", "matmul"]
WATCH = """
import sys
from gpuplay.cli import run
code = run({words!r})
heavy = [name for name in ("numba", "numpy", "llvmlite") if name in sys.modules]
sys.exit(f"imported {{heavy}}" if heavy else code)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """An installed package that offers a kernel under the entry point group, and fails when imported."""
    (tmp_path / "heavy_plugin.py").write_text("raise RuntimeError('imported')\n")
    info = tmp_path / "heavy_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gpuplay.kernels]\nheavy = heavy_plugin:KERNEL\n")
    return tmp_path


def test_the_five_kernels_are_there() -> None:
    assert [origin.name for origin in bundled_kernels()] == KERNELS


def test_help_names_all_kernels_and_plugins_and_imports_none(gpuplay: Gpuplay, plugin: Path) -> None:
    done = gpuplay("--help", PYTHONPATH=str(plugin))
    assert done.code == 0, done.err
    assert all(f" {name} " in done.out for name in [*KERNELS, "heavy", "list", "new", "check", "doctor", "run"])
    assert done.seconds < 3


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        [],
        ["matmul", "--help"],
        ["list"],
        ["peers", "--plan"],
        ["matmul", "--plan"],
        ["matmul", "--sizes", "7,8", "--cell-time", "0.1s"],
    ],
    ids=lambda words: "-".join(words) or "bare",
)
def test_the_main_process_imports_neither_numba_nor_numpy(words: list[str], plugin: Path, cache: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(plugin), "GPUPLAY_CACHE_DIR": str(cache)}
    script = WATCH.format(words=words)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_plugin_that_fails_names_its_file_and_line(gpuplay: Gpuplay, plugin: Path) -> None:
    done = gpuplay("heavy", "--plan", PYTHONPATH=str(plugin))
    assert done.code == 2
    assert "heavy_plugin.py:1: RuntimeError: imported" in done.err
    assert gpuplay("matmul", "--plan", PYTHONPATH=str(plugin)).code == 0
