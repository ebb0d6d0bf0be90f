"""Explicit vectors: every operation against NumPy at every width, nothing beyond an edge, clear refusals."""

import json
import os
import subprocess
import sys

import pytest
from places import PROOFS
from product import some

PROOF = PROOFS / "simd_operations.py"
WIDTHS = (0, 128, 512)


@pytest.fixture(scope="module", params=some(WIDTHS, lambda bits: bits == 512))
def found(request, tmp_path_factory):
    given = {"GPUPLAY_VECTOR_BITS": str(request.param), "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("numba"))}
    done = subprocess.run([sys.executable, PROOF], check=False, env=os.environ | given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"bits": request.param}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_every_operation_agrees_with_numpy_and_stays_inside_its_array(found, dtype):
    assert len(found[dtype]) >= 5
    assert [name for name, right in found[dtype].items() if not right] == []


def test_the_lanes_fill_the_width(found):
    assert found["float32 lanes"] == max(1, found["bits"] // 32)
    assert found["float64 lanes"] == max(1, found["bits"] // 64)


def test_an_array_with_gaps_is_refused_with_a_remedy(found):
    assert "a C-contiguous array" in found["strided"]
    assert "np.ascontiguousarray" in found["strided"]


def test_vectors_of_two_dtypes_do_not_mix(found):
    assert "Vector(float32" in found["two dtypes"]
    assert "Vector(float64" in found["two dtypes"]
