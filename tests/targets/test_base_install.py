"""CUDA variants where numba-cuda is missing, as in the base install: numba's own copy types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import BUNDLED, Gpuplay
from product import some

BASE_INSTALL = """\
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numba_cuda", "cuda"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "NumbaCudaFinder"]
sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH: processes with it find neither numba-cuda nor NVIDIA's packages."""
    (tmp_path / "sitecustomize.py").write_text(BASE_INSTALL)
    return tmp_path


@pytest.mark.parametrize("kernel", some(BUNDLED, lambda kernel: kernel == "dense"))
def test_every_cuda_variant_is_right_on_the_lockstep_machine(gpuplay: Gpuplay, hidden: Path, kernel: str) -> None:
    done = gpuplay("check", kernel, "--on", "cuda", "--sizes", "7", "--dtype", "float32", PYTHONPATH=str(hidden))
    assert done.code == 0, done.out + done.err
    assert "on the lockstep machine" in done.out
