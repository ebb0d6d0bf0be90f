"""The innermost loop of the matrix products is nothing but multiply-adds of whole vectors on registers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROOFS
from product import crossed

from gpuplay.machine import describe

PROOF = PROOFS / "micro_kernel.py"
HERE = describe.facts()
REGISTERS = {256: "y", 512: "z"}
TILES = {256: ((6, 2), (4, 3)), 512: ((6, 4), (8, 3))}

pytestmark = pytest.mark.skipif(HERE["vector"] not in ("AVX2", "AVX-512"), reason="the instructions are those of AVX")


@pytest.mark.parametrize(
    ("shape", "dtype"),
    crossed([(bits, *tile) for bits, tiles in TILES.items() for tile in tiles], ("float32", "float64")),
)
def test_a_tile_stays_in_vector_registers(shape: tuple[int, int, int], dtype: str, tmp_path: Path) -> None:
    bits, rows, vectors = shape
    if bits > HERE["vector_bits"]:
        pytest.skip(f"vectors here have {HERE['vector_bits']} bits")
    settings = {"GPUPLAY_VECTOR_BITS": str(bits), "NUMBA_CACHE_DIR": str(tmp_path)}
    words = [sys.executable, PROOF, str(rows), str(vectors), dtype]
    done = subprocess.run(words, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found, "no loop multiplies"
    largest = max(found, key=lambda loop: sum(loop["fma"].values()))
    assert [*largest["fma"]] == [REGISTERS[bits]]
    assert largest["fma"][REGISTERS[bits]] % (rows * vectors) == 0
    assert all(loop["spilled"] == 0 for loop in found)
