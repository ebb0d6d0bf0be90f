"""Matrix units: their products against NumPy, what the lockstep machine refuses, precisions, and matmul's rungs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from needs import compiles
from numba import cuda
from numba.core.errors import TypingError
from numpy.typing import NDArray
from product import crossed
from proofs.front_end import gpu_functions

from gpuplay.analysis.machine_code import sass
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.errors import GpuplayError, KernelFileError
from gpuplay.intrinsics import ptx
from gpuplay.kernel import Array, Problem, Variant
from gpuplay.lockstep.machine import LockstepMachine
from gpuplay.lockstep.record import Counts, Report
from gpuplay.machine.model import Machine, model_of
from gpuplay.measure.building import build, problem_data
from gpuplay.measure.problems import ProblemData
from gpuplay.precision import UNIT_ROUNDOFF, Formats, growth, stored
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

ZEROS, EIGHT_TILES = (np.float32(0),) * 4, (np.float32(0),) * 32
DOWN, ACROSS = (0, 1), (0, 1, 2, 3)
WARP = 32
MATMUL = load_kernel(find_kernel("matmul"))
RUNGS = ("tf32", "tf32x3", "bf16")
PRODUCTS_A_LOAD = {"tf32": 8, "tf32x3": 24, "bf16": 4}  # in the hottest loop
EDGES = ((1, 1, 1), (129, 257, 66), (130, 4, 8), (64, 264, 12), (3, 130, 130))
CAPABILITIES = ((8, 0), (9, 0))


def launched(function: Any, *arrays: Any, block: int = WARP, keep_going: bool = False) -> Report:
    machine = LockstepMachine(keep_going=keep_going)
    machine.launch(function, 1, block, *arrays)
    return machine.report


# --- fragments and products ---


def sixteen_bit_product(multiply: Any) -> Any:
    """C, 16×8, by one instruction: A 16×16 and B 16×8 lie row by row in shared memory."""

    @cuda.jit
    def product(C, A, B):
        a, b = cuda.shared.array(256, np.uint16, alignment=16), cuda.shared.array(256, np.uint16, alignment=16)
        lane = cuda.threadIdx.x
        for i in range(lane, 256, 32):
            a[i] = A[i]
            b[i] = B[i // 16 * 8 + i % 8]  # twice side by side, since four matrices are loaded at once
        cuda.syncwarp()
        left = ptx.ldmatrix4(a, lane % 16 * 16 + lane // 16 * 8)
        right = ptx.ldmatrix4_transposed(b, lane % 16 * 16 + lane // 16 * 8)
        sums = multiply(ZEROS, left, right[:2])
        sums = multiply(sums, left, right[2:])
        at = lane // 4 * 8 + lane % 4 * 2
        C[at], C[at + 1], C[at + 64], C[at + 65] = sums

    return product


BF16_PRODUCT, F16_PRODUCT = sixteen_bit_product(ptx.multiply_add_bf16), sixteen_bit_product(ptx.multiply_add_f16)


def bfloat16(bits: NDArray[Any]) -> NDArray[Any]:
    return (bits.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("format_", ["bfloat16", "float16"])
def test_a_product_of_sixteen_bit_matrices_is_that_of_numpy(format_: str) -> None:
    rng = np.random.default_rng(1)
    A, B = rng.standard_normal((16, 16)).astype(np.float32), rng.standard_normal((16, 8)).astype(np.float32)
    if format_ == "bfloat16":
        function, bits = BF16_PRODUCT, [stored(X, "bfloat16") for X in (A, B)]
        exact = bfloat16(bits[0]).astype(np.float64) @ bfloat16(bits[1])
    else:
        function, bits = F16_PRODUCT, [X.astype(np.float16).view(np.uint16) for X in (A, B)]
        exact = A.astype(np.float16).astype(np.float64) @ B.astype(np.float16)
    C = np.empty(128, np.float32)
    report = launched(function, C, *(X.ravel() for X in bits))
    assert report.faults == ()
    np.testing.assert_allclose(C.reshape(16, 8), 2 * exact, rtol=0, atol=2e-6)


@cuda.jit
def tf32_products(C, D, E, A, B):
    """32×8 by 8×32, in tiles of 16×8: C of what the unit reads of the factors, D rounded, E by three products."""
    a, b = cuda.shared.array(256, np.float32, alignment=16), cuda.shared.array(256, np.float32)
    lane = cuda.threadIdx.x
    for i in range(lane, 256, 32):
        a[i], b[i] = A[i], B[i]
    cuda.syncwarp()
    row = lane % 16 * 8 + lane // 16 * 4
    left = ptx.ldmatrix4(a, row) + ptx.ldmatrix4(a, row + 128)
    k, j = lane % 4 * 32, lane // 4
    first = b[k + j], b[k + j + 128], b[k + j + 8], b[k + j + 136]
    right = (*first, b[k + j + 16], b[k + j + 144], b[k + j + 24], b[k + j + 152])
    cut = ptx.multiply_tiles_tf32(EIGHT_TILES, left, right)
    rounded = ptx.multiply_tiles_tf32(EIGHT_TILES, ptx.round_to_tf32(left), ptx.round_to_tf32(right))
    split = ptx.multiply_tiles_tf32x3(EIGHT_TILES, left, right)
    for down in cuda.literal_unroll(DOWN):
        for across in cuda.literal_unroll(ACROSS):
            for item in cuda.literal_unroll(ACROSS):
                at = (16 * down + item // 2 * 8 + lane // 4) * 32 + across * 8 + lane % 4 * 2 + item % 2
                register = (down * 4 + across) * 4 + item
                C[at], D[at], E[at] = cut[register], rounded[register], split[register]


def test_tf32_cuts_off_13_bits_or_rounds_and_three_products_are_as_good_as_float32() -> None:
    rng = np.random.default_rng(2)
    A, B = rng.standard_normal((32, 8)).astype(np.float32), rng.standard_normal((8, 32)).astype(np.float32)
    C, D, E = (np.empty(1024, np.float32) for _ in range(3))
    assert launched(tf32_products, C, D, E, A.ravel(), B.ravel()).faults == ()
    cut = [(X.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64) for X in (A, B)]
    np.testing.assert_allclose(C.reshape(32, 32), cut[0] @ cut[1], rtol=0, atol=2e-6)
    exact, norms = A.astype(np.float64) @ B, np.linalg.norm(A, axis=1)[:, None] * np.linalg.norm(B, axis=0)
    off = [np.abs(X.reshape(32, 32) - exact) / norms for X in (C, D, E)]
    assert off[1].max() < 2 * UNIT_ROUNDOFF["tfloat32"] < 4 * off[1].max()
    assert off[0].mean() > 1.5 * off[1].mean()
    assert off[2].max() < 8 * UNIT_ROUNDOFF["float32"]


@cuda.jit
def rounded_and_packed(y, pairs, halves, x):
    i = cuda.threadIdx.x
    y[i] = ptx.round_to_tf32(x[i])
    pairs[i] = ptx.pack_bf16(x[i], -x[i])
    halves[i] = ptx.pack_f16(x[i], -x[i])


def test_numbers_are_rounded_to_nearest() -> None:
    unit = np.float32(2.0**-10)
    x = np.ones(WARP, np.float32)
    x[:7] = [1 + unit / 2, 1 + unit * 3 / 2, -1 - unit / 2, 1 + unit / 4, np.inf, np.nan, np.float32(-0.0)]
    x[7] = np.array([0x7FFFFFFF], np.uint32).view(np.float32)[0]  # the NaN that a GPU gives
    y, pairs, halves = np.empty(WARP, np.float32), np.empty(WARP, np.uint32), np.empty(WARP, np.uint32)
    launched(rounded_and_packed, y, pairs, halves, x)
    read = (y.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
    np.testing.assert_array_equal(read[:5], np.float32([1 + unit, 1 + 2 * unit, -1 - unit, 1, np.inf]))
    assert np.isnan(read[[5, 7]]).all()
    assert np.signbit(read[6])
    assert read[6] == 0
    np.testing.assert_array_equal(pairs & 0xFFFF, stored(x, "bfloat16"))
    np.testing.assert_array_equal((pairs >> 16).astype(np.uint16), stored(-x, "bfloat16"))
    np.testing.assert_array_equal((halves & 0xFFFF).astype(np.uint16).view(np.float16)[:5], x[:5].astype(np.float16))


def test_bfloat16_is_the_upper_half_rounded_to_nearest_even() -> None:
    one = 2.0**-7
    x = np.float32([1, 1 + one / 2, 1 + 3 * one / 2, 1 + one / 2 + 2.0**-20, -np.inf, np.nan, 3.4e38])
    expected = [1, 1, 1 + 2 * one, 1 + one, -np.inf, np.nan, np.inf]
    np.testing.assert_array_equal(bfloat16(stored(x, "bfloat16")), np.float32(expected))


# --- what the machine refuses, and what it counts ---


@cuda.jit
def half_a_warp(y, x):
    shared = cuda.shared.array(256, np.float32, alignment=16)
    i = cuda.threadIdx.x
    for k in range(8):
        shared[8 * i + k] = x[8 * i + k]
    cuda.syncwarp()
    if i < 16:
        a = ptx.ldmatrix4(shared, i % 16 * 8 + i // 16 * 4)
        y[i] = a[0]


@cuda.jit
def from_global_memory(y, x):
    i = cuda.threadIdx.x
    y[i] = ptx.ldmatrix4(x, 4 * i)[0]


@cuda.jit
def rows_at_odd_places(y, x):
    shared = cuda.shared.array(256, np.float32, alignment=16)
    i = cuda.threadIdx.x
    for k in range(8):
        shared[8 * i + k] = x[8 * i + k]
    cuda.syncwarp()
    y[i] = ptx.ldmatrix4(shared, 4 * i + i // 31)[0]


@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        (half_a_warp, "warp", "ldmatrix without lane 16 (block 0 thread 16)"),
        (from_global_memory, "warp", "ldmatrix reads x, which is not in shared memory"),
        (rows_at_odd_places, "alignment", "block 0 thread 31 reads 16 bytes at shared[125]"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_use_of_the_matrix_unit_is_found(function: Any, kind: str, says: str) -> None:
    report = launched(function, np.zeros(WARP, np.float32), np.zeros(256, np.float32), keep_going=True)
    assert [fault.kind for fault in report.faults] == [kind]
    assert says in report.faults[0].message


def test_a_block_that_has_no_whole_warp_is_found() -> None:
    y, x = np.zeros(16, np.float32), np.zeros(256, np.float32)
    report = launched(from_global_memory, y, x, block=16, keep_going=True)
    assert "which this block does not have" in report.faults[0].message


@cuda.jit
def matrices_with_and_without_padding(y, x):
    plain = cuda.shared.array(1024, np.float32, alignment=16)
    padded = cuda.shared.array(1152, np.float32, alignment=16)
    i = cuda.threadIdx.x
    for k in range(32):
        plain[i * 32 + k] = x[i * 32 + k]
    for k in range(32):
        padded[i * 36 + k] = x[i * 32 + k]
    cuda.syncwarp()
    a = ptx.ldmatrix4(plain, i % 16 * 32 + i // 16 * 4)
    b = ptx.ldmatrix4(padded, i % 16 * 36 + i // 16 * 4)
    y[i] = a[0] + b[0]


def test_eight_rows_of_a_matrix_are_one_phase_of_the_banks() -> None:
    x = np.arange(1024, dtype=np.float32)
    y = np.empty(WARP, np.float32)
    report = launched(matrices_with_and_without_padding, y, x)
    np.testing.assert_array_equal(y, 2 * x.reshape(32, 32)[:8, :4].ravel())
    loads = [counts.shared_loads for _, counts in report.lines if counts.shared_loads.requests]
    assert [(banks.requests, banks.wavefronts, banks.worst_ways) for banks in loads] == [(1, 32, 8), (1, 4, 1)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x, s: ptx.multiply_add_tf32(s, s, s), "b 2 for each 8 columns"),
        (lambda x, s: ptx.multiply_add_bf16(s, s, s[:2]), "a is a tuple of uint32"),
        (lambda x, s: ptx.ldmatrix4_transposed(x, 0), "of uint16, float16; given"),
        (lambda x, s: ptx.round_to_tf32(1), "a float32 or a tuple of them"),
        (lambda x, s: ptx.pack_bf16(s[0], 1), "two float32"),
    ],
    ids=["counts", "formats", "transposed", "rounded", "packed"],
)
def test_wrong_types_are_refused_in_words(call: Any, says: str) -> None:
    called = cuda.jit(device=True)(call)

    @cuda.jit
    def wrong(x):
        called(x, ZEROS)

    with pytest.raises((GpuplayError, TypingError), match=says):
        launched(wrong, np.zeros(32, np.float32))


# --- precisions ---


def variant(name: str) -> Variant:
    return MATMUL.kernel.variant(f"cuda:{name}")


def test_a_variant_reads_what_it_stores_in_its_own_format() -> None:
    kept = variant("bf16").stored
    assert kept(Array("A", (3, 4)), "float32").dtype == "uint16"
    assert kept(Array("W", (3, 4), "weight"), "float32").dtype == "uint16"
    assert kept(Array("C", (3, 4), "out"), "float32").dtype == ""
    assert kept(Array("lengths", (3,), dtype="int32"), "float32").dtype == "int32"
    assert variant("tf32").stored(Array("A", (3, 4)), "float32").dtype == ""


def test_a_variant_says_in_what_it_computes() -> None:
    assert {name: variant(name).precision for name in RUNGS} == {"tf32": "tfloat32", "tf32x3": "", "bf16": "bfloat16"}
    assert [variant(name).formats.text for name in RUNGS] == [
        "tfloat32, accumulates float32",
        "3×tfloat32, accumulates float32",
        "stores bfloat16, accumulates float32",
    ]
    assert variant("warps").formats.text == ""


def test_bounds_grow_with_the_roundoff_of_the_coarsest_format() -> None:
    assert growth(Formats(), "float32") == 1
    assert growth(Formats(compute="tfloat32"), "float32") == 2**13
    assert growth(Formats(compute="tfloat32"), "float32", 16) == 4 + 2**12
    assert growth(Formats("bfloat16", accumulate="float32"), "float32", 4096) == 4 + 2**16 / 32
    assert {growth(Formats(compute="tfloat32x3"), "float32", length) for length in (1, 64, 4096)} == {3.5}
    assert growth(Formats(accumulate="float32"), "float32") == 1
    assert growth(Formats(compute="tfloat32"), "int32") == 1


@pytest.mark.parametrize("given", [{"storage": "int8"}, {"compute": "tf32"}, {"accumulate": "double"}], ids=str)
def test_a_format_that_nobody_knows_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(KernelFileError, match=r"is one of .*float"):
        Variant("cuda:mine", "SIMT", "an idea", "cuda:mine", **given)


def data_of(name: str, n: int = 33, **params: int) -> tuple[ProblemData, Cell]:
    problem = MATMUL.kernel.problem(n, **params)
    cell = Cell("matmul", n, problem.params, f"cuda:{name}", tuple(variant(name).default_knobs.items()))
    return problem_data(MATMUL, cell, LockstepTarget(), 0), cell


def test_a_run_that_changes_an_input_in_its_storage_is_found_and_mended() -> None:
    data, _ = data_of("bf16")
    C, A, B = data.arguments(None, variant("bf16"))
    assert (C.dtype, A.dtype, B.dtype) == (np.float32, np.uint16, np.uint16)
    before = A.copy()
    A[0, 0] ^= 1
    assert data.foul() == "changes its input A (bfloat16)"
    data.restore()
    np.testing.assert_array_equal(A, before)
    assert data.foul() == ""


@pytest.mark.parametrize("missing", [0, 32])
@pytest.mark.parametrize("name", ["tf32", "bf16"])
def test_a_long_sum_that_lacks_a_panel_is_wrong_in_coarse_formats_too(name: str, missing: int) -> None:
    data, cell = data_of(name, n=64, m=64, k=8192)
    C, A, B = data.arguments(None, variant(name))
    left, right = ((bits.astype(np.uint32) << 16).view(np.float32) if name == "bf16" else bits for bits in (A, B))
    C[:] = left[:, missing:] @ right[missing:]
    assert data.verdict(cell).reason.startswith("C[" if missing else "")
    assert bool(data.verdict(cell).reason) == bool(missing)


# --- matmul's rungs ---


def run(name: str, problem: Problem, **knobs: int) -> tuple[Counts, float]:
    """What a rung that is right, also on small integers, counts, and its largest error over the bound."""
    target = LockstepTarget(check_types=True)
    chosen = tuple((variant(name).default_knobs | knobs).items())
    cell = Cell("matmul", problem.n, problem.params, f"cuda:{name}", chosen)
    built = build(MATMUL, cell, problem_data(MATMUL, cell, target, 0))
    built.run_once()
    verdict = built.verdict()
    assert verdict.reason == ""
    assert target.report.faults == ()
    counts = target.report.total
    assert built.verdict_on_probes() is None
    assert verdict.error.max_abs is not None
    assert verdict.error.tolerance is not None
    return counts, verdict.error.max_abs / verdict.error.tolerance


@pytest.mark.parametrize(("name", "columns"), crossed(RUNGS, (128, 256)))
def test_tiles_are_moved_in_whole_sectors_and_without_bank_conflicts(name: str, columns: int) -> None:
    problem = MATMUL.kernel.problem(256, m=128, k=64)
    counts, share = run(name, problem, columns=columns)
    each = 2 if name == "bf16" else 4
    moved(counts, each * 128 * 256 * 64 // columns + each * 256 * 64, 4 * 128 * 256)
    assert share < (0.1 if name == "tf32x3" else 0.25)  # the bounds of coarse formats are narrow


def moved(counts: Counts, loaded: int, written: int) -> None:
    """So many bytes pass, in as many sectors as they fill, and no two lanes wait for one bank."""
    for traffic, nbytes in ((counts.global_loads, loaded), (counts.global_stores, written)):
        assert traffic.bytes_asked == traffic.bytes_moved == nbytes
        assert traffic.sectors == traffic.ideal_sectors
    for banks in (counts.shared_loads, counts.shared_stores):
        assert banks.wavefronts == banks.ideal_wavefronts
        assert banks.worst_ways == 1


@pytest.mark.parametrize(("shape", "name"), crossed(EDGES, RUNGS))
def test_every_edge_of_a_tile_is_right(shape: tuple[int, int, int], name: str) -> None:
    m, n, k = shape
    run(name, MATMUL.kernel.problem(n, m=m, k=k))


def test_a_gpu_without_these_formats_is_told_so() -> None:
    problem = MATMUL.kernel.problem(64)
    for name in RUNGS:
        knobs = variant(name).default_knobs
        old = MATMUL.call(variant(name).applies, problem, knobs, Machine(gpu=model_of((7, 5))))
        assert "need" in old or "shared memory" in old
        assert MATMUL.call(variant(name).applies, problem, knobs, Machine(gpu=model_of((8, 0)))) is None
        doubles = MATMUL.kernel.problem(64, dtype="float64")
        assert "float32 only" in MATMUL.call(variant(name).applies, doubles, knobs, Machine())
    small = Machine(gpu=model_of((8, 6)))
    assert MATMUL.call("cuda:widest_columns", small) == 128
    assert MATMUL.call(variant("tf32").applies, problem, {"columns": 128}, small) is None
    assert "the limit is" in MATMUL.call(variant("tf32").applies, problem, {"columns": 256}, small)


@pytest.mark.parametrize("name", RUNGS)
def test_a_tile_that_threads_do_not_share_evenly_is_refused(name: str) -> None:
    said = MATMUL.call(variant(name).applies, MATMUL.kernel.problem(64), {"columns": 100}, Machine())
    assert said == "columns 100: threads share a strip evenly with 128 or 256 only"


@compiles
@pytest.mark.parametrize(("name", "columns", "capability"), crossed(RUNGS, (128, 256), CAPABILITIES))
def test_sums_stay_in_registers_and_the_matrix_unit_does_the_work(
    name: str, columns: int, capability: tuple[int, int]
) -> None:
    problem = MATMUL.kernel.problem(512)
    cell = Cell("matmul", 512, problem.params, f"cuda:{name}", (("columns", columns),))
    (function,) = gpu_functions(MATMUL, cell, capability)
    used = function.resources
    assert (used.spill_stores_bytes, used.spill_loads_bytes, used.local_bytes) == (0, 0, 0)
    made_of = sass.read(function.sass).mix
    counts = dict(made_of.kinds)
    assert counts["HMMA"] >= PRODUCTS_A_LOAD[name] * counts["LDSM"] > 0
    assert "local" not in counts
    assert made_of.total < 5 * counts["HMMA"]
    assert "LDGSTS.E.BYPASS.128" in function.sass
    assert "STG.E.128" in function.sass
