"""The innermost loop of the matrix products is nothing but multiply-adds of whole vectors on registers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpuplay.machine import describe

PROOF = Path(__file__).parent / "proofs" / "micro_kernel.py"
HERE = describe.facts()
REGISTERS = {256: "y", 512: "z"}
TILES = {256: ((6, 2), (4, 3)), 512: ((6, 4), (8, 3))}
UNROLLED = 4

pytestmark = pytest.mark.skipif(HERE["vector"] not in ("AVX2", "AVX-512"), reason="the instructions are those of AVX")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("bits", "tile"), [(bits, tile) for bits, tiles in TILES.items() for tile in tiles])
def test_a_tile_stays_in_vector_registers(bits: int, tile: tuple[int, int], dtype: str, tmp_path: Path) -> None:
    if bits > HERE["vector_bits"]:
        pytest.skip(f"vectors here have {HERE['vector_bits']} bits")
    settings = {"GPUPLAY_VECTOR_BITS": str(bits), "NUMBA_CACHE_DIR": str(tmp_path)}
    words = [sys.executable, PROOF, *map(str, tile), dtype]
    done = subprocess.run(words, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found, "no loop multiplies"
    rows, vectors = tile
    largest = max(found, key=lambda loop: sum(loop["fma"].values()))
    assert largest["fma"] == {REGISTERS[bits]: UNROLLED * rows * vectors}
    assert all(loop["spilled"] == 0 for loop in found)
