"""SISD means SISD: the scalar variant's machine code has no packed arithmetic, its SIMD twin's has."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from command import BUNDLED
from places import PROOFS
from product import some

from gpuplay.workers.crew import ORDINARY, SISD, variables

PROOF = PROOFS / "machine_code.py"
SIZES = {"activation": 4096, "conv2d": 14}
X86 = platform.machine().lower() in ("x86_64", "amd64")

pytestmark = pytest.mark.skipif(not X86, reason="the instructions' names are those of x86-64")


def instructions(kernel: str, variant: str, environment: str, cache: Path) -> dict[str, int]:
    settings = variables(environment, cache, 1)
    words = [sys.executable, PROOF, kernel, variant, str(SIZES.get(kernel, 64))]
    done = subprocess.run(words, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


@pytest.mark.parametrize("kernel", BUNDLED)
def test_the_scalar_variant_has_no_packed_arithmetic(kernel: str, tmp_path: Path) -> None:
    scalar = instructions(kernel, "cpu:scalar", SISD, tmp_path)
    assert scalar["packed"] == 0
    assert scalar["scalar"] > 0


@pytest.mark.parametrize("kernel", some(BUNDLED, lambda kernel: kernel == "activation"))
def test_its_simd_twin_has_packed_arithmetic(kernel: str, tmp_path: Path) -> None:
    vector = instructions(kernel, "cpu:simd", ORDINARY, tmp_path)
    assert vector["functions"] >= 1
    assert vector["packed"] > 0
