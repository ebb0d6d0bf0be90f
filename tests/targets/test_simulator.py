"""A cross-check of the lockstep machine: CUDA variants are right on Numba's simulator, too, at a small size."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from command import BUNDLED
from places import PLANTED, PROOFS
from product import some

SEAM = PLANTED / "seam.py"
SIZE = "7"  # a GPU thread is an operating-system thread there


def simulated(kernel, sizes, cwd):
    """Records of every cell of a kernel, from a process whose Numba simulates CUDA."""
    command = [sys.executable, str(PROOFS / "simulator.py"), str(kernel), sizes]
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def records_of(request, tmp_path_factory):
    """Gives the records of a kernel; all kernels that this run asks for are simulated side by side, once."""
    asked = [item.callspec.params.get("kernel") for item in request.session.items if hasattr(item, "callspec")]
    asked.append("matmul")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cwd = tmp_path_factory.mktemp("simulator")
        found = {kernel: pool.submit(simulated, kernel, SIZE, cwd) for kernel in BUNDLED if kernel in asked}
        yield lambda kernel: found[kernel].result()


@pytest.mark.parametrize("kernel", some(BUNDLED, lambda kernel: kernel == "matmul"))
def test_every_cuda_variant_is_right_on_the_simulator(kernel, records_of):
    records = records_of(kernel)
    assert {r["n"] for r in records} == {int(SIZE)}
    assert [r for r in records if r["wrong"]] == []


def test_a_variant_beyond_the_simulator_says_what_it_uses(records_of):
    beyond = {r["variant"]: r["beyond"] for r in records_of("matmul") if "beyond" in r}
    assert beyond["cuda:column"] == "multiply_columns uses literal_unroll, which Numba's simulator does not know"
    assert not {"cuda:naive", "cuda:coalesced", "cuda:tiled"} & set(beyond)


def test_the_seam_serves_all_that_a_run_asks_of_it(tmp_path):
    records = simulated(SEAM, "7,65", tmp_path)
    assert {r["params"]["dtype"] for r in records} == {"float32", "float64"}
    assert [r for r in records if r["wrong"]] == []


def test_a_wrong_variant_is_found(tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(SEAM.read_text().replace("doubled(tile[here])", "doubled(tile[here]) * 1.5"))
    assert all("expected" in r["wrong"] for r in simulated(file, "7", tmp_path))


def test_a_write_behind_the_end_is_found(tmp_path):
    file = tmp_path / "stray.py"
    source = SEAM.read_text().replace(
        "if i < y.size:\n            y[i] = spare", "if i >= 0:\n            y[i] = spare"
    )
    file.write_text(source.replace("+ ones[i]", "+ ones[0]"))
    with pytest.raises(AssertionError, match="out of bounds for axis 0 with size 7"):
        simulated(file, "7", tmp_path)


@pytest.mark.parametrize(("words", "shared"), [((), True), (("unguarded",), False)], ids=["guarded", "unguarded"])
def test_threads_that_meet_while_their_array_is_made_share_it(words, shared, tmp_path):
    command = [sys.executable, str(PROOFS / "simulated_sharing.py"), *words]
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60, check=True
    )
    assert (json.loads(done.stdout) == [3, 2, 1, 0]) is shared
