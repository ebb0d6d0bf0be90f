"""What moves elements between lanes, at every width: strided loads, transposition, inner products of tiles."""

import json
import os
import subprocess
import sys

import pytest
from places import PROOFS
from product import some

PROOF = PROOFS / "lane_movements.py"
WIDTHS = (0, 128, 512)


@pytest.fixture(scope="module", params=some(WIDTHS, lambda bits: bits == 512))
def found(request, tmp_path_factory):
    given = {"GPUPLAY_VECTOR_BITS": str(request.param), "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("numba"))}
    done = subprocess.run([sys.executable, PROOF], check=False, env=os.environ | given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_movement_agrees_with_numpy_and_stays_inside_its_array(found, dtype):
    assert len(found[dtype]) == 10
    assert [name for name, right in found[dtype].items() if not right] == []


def test_a_shape_takes_fewer_rows_and_never_more(found):
    assert found["rows"] == [1, 3, 2]
