"""The float32 ladder of matmul on CUDA: what each rung moves, what the top rungs compile to, and their edges."""

from __future__ import annotations

import numpy as np
import pytest
from needs import compiles
from product import crossed, some
from proofs.front_end import gpu_functions

from gpuplay.analysis.machine_code import sass
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.kernel import Problem
from gpuplay.lockstep.record import Counts
from gpuplay.machine.model import GpuModel, Machine, model_of
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins.lockstep import LockstepTarget
from gpuplay.targets.stand_ins.offline import OfflineGpu

LOADED = load_kernel(find_kernel("matmul"))
SHAPE = {"m": 128, "k": 64}  # all tiles divide it
N = 256
TILE = 16
# Bytes of loads for each of m·n·k, and of stores for each of m·n; s is the bytes of an element: as the docstrings say.
CLAIMS = {
    "naive": (lambda s: 33, lambda s: 32),
    "coalesced": (lambda s: 1 + s, lambda s: s),
    "tiled": (lambda s: 2 * s / TILE, lambda s: s),
    "column": (lambda s: s / 32, lambda s: s),
    "register": (lambda s: s / 64, lambda s: 32),
    "vectorised": (lambda s: s / 64, lambda s: s),
    "pipelined": (lambda s: s / 64, lambda s: s),
    "warps": (lambda s: s / 64, lambda s: s),
}
FLOAT64 = ("naive", "coalesced", "tiled", "column", "register")
REGISTER_RUNGS = ("register", "vectorised", "pipelined", "warps")
WIDE_RUNGS = REGISTER_RUNGS[1:]
LARGE = 2048  # tiles of 128×128 keep 132 multiprocessors busy with so many rows
AWKWARD = ((1, 1, 1), (129, 7, 130), (127, 129, 33), (257, 132, 64), (33, 260, 9))
CAPABILITIES = ((8, 0), (9, 0))
NEWEST_FIRST = CAPABILITIES[::-1]  # so that the rungs of 128 bits meet the same ones in both tests of their code


class SmallGpu(LockstepTarget):
    """A GPU of one multiprocessor, which no tile is too large for."""

    def gpu(self) -> GpuModel:
        return GpuModel(multiprocessors=1)


def cell_of(name: str, problem: Problem, **knobs: int) -> Cell:
    variant = LOADED.kernel.variant(f"cuda:{name}")
    return Cell("matmul", problem.n, problem.params, variant.name, tuple((variant.default_knobs | knobs).items()))


def counted(name: str, problem: Problem, **knobs: int) -> Counts:
    """What the lockstep machine counts for a variant that is right."""
    target, cell = SmallGpu(check_types=True), cell_of(name, problem, **knobs)
    built = build(LOADED, cell, problem_data(LOADED, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == ""
    assert target.report.faults == ()
    return target.report.total


def reason(name: str, problem: Problem, capability: tuple[int, int]) -> str | None:
    """Why a variant with its default knobs cannot serve."""
    variant = LOADED.kernel.variant(f"cuda:{name}")
    return LOADED.call(variant.applies, problem, variant.default_knobs, Machine(gpu=model_of(capability)))


# --- what is moved ---


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, "float32") for name in CLAIMS] + [(name, "float64") for name in FLOAT64]
)
def test_each_rung_moves_what_its_docstring_says(name: str, dtype: str) -> None:
    problem = LOADED.kernel.problem(N, **SHAPE, dtype=dtype)
    total = counted(name, problem)
    loads, stores = (claim(problem.itemsize) for claim in CLAIMS[name])
    assert total.global_loads.bytes_moved == loads * problem.m * problem.n * problem.k
    assert total.global_stores.bytes_moved == stores * problem.m * problem.n


@pytest.mark.parametrize("tile", [8, 32])
def test_a_tile_of_another_side_moves_what_the_docstring_says(tile: int) -> None:
    problem = LOADED.kernel.problem(N, **SHAPE)
    total = counted("tiled", problem, tile=tile)
    assert total.global_loads.bytes_moved == 8 * problem.m * problem.n * problem.k / tile


def test_smaller_tiles_for_warps_move_what_the_docstring_says() -> None:
    problem = LOADED.kernel.problem(N, **SHAPE)
    total = counted("warps", problem, block_tile=64)
    assert total.global_loads.bytes_moved == 8 * problem.m * problem.n * problem.k / 64


@pytest.mark.parametrize(
    "knobs", [{}, {"block_tile": 64}, {"thread_rows": 16}, {"block_tile": 64, "thread_rows": 16}], ids=str
)
def test_the_top_rung_neither_wastes_a_sector_nor_waits_for_a_bank(knobs: dict[str, int]) -> None:
    assert_ideal(counted("warps", LOADED.kernel.problem(N, **SHAPE), **knobs))


@pytest.mark.parametrize("name", ["vectorised", "pipelined"])
def test_128_bit_rungs_neither_waste_a_sector_nor_wait_for_a_bank(name: str) -> None:
    assert_ideal(counted(name, LOADED.kernel.problem(N, **SHAPE)))


