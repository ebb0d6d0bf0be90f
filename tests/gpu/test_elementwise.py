"""activation and dense on CUDA: right beyond a block's share, their traffic the least, their machine code wide."""

from __future__ import annotations

import re

import numpy as np
import pytest
from needs import compiles
from product import crossed, some, some_rows
from proofs.front_end import shared_front_end

from gpuplay.analysis.machine_code import sass
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.machine.model import Machine
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins import offline
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

ACTIVATION, DENSE = (load_kernel(find_kernel(name)) for name in ("activation", "dense"))
FUNCTIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")
QUADS = crossed(FUNCTIONS, (4096, 9999), ("cuda:vectorised", "cuda:streaming"))
CAPABILITIES = [(8, 0), (9, 0)]


def counted(loaded, name, n, **params):
    """What the lockstep machine counts for a variant with its default knobs, whose result is right."""
    problem, variant = loaded.kernel.problem(n, **params), loaded.kernel.variant(name)
    cell = Cell(problem.kernel, n, problem.params, name, tuple(variant.default_knobs.items()))
    target = LockstepTarget(check_types=True)
    built = build(loaded, cell, problem_data(loaded, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == ""
    assert target.report.faults == ()
    return target.report.total


def compiled(loaded, name, n, shapes, capability, **params):
    """The GPU functions of a variant with its default knobs, compiled offline."""
    problem, variant = loaded.kernel.problem(n, **params), loaded.kernel.variant(name)
    arrays = [offline.hollow(shape, problem.dtype) for shape in shapes]
    run = loaded.call(variant.build, problem, **variant.default_knobs)
    with shared_front_end():
        return offline.inspect(run, arrays, capability)


def accesses(function):
    """The loads and stores of global memory in the machine code, by kind: LDG.E.EF.128 → how many."""
    found = re.findall(r"\b((?:LDG|STG)[A-Z0-9.]*)", function.code.sass)
    return {kind.replace(".SYS", ""): found.count(kind) for kind in found}


# --- activation ---


@pytest.mark.parametrize("name", ["cuda:map", "cuda:grid_stride", "cuda:vectorised", "cuda:streaming"])
def test_a_block_of_more_threads_than_a_gpu_allows_is_refused(name):
    applies = ACTIVATION.kernel.variant(name).applies
    said = ACTIVATION.call(applies, ACTIVATION.kernel.problem(64), {"block": 2048}, Machine())
    assert said == "block 2048: the limit is 1024 threads a block"


@pytest.mark.parametrize(
    ("name", "requests"),
    [("cuda:map", 32), ("cuda:grid_stride", 32), ("cuda:vectorised", 128), ("cuda:streaming", 128)],
)
def test_a_rung_of_activation_moves_every_element_once(name, requests):
    n = 1 << 14
    total = counted(ACTIVATION, name, n)
    for traffic in (total.global_loads, total.global_stores):
        assert traffic.bytes_moved == traffic.bytes_asked == 4 * n
        assert traffic.requests == n // requests


@pytest.mark.parametrize(("function", "n", "name"), QUADS)
def test_an_activation_of_quads_moves_the_least(function, n, name):
    total = counted(ACTIVATION, name, n, function=function)
    least = -(-n // 8)  # sectors of 32 bytes
    for traffic in (total.global_loads, total.global_stores):
        assert traffic.bytes_asked == 4 * n
        assert traffic.sectors == traffic.ideal_sectors == least
    assert total.float64 == 0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_activation_of_quads_takes_the_whole_float_range(function):
    X = np.frombuffer(np.random.default_rng(0).bytes(4 * 4096), np.float32)
    X = np.concatenate([np.where(np.isnan(X), np.nan, X), np.array([np.inf, -np.inf, 0, -0.0], np.float32)] * 2)
    problem = ACTIVATION.kernel.problem(X.size, function=function)
    variant = ACTIVATION.kernel.variant("cuda:streaming")
    target = LockstepTarget()
    Y = np.empty_like(X)
    target.bind(ACTIVATION.call(variant.build, problem, **variant.default_knobs), [Y, X])()
    with np.errstate(all="ignore"):
        expected = ACTIVATION.call(ACTIVATION.kernel.reference, problem, X.astype(np.float64))
        bound = ACTIVATION.call(ACTIVATION.kernel.tolerance, problem, expected, X.astype(np.float64))
        narrow = expected.astype(np.float32)
        finite = np.isfinite(narrow)
        error = np.abs(Y.astype(np.float64) - expected)
    assert (np.isnan(Y) == np.isnan(X)).all()
    assert (error[finite] <= bound[finite]).all()
    infinite = np.isinf(narrow)
    assert (Y[infinite] == narrow[infinite]).all()


@compiles
@pytest.mark.parametrize(
    ("function", "capability"),
    some_rows(
        [*((function, (9, 0)) for function in FUNCTIONS), ("sigmoid", (8, 0)), ("gelu", (8, 0))],
        lambda row: row not in (("gelu", (9, 0)), ("sigmoid", (8, 0))),
    ),
)
def test_the_top_rung_of_activation_is_wide_and_straight(function, capability):
    (found,) = compiled(ACTIVATION, "cuda:streaming", 1 << 16, [(1 << 16,)] * 2, capability, function=function)
    code = found.code
    assert accesses(found) == {"LDG.E.EF.128": 4, "STG.E.EF.128": 4}
    assert re.findall(r"\b(?:LDG|STG)\b", code.sass) == ["LDG"] * 4 + ["STG"] * 4
    assert (code.spill_stores_bytes, code.spill_loads_bytes, code.stack_bytes) == (0, 0, 0)
    assert code.registers <= 40
    assert not re.findall(r"\b(?:CALL|BSSY|DFMA|DADD|DMUL|LDL|STL)\b", code.sass)


# --- dense ---


def dense_shapes(n, batch):
    return [(batch, n), (batch, n), (n, n), (n,)]


@pytest.mark.parametrize(
    ("name", "of_products", "of_bias", "of_stores"),
    [
        ("cuda:naive", lambda products: 33 * products, 4, 4),
        ("cuda:warp_rows", lambda products: 8 * products, 32, 32),
        ("cuda:tiled", lambda products: 8 * products // 16, 2, 4),
        ("cuda:gemm", lambda products: 8 * products // 64, 1, 4),
    ],
    ids=["naive", "warp_rows", "tiled", "gemm"],
)
def test_a_rung_of_dense_moves_what_it_says(name, of_products, of_bias, of_stores):
    n, batch = 256, 64
    total = counted(DENSE, name, n, batch=batch)
    assert total.global_loads.bytes_moved == of_products(batch * n * n) + of_bias * batch * n
    assert total.global_stores.bytes_moved == of_stores * batch * n


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("n", [40, 520, 1544])
def test_a_warp_for_an_output_reads_each_row_in_whole_sectors(n, batch):
    total = counted(DENSE, "cuda:warp_rows", n, batch=batch)
    outputs = batch * n
    assert total.global_loads.sectors == total.global_loads.ideal_sectors
    assert total.global_stores.sectors == total.global_stores.ideal_sectors == outputs
    assert total.global_loads.sectors == outputs * (2 * n // 8 + 1)
    assert total.shuffles == 5 * outputs


@pytest.mark.parametrize(("n", "batch"), [(132, 96), (200, 64), (131, 67)])
def test_the_gemm_of_dense_moves_what_it_says_without_bank_conflicts(n, batch):
    total = counted(DENSE, "cuda:gemm", n, batch=batch, function="gelu")
    loads, side = total.global_loads, 64
    assert loads.sectors <= 1.02 * loads.ideal_sectors or n % 8
    blocks = -(-n // side) * -(-batch // side)
    asked = 4 * n * (batch * -(-n // side) + n * -(-batch // side))
    assert asked <= loads.bytes_asked <= asked + 4 * side * side * blocks
    for banks in (total.shared_loads, total.shared_stores):
        assert banks.wavefronts == banks.ideal_wavefronts
    assert total.float64 == 0


@pytest.mark.parametrize(("n", "batch", "parts"), [(256, 64, 2), (523, 33, 4), (1024, 1, 8)])
def test_parts_of_dense_sums_add_up_to_what_they_should(n, batch, parts):
    total = counted(DENSE, "cuda:split_k", n, batch=batch, function="gelu")
    outputs = batch * n
    assert total.global_stores.bytes_asked == 4 * outputs * (parts + 1)
    assert total.global_loads.bytes_asked >= 4 * (n * n + parts * outputs)
    for banks in (total.shared_loads, total.shared_stores):
        assert banks.wavefronts == banks.ideal_wavefronts


@compiles
@pytest.mark.parametrize("capability", some(CAPABILITIES, lambda capability: capability == (8, 0)))
def test_parts_of_dense_sums_stay_in_registers(capability):
    shapes = [*dense_shapes(1024, 64), (8 * 64 * 1024,)]
    parts, whole = compiled(DENSE, "cuda:split_k", 1024, shapes, capability, batch=64)
    for code in (parts.code, whole.code):
        assert (code.spill_stores_bytes, code.spill_loads_bytes, code.stack_bytes) == (0, 0, 0)
    assert parts.launch.grid == (16, 8, 1)
    mix = sass.read(parts.code.sass).mix
    assert dict(mix.kinds)["FFMA"] >= 0.7 * mix.total


@compiles
@pytest.mark.parametrize("capability", some(CAPABILITIES, lambda capability: capability == (9, 0)))
def test_a_warp_for_an_output_has_four_wide_loads_of_its_row_on_their_way(capability):
    (found,) = compiled(DENSE, "cuda:warp_rows", 8192, dense_shapes(8192, 1), capability, batch=1)
    assert accesses(found).keys() == {"LDG.E.128.CONSTANT", "LDG.E", "STG.E"}
    assert found.code.registers <= 56  # 36 warps of a multiprocessor, 2 KiB of W on their way in each
    assert found.code.stack_bytes == 0


@compiles
@pytest.mark.parametrize(
    ("problem", "capability"),
    crossed(((4096, 4096, "relu"), (4095, 4096, "gelu"), (1024, 64, "tanh")), CAPABILITIES),
)
def test_the_gemm_of_dense_keeps_its_tile_in_registers(problem, capability):
    n, batch, function = problem
    (found,) = compiled(DENSE, "cuda:gemm", n, dense_shapes(n, batch), capability, batch=batch, function=function)
    code, mix = found.code, sass.read(found.code.sass).mix
    assert (code.spill_stores_bytes, code.spill_loads_bytes, code.stack_bytes) == (0, 0, 0)
    assert code.registers <= 128
    kinds = dict(mix.kinds)
    assert kinds["FFMA"] >= (0.8 if batch == 4096 else 0.7) * mix.total
    assert kinds["FFMA"] / kinds["LDS.128"] == (16 if batch == 4096 else 256 / 24)
    assert "LDL" not in code.sass
