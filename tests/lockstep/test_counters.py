"""What the lockstep machine counts for small GPU functions, against truths derived by hand."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from programs import counted

from gpuplay.lockstep.machine import LockstepMachine
from gpuplay.lockstep.record import Atomics, Banks, Counts, Place, Traffic

WARPS = 4
THREADS = 32 * WARPS


def run(function: Any, grid: Any, block: Any, *args: Any, shared: int = 0) -> LockstepMachine:
    machine = LockstepMachine()
    machine.launch(function, grid, block, *args, shared=shared)
    return machine


def at(machine: LockstepMachine, function: Any, text: str) -> Counts:
    """What the line of the function did that contains the text."""
    lines, first = inspect.getsourcelines(function.py_func)
    [number] = [first + n for n, line in enumerate(lines) if text in line]
    return machine.report.at(Place(inspect.getsourcefile(function.py_func), number))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("stride", range(1, 33))
def test_a_strided_copy_moves_the_sectors_between_its_elements(stride: int, dtype: type) -> None:
    width = np.dtype(dtype).itemsize
    x, y = np.arange(THREADS * stride, dtype=dtype), np.zeros(THREADS, dtype)
    total = run(counted.strided, WARPS // 2, 64, y, x, stride).report.total
    step = stride * width
    touched = 32 if step >= 32 else (31 * step + width + 31) // 32
    assert total.global_loads == Traffic(WARPS, WARPS * touched, WARPS * width, THREADS * width)
    assert total.global_stores == Traffic(WARPS, WARPS * width, WARPS * width, THREADS * width)
    assert (y == x[::stride]).all()


@pytest.mark.parametrize("stride", range(1, 33))
def test_128_bits_a_lane_are_one_request_of_sixteen_sectors_or_more(stride: int) -> None:
    x, y = np.arange(4 * THREADS * stride, dtype=np.float32), np.zeros(4 * THREADS, np.float32)
    total = run(counted.quads, WARPS // 2, 64, y, x, stride).report.total
    assert total.global_loads == Traffic(WARPS, WARPS * (16 if stride == 1 else 32), WARPS * 16, THREADS * 16)
    assert total.global_stores == Traffic(WARPS, WARPS * 16, WARPS * 16, THREADS * 16)
    assert (y.reshape(-1, 4) == x.reshape(-1, stride, 4)[:, 0]).all()


def test_128_bits_a_lane_pass_shared_memory_in_four_phases() -> None:
    x, y = np.arange(128, dtype=np.float32), np.zeros(128, np.float32)
    total = run(counted.quads_through_shared, 1, 32, y, x).report.total
    assert total.shared_stores == Banks(1, 4, 4, 1, 512)
    assert total.shared_loads == Banks(1, 4, 4, 1, 512)
    assert (y == x[::-1]).all()


@pytest.mark.parametrize("by", [1, 2, 3])
def test_128_bits_at_an_address_between_are_a_fault(by: int) -> None:
    machine = LockstepMachine(keep_going=True)
    machine.launch(counted.quads_shifted, 1, 32, np.zeros(128, np.float32), np.ones(132, np.float32), by)
    [fault] = machine.report.faults
    assert (fault.kind, fault.array, fault.index) == ("alignment", "x", (by,))


def test_128_bits_beyond_the_end_are_out_of_bounds() -> None:
    machine = LockstepMachine(keep_going=True)
    machine.launch(counted.quads_shifted, 1, 32, np.zeros(128, np.float32), np.ones(128, np.float32), 4)
    [fault] = machine.report.faults
    assert (fault.kind, fault.array, fault.thread.thread) == ("out of bounds", "x", (31, 0, 0))


@pytest.mark.parametrize("by", range(17))
def test_a_start_between_sectors_costs_each_warp_one_more(by: int) -> None:
    x, y = np.ones(THREADS + by, np.float32), np.zeros(THREADS, np.float32)
    loads = run(counted.shifted, 1, THREADS, y, x, by).report.total.global_loads
    assert loads == Traffic(WARPS, WARPS * (4 if by % 8 == 0 else 5), WARPS * 4, THREADS * 4)


def test_a_window_of_an_array_starts_where_it_lies() -> None:
    x, y = np.ones(THREADS + 3, np.float32), np.zeros(THREADS, np.float32)
    assert run(counted.shifted, 1, THREADS, y, x[3:], 0).report.total.global_loads.sectors == WARPS * 5


def test_a_broadcast_moves_one_sector_and_counts_every_lanes_bytes() -> None:
    y, x = np.zeros(THREADS, np.float32), np.ones(8, np.float32)
    total = run(counted.shared_by_all, 1, THREADS, y, x).report.total
    assert total.global_loads == Traffic(WARPS, WARPS, WARPS, THREADS * 4)
    assert total.global_loads.bytes_moved == WARPS * 32


def test_neighbours_in_reverse_order_are_as_good() -> None:
    y, x = np.zeros(THREADS, np.float32), np.ones(THREADS, np.float32)
    assert run(counted.backwards, 1, THREADS, y, x).report.total.global_loads.sectors == WARPS * 4


@pytest.mark.parametrize(
    ("function", "sectors"),
    [(counted.every_second_lane, 4), (counted.first_half_warp, 2)],
    ids=["every-second-lane", "first-half"],
)
def test_half_a_warp_moves_what_its_lanes_touch(function: Any, sectors: int) -> None:
    y, x = np.zeros(THREADS, np.float32), np.ones(THREADS, np.float32)
    machine = run(function, 1, THREADS, y, x)
    counts = at(machine, function, "y[i] = x[i]")
    assert counts.global_loads == Traffic(WARPS, WARPS * sectors, WARPS * 2, THREADS * 2)
    assert counts.active_share == 0.5
    condition = at(machine, function, "if i %")
    assert (condition.branches, condition.divergent) == (WARPS, WARPS)


def test_a_warp_that_the_block_does_not_fill_counts_its_own_lanes() -> None:
    y, x = np.zeros(80, np.float32), np.ones(80, np.float32)
    loads = run(counted.shifted, 2, 40, y, x, 0).report.total.global_loads
    # Two blocks of a whole warp and eight lanes: 128 + 32 bytes from byte 0 and from byte 160.
    assert loads == Traffic(4, 2 * (4 + 1), 2 * (4 + 1), 80 * 4)


def test_a_transpose_without_a_tile_writes_a_sector_for_each_lane() -> None:
    x = np.random.default_rng(0).random((64, 64), np.float32)
    y = np.zeros_like(x)
    total = run(counted.transposed, (2, 2), (32, 32), y, x).report.total
    assert (y == x.T).all()
    assert total.global_loads == Traffic(128, 128 * 4, 128 * 4, 64 * 64 * 4)
    assert total.global_stores == Traffic(128, 128 * 32, 128 * 4, 64 * 64 * 4)


@pytest.mark.parametrize(("pad", "ways"), [(0, 32), (1, 1), (2, 2), (4, 4)])
def test_a_transpose_through_a_tile_conflicts_by_the_padding_of_its_rows(pad: int, ways: int) -> None:
    x = np.random.default_rng(0).random((64, 64), np.float32)
    y = np.zeros_like(x)
    total = run(counted.through_a_tile(pad), (2, 2), (32, 32), y, x).report.total
    assert (y == x.T).all()
    assert total.shared_stores == Banks(128, 128, 128, 1, 64 * 64 * 4)
    assert total.shared_loads == Banks(128, 128 * ways, 128, ways, 64 * 64 * 4)
    assert total.global_stores.sectors == total.global_stores.ideal_sectors == 128 * 4
    assert total.barriers == 128


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 8, 16, 31, 32])
@pytest.mark.parametrize(("name", "phases"), [("float32", 1), ("float64", 2)])
def test_strides_in_shared_memory_conflict_by_their_common_factor_with_the_banks(
    stride: int, name: str, phases: int
) -> None:
    y = np.zeros(64, name)
    total = run(counted.strided_tile(np.dtype(name).type, stride), 1, 64, y).report.total
    ways = int(np.gcd(stride, 32 // phases))
    expected = Banks(2, 2 * phases * ways, 2 * phases, ways, 64 * y.itemsize)
    assert total.shared_loads == expected
    assert total.shared_stores == expected
    assert (y == np.arange(64)).all()


@pytest.mark.parametrize("step", [128, 64, 32, 16, 8, 4, 2, 1])
def test_a_step_of_a_tree_splits_a_warp_only_below_a_warp(step: int) -> None:
    machine = run(counted.one_step, 1, 256, np.zeros(256, np.float32), step)
    condition = at(machine, counted.one_step, "if i < step")
    assert (condition.branches, condition.divergent) == (8, int(step < 32))
    assert at(machine, counted.one_step, "y[i]").active_share == min(step / 32, 1)


def test_a_tree_of_neighbouring_threads_diverges_in_its_last_five_steps() -> None:
    x, y = np.ones(1024, np.float32), np.zeros(4, np.float32)
    machine = run(counted.tree, 4, 256, y, x)
    assert (y == 256).all()
    condition, body = at(machine, counted.tree, "if i < step"), at(machine, counted.tree, "part[i] +=")
    assert (condition.branches, condition.divergent) == (4 * 8 * 8, 4 * 5)
    # Warps at work: 4, 2, 1 and five times 1; each lane reads two elements, all in different banks.
    assert body.shared_loads == Banks(4 * 2 * 12, 4 * 2 * 12, 4 * 2 * 12, 1, 4 * 2 * 255 * 4)
    assert body.float32 == 4 * 255
    assert machine.report.total.barriers == 4 * 8 * 9


def test_a_tree_of_scattered_threads_diverges_in_every_step_and_conflicts() -> None:
    x, y = np.ones(1024, np.float32), np.zeros(4, np.float32)
    machine = run(counted.interleaved, 4, 256, y, x)
    assert (y == 256).all()
    # Five steps split all eight warps; then four, two and one have a single lane at work.
    assert at(machine, counted.interleaved, "if i % (2 * step)").divergent == 4 * (5 * 8 + 4 + 2 + 1)
    body = at(machine, counted.interleaved, "part[i] +=")
    assert body.shared_loads.requests == 4 * 2 * (5 * 8 + 4 + 2 + 1)
    assert body.shared_loads.worst_ways == 1
    assert body.float32 == 4 * 255


@pytest.mark.parametrize("bins", [1, 2, 8, 32, 64])
def test_a_histograms_contention_is_the_lanes_of_a_warp_in_one_bin(bins: int) -> None:
    n = 512
    x, counts = np.arange(n, dtype=np.int32), np.zeros(64, np.int32)
    total = run(counted.histogram_of(bins), n // 128, 128, counts, x).report.total
    assert (counts[:bins] == n // bins).all()
    assert total.atomics == Atomics(n // 32, n, max(32 // bins, 1), n // bins)


@pytest.mark.parametrize("n", [16, 48, 64])
def test_a_tiled_matrix_product_loads_and_computes_what_the_formula_says(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.integers(-4, 5, (2, n, n)).astype(np.float32)
    c = np.zeros_like(a)
    machine = run(counted.tiled, (n // counted.TILE, n // counted.TILE), (counted.TILE, counted.TILE), c, a, b)
    assert (c == a @ b).all()
    total, warps = machine.report.total, n * n // 32
    # Each of the n³ products needs two elements; an element once in a tile serves TILE of them.
    loaded = 2 * n**3 // counted.TILE
    assert total.float32 == 2 * n**3
    assert total.float64 == total.special == 0
    # A warp is two rows of a tile: two times 64 bytes.
    assert total.global_loads == Traffic(loaded // 32, loaded // 32 * 4, loaded // 32 * 4, loaded * 4)
    assert total.global_stores == Traffic(warps, warps * 4, warps * 4, n * n * 4)
    # left[j, k] is two words of a warp, right[k, i] sixteen: one wavefront each.
    assert total.shared_loads == Banks(2 * n * warps, 2 * n * warps, 2 * n * warps, 1, 2 * n**3 * 4)
    assert total.shared_stores == Banks(loaded // 32, loaded // 32, loaded // 32, 1, loaded * 4)
    assert total.barriers == 2 * n // counted.TILE * warps
    assert total.divergent == 0
    assert total.intensity == 2 * n**3 / (loaded * 4 + n * n * 4)


@pytest.mark.parametrize(
    ("function", "dtype", "work"),
    [
        (counted.fused, np.float32, {"float32": 2}),
        (counted.fused, np.float64, {"float64": 2}),
        (counted.divided, np.float32, {"special": 1}),
        (counted.doubled, np.float32, {"float64": 1}),
        (counted.shifted_left, np.int32, {"integer": 1}),
    ],
    ids=["fma-float32", "fma-float64", "division", "a-literal-widens", "shift"],
)
def test_operations_count_by_their_type(function: Any, dtype: type, work: dict[str, int]) -> None:
    x, y = np.ones(THREADS, dtype), np.zeros(THREADS, dtype)
    counts = at(run(function, 1, THREADS, y, x), function, "y[i] =")
    got = {name: getattr(counts, name) for name in ("float32", "float64", "special", "integer")}
    assert got == {name: work.get(name, 0) * THREADS for name in got}
    assert counts.active_share == 1


def test_lanes_that_continue_meet_the_others_at_the_next_turn_of_a_while_loop() -> None:
    y = np.zeros(64, np.int64)
    machine = run(counted.every_second_turn, 1, 64, y, 8)
    step, work = at(machine, counted.every_second_turn, "n += 1"), at(machine, counted.every_second_turn, "t += n")
    assert (step.warp_instructions, step.active_share) == (2 * 8, 1.0)
    assert (work.warp_instructions, work.active_share) == (2 * 8, 0.5)
    assert (y == [sum(n for n in range(1, 9) if (n + i) % 2) for i in range(64)]).all()
