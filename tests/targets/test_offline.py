"""CUDA variants compile without a GPU, from the oldest architecture to the newest, without float64 slips or spills."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import BUNDLED
from needs import compiles
from places import PLANTED, PROOFS
from product import only_in_all

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel

SEAM = PLANTED / "seam.py"
KERNELS = [*BUNDLED, str(SEAM)]
CAPABILITIES = {(7, 5), (8, 0), (9, 0)}
MOST_REGISTERS = 255
REGISTERS_OF_A_BLOCK = 65536  # on every GPU of capability 5.0 and later


pytestmark = compiles


def compiled(kernel, cwd, *words):
    """Records of every GPU function of a kernel, from a process that may import numba."""
    command = [sys.executable, str(PROOFS / "offline.py"), str(kernel), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def cell(record):
    return f"{record['variant']} {record['function']} {record['knobs']} {record['params']} {record['capability']}"


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """Records of all kernels, every variant compiled once, with dtypes and architectures in turn."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cwd = tmp_path_factory.mktemp("in-turn")
        return dict(zip(KERNELS, pool.map(lambda kernel: compiled(kernel, cwd, "--in-turn"), KERNELS), strict=True))


@pytest.fixture(scope="module")
def records_of(request, tmp_path_factory):
    """Gives all records of a kernel; all kernels that this run asks for are compiled side by side, once."""
    asked = [item.callspec.params.get("kernel") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cwd = tmp_path_factory.mktemp("offline")
        found = {kernel: pool.submit(compiled, kernel, cwd) for kernel in KERNELS if kernel in asked}
        yield lambda kernel: found[kernel].result()


def allocated(record):
    """Registers that a block takes: a warp's in units of 256 (CUDA occupancy calculator), so 8 a thread."""
    each = -(-record["resources"]["registers"] // 8) * 8
    return each * -(-record["threads"] // 32) * 32


def assert_sound(records):
    """One entry each, no float64 in float32, registers for a block of its size, nothing spilled with default knobs."""
    assert [cell(r) for r in records if r["entries"] != 1] == []
    slips = {
        cell(r): r["float64_lines"][:3] for r in records if r["float64_lines"] and r["params"]["dtype"] == "float32"
    }
    assert slips == {}
    for record in records:
        used = record["resources"]
        print(f"{cell(record)}: {used}")
        assert 0 < used["registers"] <= MOST_REGISTERS, cell(record)
        if record["default"]:
            spilled = used["spill_stores_bytes"] + used["spill_loads_bytes"] + used["stack_bytes"]
            assert spilled == 0, f"{cell(record)}: {used}"
    greedy = {
        cell(r): f"{r['threads']} threads of {r['resources']['registers']} registers"
        for r in records
        if allocated(r) > REGISTERS_OF_A_BLOCK
    }
    assert greedy == {}


def test_every_cuda_variant_compiles_offline_for_an_architecture_in_turn(in_turn):
    records = [record for found in in_turn.values() for record in found]
    assert {tuple(r["capability"]) for r in records} == CAPABILITIES
    assert {r["params"]["dtype"] for r in records} == {"float32", "float64"}
    for kernel in BUNDLED:
        names = {v.name for v in load_kernel(find_kernel(kernel)).kernel.variants if v.target == "cuda"}
        assert {r["variant"] for r in in_turn[kernel]} == names
    assert_sound(records)


@only_in_all
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: Path(kernel).stem)
def test_every_cuda_variant_compiles_offline(kernel, records_of):
    records = records_of(kernel)
    assert {tuple(r["capability"]) for r in records} == CAPABILITIES
    assert_sound(records)


def test_a_bare_float_literal_shows_as_float64(tmp_path):
    file = tmp_path / "slip.py"
    file.write_text(SEAM.read_text().replace("doubled(tile[here])", "doubled(tile[here]) * 1.1"))
    records = compiled(file, tmp_path)
    assert any(r["float64_lines"] for r in records if r["params"]["dtype"] == "float32")


def test_a_register_array_indexed_at_run_time_shows_as_stack(tmp_path):
    file = tmp_path / "stack.py"
    lines = "local = cuda.local.array(16, dtype)\n        local[here % 16] = x[0]\n        tile[here] = local[i % 16]\n"
    source = SEAM.read_text().replace("        cuda.syncthreads()\n", f"        {lines}        cuda.syncthreads()\n", 1)
    file.write_text(source)
    assert any(r["resources"]["stack_bytes"] > 0 for r in compiled(file, tmp_path))


def test_the_geometry_is_refused_as_on_a_device(tmp_path):
    file = tmp_path / "wide.py"
    file.write_text(SEAM.read_text().replace("blocks, (block,), y", "blocks, (block, block), y"))
    with pytest.raises(AssertionError, match="block 64×64 is 4096 threads; a block has at most 1024"):
        compiled(file, tmp_path)


def test_four_elements_are_loaded_and_stored_by_one_instruction(tmp_path):
    command = [sys.executable, str(PROOFS / "vectors.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    accesses = re.findall(r"\b((?:ld|st)\.[a-z.0-9]*)\s", done.stdout)
    wide = [access for access in accesses if ".v4." in access]
    assert sorted(access.partition(".v4")[0] for access in wide) == ["ld.global", "ld.shared", "st.global", "st.shared"]
    assert not [access for access in accesses if "global" in access and ".v4." not in access]
