"""The CUDA ladder of conv2d: right for every kind of convolution, what each rung moves, the code of the top rungs."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
from product import crossed
from proofs.front_end import gpu_functions

from gpuplay.analysis.machine_code import sass
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.lockstep.record import Counts
from gpuplay.machine.model import Machine, model_of
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

LOADED = load_kernel(find_kernel("conv2d"))
TOP = ("implicit", "pipelined", "tf32", "winograd")
FLOAT = 4


@pytest.fixture
def sizes() -> ModuleType:
    """The module that chooses the tile of a block."""
    return importlib.import_module(f"{LOADED.package}.cuda.sizes")


def cell_of(name: str, n: int, **params: Any) -> Cell:
    variant, problem = LOADED.kernel.variant(f"cuda:{name}"), LOADED.kernel.problem(n, **params)
    return Cell("conv2d", n, problem.params, variant.name, tuple(variant.default_knobs.items()))


def counted(name: str, n: int, **params: Any) -> Counts:
    """What the lockstep machine counts for a variant whose result is right."""
    target, cell = LockstepTarget(), cell_of(name, n, **params)
    built = build(LOADED, cell, problem_data(LOADED, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == ""
    assert target.report.faults == ()
    return target.report.total


# --- right ---


KINDS: dict[str, tuple[int, dict[str, int]]] = {
    "7×7 /2": (15, {"kernel_size": 7, "stride": 2, "padding": 3, "channels": 3, "filters": 65}),
    "one pixel an image": (5, {"kernel_size": 5, "stride": 5, "padding": 0, "channels": 1, "filters": 2, "batch": 9}),
    "1×1 /3": (8, {"kernel_size": 1, "stride": 3, "padding": 1, "channels": 13, "filters": 130}),
    "mostly padding": (3, {"kernel_size": 4, "padding": 4, "channels": 8, "filters": 1}),
}


@pytest.mark.parametrize(("kind", "name"), crossed(KINDS, ["implicit", "pipelined", "tf32"]))
def test_a_product_of_patches_is_right_for_any_filter_stride_and_padding(kind: str, name: str) -> None:
    n, params = KINDS[kind]
    counted(name, n, **{"batch": 2, **params})


@pytest.mark.parametrize(("tile", "name"), crossed(range(3), ["pipelined", "winograd"]))
def test_a_block_of_any_tile_is_right_at_edges(
    tile: int, name: str, sizes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "TILINGS", sizes.TILINGS[tile : tile + 1])
    counted(name, 11, batch=3, channels=6, filters=130)


@pytest.mark.parametrize("tile", range(2), ids=["wide", "narrow"])
def test_matrix_units_are_right_with_warps_of_either_width(
    tile: int, sizes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = importlib.import_module(f"{LOADED.package}.cuda.matrix_units")
    monkeypatch.setattr(units, "MATRIX_TILES", sizes.MATRIX_TILES[tile : tile + 1])
    counted("tf32", 11, batch=3, channels=6, filters=130)


@pytest.mark.parametrize(("n", "padding"), [(3, 0), (4, 2), (6, 1), (8, 1), (9, 2)])
def test_winograd_is_right_where_tiles_hang_over_the_edges(n: int, padding: int) -> None:
    counted("winograd", n, padding=padding, batch=1, channels=2, filters=3)


# --- what it moves: 16×16 outputs of 64 filters, from 8 channels, nothing padded ---

WHOLE = {"n": 18, "padding": 0, "batch": 1, "channels": 8, "filters": 64}
IMAGE, OUTPUTS, TAPS = 8 * 18 * 18, 64 * 256, 72
TILES, ELEMENTS = 16, 36


@pytest.mark.parametrize(
    ("name", "loads", "stores"),
    [
        ("naive", 2 * TAPS * OUTPUTS, OUTPUTS),
        ("tiled", 16 * (IMAGE + 8 * 4 * 9), OUTPUTS),
        ("implicit", 2 * TAPS * (64 + 128), OUTPUTS),
        ("pipelined", 4 * TAPS * (64 + 64), OUTPUTS),
        ("tf32", 2 * TAPS * (64 + 128), OUTPUTS),
        (
            "winograd",
            ELEMENTS * (8 * TILES + 8 * (64 + TILES) + 64 * TILES),
            ELEMENTS * (8 * TILES + 64 * TILES) + OUTPUTS,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rung_moves_the_floats_that_its_docstring_says(name: str, loads: int, stores: int) -> None:
    total = counted(name, **WHOLE)
    assert total.global_loads.bytes_asked == FLOAT * loads
    assert total.global_stores.bytes_asked == FLOAT * stores


@pytest.mark.parametrize("name", TOP)
def test_the_top_rungs_meet_no_bank_twice(name: str) -> None:
    total = counted(name, **WHOLE)
    assert total.shared_loads.wavefronts == total.shared_loads.ideal_wavefronts > 0
    assert total.shared_stores.wavefronts == total.shared_stores.ideal_wavefronts > 0


@pytest.mark.parametrize("name", ["implicit", "pipelined", "tf32"])
def test_a_product_of_pixels_without_neighbours_wastes_no_sector(name: str) -> None:
    total = counted(name, 16, kernel_size=1, padding=0, batch=2, channels=16, filters=64)
    for traffic in (total.global_loads, total.global_stores):
        assert traffic.sectors == traffic.ideal_sectors > 0


def test_winograd_wastes_no_sector_where_rows_are_whole_sectors() -> None:
    total = counted("winograd", 40, batch=2, channels=8, filters=24)
    for traffic in (total.global_loads, total.global_stores):
        assert traffic.sectors == traffic.ideal_sectors > 0


# --- where it serves ---


@pytest.mark.parametrize(
    ("name", "params", "capability", "reason"),
    [
        ("implicit", {}, (7, 5), ""),
        ("pipelined", {}, (8, 0), ""),
        ("pipelined", {}, (7, 5), "asynchronous copies need compute capability 8.0"),
        ("tf32", {}, (8, 6), ""),
        ("winograd", {"kernel_size": 5}, (9, 0), "kernel_size 5: its transforms are those of 3×3 filters"),
        ("winograd", {"stride": 2}, (9, 0), "stride 2: its transforms are those of stride 1"),
        ("winograd", {"padding": 3}, (9, 0), "padding 3: a patch of zeros alone has an output of 0"),
        ("winograd", {"batch": 2**16, "channels": 512}, (9, 0), "an array of "),
        ("implicit", {"dtype": "float64"}, (9, 0), "float32 only"),
    ],
)
def test_a_rung_says_where_it_does_not_serve(
    name: str, params: dict[str, Any], capability: tuple[int, int], reason: str
) -> None:
    variant, problem = LOADED.kernel.variant(f"cuda:{name}"), LOADED.kernel.problem(56, **params)
    said = LOADED.call(variant.applies, problem, variant.default_knobs, Machine(gpu=model_of(capability)))
    assert said.startswith(reason) if reason else said is None


@pytest.mark.parametrize(
    ("name", "knobs", "reason"),
    [
        ("naive", {"block": 2048}, "block 2048: the limit is 1024 threads a block"),
        ("pipelined", {"tile_filters": 32}, "tile_filters 32: the smallest tile has 64 filters"),
        ("winograd", {"tile_filters": 32}, "tile_filters 32: the smallest tile has 64 filters"),
    ],
    ids=["naive", "pipelined", "winograd"],
)
def test_a_knob_that_no_block_serves_is_refused(name: str, knobs: dict[str, int], reason: str) -> None:
    variant = LOADED.kernel.variant(f"cuda:{name}")
    assert LOADED.call(variant.applies, LOADED.kernel.problem(56), knobs, Machine()) == reason


@pytest.mark.parametrize(
    ("filters", "pixels", "tile"),
    [(64, 100_352, "MEDIUM"), (256, 100_352, "LARGE"), (64, 392, "SMALL"), (128, 25_088, "MEDIUM")],
)
def test_the_tile_of_a_block_follows_the_problem(sizes: ModuleType, filters: int, pixels: int, tile: str) -> None:
    assert sizes.tiling_for(filters, pixels, 1, sizes.TILINGS, 132) == getattr(sizes, tile)


# --- its code ---


CAPABILITIES = ((8, 0), (9, 0))
SHARES: dict[tuple[str, int], float] = {
    ("implicit", 64): 0.8,
    ("pipelined", 64): 0.78,
    ("pipelined", 256): 0.82,
    ("winograd", 64): 0.84,
}


@pytest.mark.parametrize(("rung", "capability"), crossed(SHARES, CAPABILITIES))
def test_top_rungs_multiply_in_registers(rung: tuple[str, int], capability: tuple[int, int]) -> None:
    pytest.importorskip("numba_cuda", reason="pip install 'gpuplay[cuda]'")
    name, filters = rung
    cell = cell_of(name, 56, batch=32, channels=64, filters=filters)
    functions = gpu_functions(LOADED, cell, capability)
    for function in functions:
        used = function.resources
        assert used is not None
        assert used.spill_stores_bytes + used.spill_loads_bytes + used.local_bytes == 0, function.name
        assert used.registers <= 128
    product = functions[len(functions) // 2]
    loop = sass.read(product.sass).mix
    assert loop.share("FFMA") >= SHARES[rung], loop
    assert dict(loop.kinds)["LDS.128"] >= 32
    assert ("LDGSTS" in product.sass) == (name != "implicit")


@pytest.mark.parametrize(("filters", "capability"), crossed((64, 256), CAPABILITIES))
def test_matrix_units_multiply_what_lies_in_registers(filters: int, capability: tuple[int, int]) -> None:
    pytest.importorskip("numba_cuda", reason="pip install 'gpuplay[cuda]'")
    cell = cell_of("tf32", 56, batch=32, channels=64, filters=filters)
    (function,) = gpu_functions(LOADED, cell, capability)
    used = function.resources
    assert used is not None
    assert used.spill_stores_bytes + used.spill_loads_bytes + used.local_bytes == 0
    kinds = dict(sass.read(function.sass).mix.kinds)
    assert kinds["HMMA"] == (64 if filters == 64 else 128)
    assert kinds["LDSM"] == 16
