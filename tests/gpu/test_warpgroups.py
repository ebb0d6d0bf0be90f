"""The rungs of matmul for capability 9.0: right on the lockstep machine, and their machine code, without a GPU."""

import dataclasses
import re

import pytest
from needs import compiles
from product import crossed

from gpuplay.catalog.find import bundled_kernels
from gpuplay.catalog.load import load_kernel
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins import offline
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

MATMUL = load_kernel(next(origin for origin in bundled_kernels() if origin.name == "matmul"))
WGMMA = MATMUL.kernel.variant("cuda:wgmma")


def multiplied(name, n, multiprocessors, **params):
    """The report of a product by a variant on a GPU of so many multiprocessors, verified."""
    target = LockstepTarget(check_types=True)
    target.gpu = lambda: GpuModel(multiprocessors=multiprocessors)
    problem = MATMUL.kernel.problem(n, **params)
    cell = Cell("matmul", n, problem.params, name, (("columns", 128),))
    built = build(MATMUL, cell, problem_data(MATMUL, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == ""
    assert target.report.faults == ()
    return target.report


@pytest.mark.parametrize("name", ["cuda:wgmma_tf32", "cuda:wgmma", "cuda:clusters"])
def test_a_block_that_takes_several_tiles_keeps_its_ring_in_step(name):
    multiplied(name, 200, 2, m=300, k=328)


@pytest.mark.parametrize(("name", "rows"), [("cuda:wgmma", 128), ("cuda:clusters", 256)])
def test_a_launch_on_warpgroups_moves_what_its_docstring_says(name, rows):
    m, n, k = 512, 384, 192
    total = multiplied(name, n, 4, m=m, k=k).total
    assert total.global_loads.bytes_moved == 2 * (n // 128 * m * k + m // rows * k * n)
    assert total.global_loads.sectors == total.global_loads.ideal_sectors
    assert total.global_stores.bytes_moved == 4 * m * n
    assert total.global_stores.sectors == total.global_stores.ideal_sectors
    assert total.float32 == 2 * m * n * k
    assert total.shared_loads.requests == 0


@pytest.mark.parametrize("capability", [(7, 5), (8, 9), (12, 0)], ids=str)
def test_warpgroups_are_of_capability_9_alone(capability):
    gpu = dataclasses.replace(GpuModel(), capability=capability)
    reason = MATMUL.call(WGMMA.applies, MATMUL.kernel.problem(64), {"columns": 256}, Machine(gpu=gpu))
    assert reason == f"wgmma is of compute capability 9.0 alone (sm_90a); this GPU has {capability[0]}.{capability[1]}"


@pytest.mark.parametrize("columns", [100, 64, 192], ids=str)
def test_a_tile_that_warpgroups_do_not_divide_evenly_is_refused(columns):
    reason = MATMUL.call(WGMMA.applies, MATMUL.kernel.problem(64), {"columns": columns}, Machine())
    assert reason == f"columns {columns}: warpgroups divide a tile evenly with 256 or 128 only"


def compiled(name, n, columns):
    """What a variant launches for a product of n×n matrices, compiled for capability 9.0."""
    variant, problem = MATMUL.kernel.variant(name), MATMUL.kernel.problem(n)
    declared = [variant.stored(array, "float32") for array in MATMUL.call(MATMUL.kernel.arrays, problem)]
    spaces = MATMUL.call(variant.workspace, problem, {"columns": columns})
    arrays = [offline.hollow(array.shape, array.dtype or "float32") for array in (*declared, *spaces)]
    return offline.inspect(MATMUL.call(variant.build, problem, columns=columns), arrays, (9, 0))


@compiles
@pytest.mark.parametrize(("name", "columns"), crossed(("cuda:wgmma_tf32", "cuda:wgmma", "cuda:clusters"), (128, 256)))
def test_the_products_of_a_warpgroup_stay_in_registers_and_follow_each_other(name, columns):
    *_, found = compiled(name, 1024, columns)
    code, sass = found.code, found.code.sass
    assert code.spill_stores_bytes + code.spill_loads_bytes + code.stack_bytes == 0
    assert code.registers <= 168  # what three warpgroups leave to a thread
    assert not re.search(r"\b(STL|LDL)\b", sass)
    shape = "8.F32.TF32" if name == "cuda:wgmma_tf32" else "16.F32.BF16"
    assert sass.count(f"HGMMA.64x{columns}x{shape}") == 4
    assert re.search(r"UTMALDG\.2D ", sass)
    assert ("UTMALDG.2D.MULTICAST" in sass) == (name == "cuda:clusters")
    assert (".reqnctapercluster 2, 1, 1" in found.ptx) == (name == "cuda:clusters")
    assert len(re.findall(r"\bSTG\.E\.128\b", sass)) == columns // 8
    loop = sass[sass.index("WARPGROUP.ARRIVE") : sass.index("WARPGROUP.DEPBAR")]
    assert loop.count("HGMMA") == 4
