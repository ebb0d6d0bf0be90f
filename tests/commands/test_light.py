"""The main process stays light: help comes at once, and numba and numpy are left to the workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import BUNDLED, Gpuplay
from needs import needs_assembler
from places import PLANTED

from gpuplay.catalog.origin import kernels_dir

TRANSPOSES = str(PLANTED / "transposes.py")
WATCH = """
import sys
from gpuplay.cli import run
code = run({words!r})
heavy = [name for name in ("numba", "numpy", "llvmlite") if name in sys.modules]
print(f"imported {{heavy}}")
sys.exit(code)
"""
COMMANDS = {
    "help": ("--help",),
    "bare": (),
    "help of a kernel": ("matmul", "--help"),
    "list": ("list",),
    "doctor": ("doctor",),
    "plan of peers": ("peers", "--plan"),
    "plan": ("matmul", "--plan"),
    "sweep": ("matmul", "--sizes", "7,8", "--cell-time", "0.1s"),
    "explain": ("explain", TRANSPOSES, "--on", "cuda:tiled"),
    "explain a race": ("explain", TRANSPOSES, "--on", "cuda:racy"),
    "code": ("code", "matmul", "--on", "cuda:tiled", "--as", "sass"),
}
MARKS = {"code": needs_assembler}
CODES = {"explain a race": 1}


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """An installed package that offers a kernel under the entry point group, and fails when imported."""
    (tmp_path / "heavy_plugin.py").write_text("raise RuntimeError('imported')\n")
    info = tmp_path / "heavy_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gpuplay.kernels]\nheavy = heavy_plugin:KERNEL\n")
    return tmp_path


def test_every_folder_of_kernels_that_is_not_private_is_a_kernel() -> None:
    folders = {folder.name for folder in kernels_dir().iterdir() if (folder / "__init__.py").exists()}
    assert {*BUNDLED} == {name for name in folders if not name.startswith("_")} > set()


def test_help_names_all_kernels_and_plugins_and_imports_none(gpuplay: Gpuplay, plugin: Path) -> None:
    done = gpuplay("--help", PYTHONPATH=str(plugin))
    assert done.code == 0, done.err
    assert all(f" {name} " in done.out for name in [*BUNDLED, "heavy", "list", "new", "check", "doctor", "run"])
    assert done.seconds < 20


@pytest.mark.parametrize("what", [pytest.param(what, marks=MARKS.get(what, ())) for what in COMMANDS])
def test_the_main_process_imports_neither_numba_nor_numpy(what: str, plugin: Path, cache: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(plugin), "GPUPLAY_CACHE_DIR": str(cache)}
    script = WATCH.format(words=list(COMMANDS[what]))
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "imported []", done.stderr
    assert done.returncode == CODES.get(what, 0), done.stderr


def test_a_plugin_that_fails_names_its_file_and_line(gpuplay: Gpuplay, plugin: Path) -> None:
    done = gpuplay("heavy", "--plan", PYTHONPATH=str(plugin))
    assert done.code == 2
    assert "heavy_plugin.py:1: RuntimeError: imported" in done.err
    assert gpuplay("matmul", "--plan", PYTHONPATH=str(plugin)).code == 0