def assert_ideal(total: Counts) -> None:
    for traffic in (total.global_loads, total.global_stores):
        assert traffic.sectors == traffic.ideal_sectors
    for banks in (total.shared_loads, total.shared_stores):
        assert banks.worst_ways == 1
        assert banks.wavefronts == banks.ideal_wavefronts
    assert total.divergent == 0
    assert total.active_share == 1


def test_one_load_serves_more_multiply_adds_from_rung_to_rung() -> None:
    problem = LOADED.kernel.problem(N, **SHAPE)
    multiply_adds = problem.m * problem.n * problem.k / 32  # of a warp
    served = [multiply_adds / counted(name, problem).shared_loads.requests for name in list(CLAIMS)[2:]]
    assert served == [1 / 2, 8 / 9, 4, 16, 16, 16]


def test_columns_eight_apart_lie_in_four_banks() -> None:
    total = counted("register", LOADED.kernel.problem(N, **SHAPE))
    assert total.shared_loads.worst_ways == 4


@pytest.mark.parametrize(
    ("n", "side"), [(129, 64), (1024, 64), (1280, 128), (1500, 64), (2048, 128), (4096, 128), (8192, 128)]
)
def test_tiles_are_small_where_large_ones_leave_multiprocessors_idle(n: int, side: int) -> None:
    gpu, variant, problem = OfflineGpu(), LOADED.kernel.variant("cuda:warps"), LOADED.kernel.problem(n)
    run = LOADED.call(variant.build, problem, **variant.default_knobs)
    run(gpu, *(np.broadcast_to(np.float32(0), (1, 1)) for _ in "CAB"))
    (launch,) = gpu.launches
    assert launch.grid == ((-(-n // side)) ** 2, 1, 1)


# --- right at every edge ---


@pytest.mark.parametrize(("m", "n", "k"), AWKWARD)
def test_large_warp_tiles_are_right_at_every_edge(m: int, n: int, k: int) -> None:
    for rows in (8, 16):
        counted("warps", LOADED.kernel.problem(n, m=m, k=k), thread_rows=rows)


def test_blocks_in_groups_reach_every_tile() -> None:
    counted("warps", LOADED.kernel.problem(129, m=17 * 64 + 1, k=3), block_tile=64)


@pytest.mark.parametrize("name", ["pipelined", "warps"])
def test_an_older_gpu_is_told_what_it_lacks(name: str) -> None:
    problem = LOADED.kernel.problem(N)
    assert reason(name, problem, (7, 5)) == "asynchronous copies need compute capability 8.0; this GPU has 7.5"
    assert reason(name, problem, (8, 0)) is None


@pytest.mark.parametrize("name", WIDE_RUNGS)
def test_rungs_of_128_bits_serve_float32_only(name: str) -> None:
    problem = LOADED.kernel.problem(N, dtype="float64")
    assert reason(name, problem, (9, 0)) == "float32 only; the problem's dtype is float64"


# --- what it compiles to ---


@compiles
@pytest.mark.parametrize(("name", "capability"), crossed(REGISTER_RUNGS, CAPABILITIES))
def test_the_tile_stays_in_registers(name: str, capability: tuple[int, int]) -> None:
    problem = LOADED.kernel.problem(LARGE)
    (function,) = gpu_functions(LOADED, cell_of(name, problem), capability)
    used = function.resources
    assert (used.spill_stores_bytes, used.spill_loads_bytes, used.local_bytes) == (0, 0, 0)
    if name in WIDE_RUNGS:  # so that two blocks of 256 threads share a multiprocessor
        assert used.registers <= 128


@compiles
@pytest.mark.parametrize(("name", "capability"), crossed(WIDE_RUNGS, NEWEST_FIRST))
def test_the_main_loop_multiplies_most_of_the_time(name: str, capability: tuple[int, int]) -> None:
    problem = LOADED.kernel.problem(LARGE)
    (function,) = gpu_functions(LOADED, cell_of(name, problem), capability)
    made_of = sass.read(function.sass).mix
    counts = dict(made_of.kinds)
    assert made_of.share("FFMA") >= 0.8
    assert counts["FFMA"] >= 16 * counts["LDS.128"] > 0
    assert ("LDGSTS" in counts) == (name != "vectorised")
    assert "local" not in counts


@compiles
@pytest.mark.parametrize("capability", some(CAPABILITIES, lambda capability: capability == (8, 0)))
def test_threads_of_sixteen_rows_load_less_for_a_multiply_add(capability: tuple[int, int]) -> None:
    problem = LOADED.kernel.problem(LARGE)
    (function,) = gpu_functions(LOADED, cell_of("warps", problem, thread_rows=16), capability)
    counts = dict(sass.read(function.sass).mix.kinds)
    assert counts["FFMA"] >= 21 * counts["LDS.128"] > 0
    assert (function.resources.spill_stores_bytes, function.resources.local_bytes) == (0, 0)
