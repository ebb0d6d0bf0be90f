"""The CUDA ladder of lstm: what each rung moves, the code of the top rungs, and every shape of a block."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
from product import crossed, some
from proofs.front_end import gpu_functions

from gpuplay.analysis.machine_code import sass
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.kernel import Problem
from gpuplay.lockstep.record import Counts, Report
from gpuplay.machine.model import GpuModel, Machine, model_of
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

LOADED = load_kernel(find_kernel("lstm"))
TOP = ("registers", "hoisted", "persistent")
SHAPES = 4
N, BATCH, STEPS = 64, 128, 2


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module whose tables say which shape of a block serves a problem."""
    return importlib.import_module(f"{LOADED.package}.cuda.shapes")


def cell_of(name: str, problem: Problem) -> Cell:
    variant = LOADED.kernel.variant(f"cuda:{name}")
    return Cell("lstm", problem.n, problem.params, variant.name, tuple(variant.default_knobs.items()))


def run(name: str, n: int = N, batch: int = BATCH, steps: int = STEPS) -> Report:
    """What the lockstep machine saw of a variant that was right."""
    target = LockstepTarget()
    problem = LOADED.kernel.problem(n, batch=batch, steps=steps)
    built = build(LOADED, (cell := cell_of(name, problem)), problem_data(LOADED, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == ""
    assert target.report.faults == ()
    return target.report


def floats(counts: Counts) -> int:
    """Float32 numbers that threads asked of global memory, both ways."""
    return (counts.global_loads.bytes_asked + counts.global_stores.bytes_asked) // 4


def shape_of(shapes: ModuleType, rows: int, units: int) -> tuple[int, int]:
    """Rows of the batch and units of the block that serves so many of them."""
    chosen = shapes.shape_for(units, rows)
    return chosen.rows, chosen.units


def tiles(products: int, rows: int, tile_rows: int, tile_units: int) -> int:
    """Floats of vectors and of weights for so many products with 4n×n weights, each read once a tile."""
    return products * (rows * N * N // tile_units + 4 * N * N * rows // tile_rows)


def expected(name: str, shapes: ModuleType) -> int:
    """Floats that a rung moves, as its docstring says."""
    pairs = BATCH * N
    biases, kept = 8 * pairs, 4 * pairs
    by_tile = tiles(2, BATCH, 16, 16) + biases
    step = shape_of(shapes, BATCH, N)
    inputs = tiles(1, STEPS * BATCH, *shape_of(shapes, STEPS * BATCH, N)) + STEPS * (biases + kept)
    resident = shapes.residence(N, BATCH, GpuModel())
    return {
        "unfused": STEPS * (16 * N * pairs + biases + kept + 16 * pairs),
        "stacked": STEPS * (by_tile + kept + 16 * pairs),
        "pointwise": STEPS * (by_tile + kept + 7 * pairs),
        "fused": STEPS * (by_tile + 3 * pairs),
        "registers": STEPS * (tiles(2, BATCH, *step) + biases + 3 * pairs),
        "hoisted": inputs + STEPS * (tiles(1, BATCH, *step) + 7 * pairs),
        "persistent": inputs + STEPS * (pairs * N // 8 + 5 * pairs) + resident.down * 4 * N * N + 2 * pairs,
    }[name]


@pytest.mark.parametrize("name", ["unfused", "stacked", "pointwise", "fused", *TOP])
def test_a_rung_moves_the_floats_that_its_docstring_says(name: str, shapes: ModuleType) -> None:
    assert floats(run(name).total) == expected(name, shapes)


@pytest.mark.parametrize(("name", "each"), [("stacked", 16), ("pointwise", 7)])
def test_one_pointwise_launch_moves_7_floats_an_element_where_separate_ones_move_16(name: str, each: int) -> None:
    lines = run(name).lines
    moved = sum(floats(counts) for place, counts in lines if place.file.endswith("pointwise.py"))
    assert moved == STEPS * BATCH * N * each


def assert_no_waste(total: Counts) -> None:
    assert total.shared_loads.wavefronts == total.shared_loads.ideal_wavefronts > 0
    assert total.shared_stores.wavefronts == total.shared_stores.ideal_wavefronts > 0
    assert total.global_loads.sectors == total.global_loads.ideal_sectors > 0
    assert total.global_stores.sectors == total.global_stores.ideal_sectors > 0


@pytest.mark.parametrize("shape", some(range(SHAPES), lambda shape: shape in (0, SHAPES - 1)))
def test_a_block_of_any_shape_wastes_no_sector_and_meets_no_bank_twice(
    shape: int, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "SHAPES", shapes.SHAPES[shape : shape + 1])
    monkeypatch.setattr(shapes, "RESIDENT_SHAPES", shapes.RESIDENT_SHAPES[shape : shape + 1])
    assert_no_waste(run("hoisted").total)
    assert_no_waste(run("persistent").total)


@pytest.mark.parametrize(("shape", "name", "n"), crossed(range(SHAPES), TOP, (33, 36)))
def test_a_block_of_any_shape_is_right_at_edges(
    shape: int, name: str, n: int, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "SHAPES", shapes.SHAPES[shape : shape + 1])
    monkeypatch.setattr(shapes, "RESIDENT_SHAPES", shapes.RESIDENT_SHAPES[shape : shape + 1])
    run(name, n, 129)


def test_a_block_serves_several_tiles_where_the_gpu_holds_fewer_than_there_are(
    shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "RESIDENT_SHAPES", shapes.RESIDENT_SHAPES[:1])
    batch = 32 * 27 + 1
    assert shapes.residence(33, batch, GpuModel()).turns == 2
    run("persistent", 33, batch)


def test_every_shape_fits_the_shared_memory_of_every_gpu_with_asynchronous_copies(shapes: ModuleType) -> None:
    for shape in shapes.SHAPES:
        assert shape.shared_bytes <= model_of((8, 6)).shared_bytes_opt_in


@pytest.mark.parametrize(
    ("n", "batch", "capability", "reason"),
    [
        (1024, 256, (9, 0), ""),
        (512, 64, (8, 0), ""),
        (
            1024,
            256,
            (8, 0),
            "n 1024: 128 blocks of 8 units would have to be on the GPU at once, one on each of its 108",
        ),
        (1056, 64, (9, 0), ""),
        (1057, 64, (9, 0), "n 1057: 133 blocks of 8 units would have to be on the GPU at once, one on each of its 132"),
        (640, 64, (8, 6), "n 640, batch 64: the recurrent weights of 8 units with states and sums take"),
        (64, 64, (7, 5), "asynchronous copies need compute capability 8.0"),
    ],
)
def test_persistent_says_where_a_layer_does_not_fit(
    n: int, batch: int, capability: tuple[int, int], reason: str
) -> None:
    variant, problem = LOADED.kernel.variant("cuda:persistent"), LOADED.kernel.problem(n, batch=batch)
    said = LOADED.call(variant.applies, problem, {}, Machine(gpu=model_of(capability)))
    assert said.startswith(reason) if reason else said is None


LAYERS = ((512, 64, (8, 0)), (512, 64, (9, 0)), (1024, 256, (9, 0)))


@pytest.mark.parametrize(("name", "layer"), crossed(TOP, LAYERS))
def test_top_rungs_multiply_in_registers(name: str, layer: tuple[int, int, tuple[int, int]]) -> None:
    n, batch, capability = layer
    pytest.importorskip("numba_cuda", reason="pip install 'gpuplay[cuda]'")
    cell = cell_of(name, LOADED.kernel.problem(n, batch=batch))
    functions = gpu_functions(LOADED, cell, capability)
    assert len(functions) == (1 if name == "registers" else 2)
    for function in functions:
        used = function.resources
        assert used is not None
        assert used.spill_stores_bytes + used.spill_loads_bytes + used.local_bytes == 0, function.name
        assert used.registers * function.threads <= 65536
        loop = sass.read(function.sass).mix
        assert loop.share("FFMA") >= 0.8, (function.name, loop)
        assert dict(loop.kinds)["LDS.128"] >= 12
        assert "LDS" not in dict(loop.kinds)
        assert "LDGSTS.E.BYPASS.128" in function.sass


@pytest.mark.parametrize("capability", some([(8, 0), (9, 0)], lambda capability: capability == (9, 0)))
def test_the_pointwise_launch_moves_128_bits_at_a_time(capability: tuple[int, int]) -> None:
    pytest.importorskip("numba_cuda", reason="pip install 'gpuplay[cuda]'")
    cell = cell_of("pointwise", LOADED.kernel.problem(512, batch=64))
    code = gpu_functions(LOADED, cell, capability)[1]
    accesses = dict(sass.mix(sass.parse(code.sass)).kinds)
    assert (accesses["LDG.128"], accesses["STG.128"]) == (6, 2)  # the cell state comes from c0 or c
    assert "LDG" not in accesses
    assert "STG" not in accesses
    assert "local" not in accesses
