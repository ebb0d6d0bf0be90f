"""What was compiled for a GPU is found again: the disk cache's key of every function is the same in every process."""

import importlib.metadata
import json
import subprocess
import sys

import pytest
from places import PROOFS

PROOF = PROOFS / "cache_keys.py"


def keys():
    done = subprocess.run([sys.executable, PROOF], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_a_second_process_finds_what_the_first_compiled():
    try:
        importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("numba-cuda is not installed; pip install 'gpuplay[cuda]'")
    first, second = keys(), keys()
    assert len(first) > 30
    assert {name: key for name, key in first.items() if second[name] != key} == {}
