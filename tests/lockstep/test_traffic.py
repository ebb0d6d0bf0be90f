"""The counting helpers against truths that follow from the definitions: 32-byte sectors, 32 banks of 4 bytes."""

from __future__ import annotations

import numpy as np
import pytest

from gpuplay.lockstep.memory.traffic import contention, sectors, splits, warps_and_lanes, wavefronts

LANES = np.arange(32, dtype=np.int64)
ALL = np.ones(32, np.bool_)
NONE = np.zeros(32, np.bool_)


@pytest.mark.parametrize("width", [4, 8, 16])
@pytest.mark.parametrize("stride", range(1, 33))
def test_a_strided_access_touches_the_sectors_its_span_covers_up_to_one_for_each_lane(stride: int, width: int) -> None:
    step = stride * width
    # Steps below a sector leave no sector of the span out; from a sector on, each lane has one of its own.
    touched = 32 if step >= 32 else (31 * step + width + 31) // 32
    assert sectors(ALL, LANES * step, width) == (1, touched, width, 32, 0, touched, width)


@pytest.mark.parametrize(
    ("width", "shift", "touched"),
    [(4, 0, 4), (4, 4, 5), (4, 28, 5), (4, 32, 4), (8, 8, 9), (8, 32, 8), (16, 16, 17), (16, 64, 16)],
)
def test_a_start_off_a_sector_boundary_costs_one_sector_more(width: int, shift: int, touched: int) -> None:
    assert sectors(ALL, LANES * width + shift, width)[1:3] == (touched, width)


def test_a_single_element_across_a_boundary_touches_two_sectors_where_one_would_do() -> None:
    one = LANES == 5
    assert sectors(one, np.full(32, 28, np.int64), 8) == (1, 2, 1, 1, 0, 2, 1)


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16])
def test_a_broadcast_touches_one_sector_and_needs_one(width: int) -> None:
    assert sectors(ALL, np.full(32, 96, np.int64), width) == (1, 1, 1, 32, 0, 1, 1)


@pytest.mark.parametrize("order", [LANES[::-1], np.random.default_rng(1).permutation(LANES), LANES ^ 1])
def test_the_order_of_lanes_does_not_matter(order: np.ndarray) -> None:
    assert sectors(ALL, order * 4, 4)[1:3] == (4, 4)
    assert sectors(ALL, order * 32, 4)[1:3] == (32, 4)
    assert sectors(ALL, order // 2 * 4, 4)[1:3] == (2, 2)
    assert wavefronts(ALL, order * 4, 4)[1:4] == (1, 1, 1)
    assert wavefronts(ALL, order * 128, 4)[1:4] == (32, 1, 32)


def test_a_random_gather_counts_what_a_set_counts() -> None:
    rng = np.random.default_rng(7)
    for width in (4, 8, 16):
        addresses = rng.integers(0, 200, 32 * 50) * width
        active = rng.random(addresses.size) < 0.7
        warps = [set(a[on].tolist()) for a, on in zip(addresses.reshape(-1, 32), active.reshape(-1, 32), strict=True)]
        touched = sum(len({byte // 32 for at in warp for byte in range(at, at + width)}) for warp in warps)
        ideal = sum(-(-len(warp) * width // 32) for warp in warps)
        assert sectors(active, addresses, width)[:4] == (50, touched, ideal, active.sum())


def test_only_active_lanes_count() -> None:
    half = LANES < 16
    assert sectors(half, LANES * 4, 4) == (1, 2, 2, 16, 0, 2, 2)
    assert sectors(LANES % 2 == 0, LANES * 4, 4) == (1, 4, 2, 16, 0, 4, 2)
    assert sectors(NONE, LANES * 4, 4) == (0, 0, 0, 0, -1, 0, 0)
    assert wavefronts(half, LANES * 8, 8)[:5] == (1, 1, 1, 1, 16)
    assert wavefronts(half, LANES * 16, 16)[:5] == (1, 2, 2, 1, 16)
    assert wavefronts(NONE, LANES * 4, 4) == (0, 0, 0, 0, 0, -1, 0)


def test_the_worst_warp_is_the_one_furthest_from_its_ideal() -> None:
    active = np.ones(128, np.bool_)
    active[:32] = False
    addresses = np.concatenate([LANES * 4, LANES * 4, LANES * 16, LANES * 8])
    assert sectors(active, addresses, 4) == (3, 4 + 16 + 8, 12, 96, 2, 16, 4)
    assert wavefronts(active, addresses, 4) == (3, 1 + 4 + 2, 3, 4, 96, 2, 4)


def test_among_warps_at_their_ideal_the_one_with_most_sectors_is_shown() -> None:
    active = np.ones(64, np.bool_)
    active[4:32] = False
    assert sectors(active, np.concatenate([LANES, LANES]) * 4, 4)[4:] == (1, 4, 4)


@pytest.mark.parametrize("stride", range(1, 33))
def test_words_with_a_stride_conflict_by_its_common_factor_with_the_banks(stride: int) -> None:
    ways = int(np.gcd(stride, 32))
    assert wavefronts(ALL, LANES * stride * 4, 4) == (1, ways, 1, ways, 32, 0, ways)


@pytest.mark.parametrize("stride", range(1, 33))
def test_doubles_go_by_half_warps(stride: int) -> None:
    # 16 lanes of two words each: pairs of banks, of which there are 16, repeat as gcd(stride, 16) says.
    ways = int(np.gcd(stride, 16))
    assert wavefronts(ALL, LANES * stride * 8, 8) == (1, 2 * ways, 2, ways, 32, 0, 2 * ways)


@pytest.mark.parametrize("stride", range(1, 33))
def test_four_words_a_lane_go_by_quarter_warps(stride: int) -> None:
    ways = int(np.gcd(stride, 8))
    assert wavefronts(ALL, LANES * stride * 16, 16) == (1, 4 * ways, 4, ways, 32, 0, 4 * ways)


@pytest.mark.parametrize(("row", "ways"), [(32, 32), (33, 1), (34, 2), (36, 4), (40, 8)])
def test_a_column_of_a_tile_conflicts_unless_its_rows_are_padded(row: int, ways: int) -> None:
    assert wavefronts(ALL, LANES * row * 4, 4)[1:4] == (ways, 1, ways)


@pytest.mark.parametrize(("width", "phases"), [(1, 1), (2, 1), (4, 1), (8, 2), (16, 4)])
def test_a_shared_word_read_by_all_lanes_is_free_within_a_phase(width: int, phases: int) -> None:
    assert wavefronts(ALL, np.full(32, 64, np.int64), width)[1:4] == (phases, phases, 1)


def test_bytes_and_halves_of_one_word_share_it() -> None:
    assert wavefronts(ALL, LANES, 1)[1:4] == (1, 1, 1)
    assert wavefronts(ALL, LANES * 2, 2)[1:4] == (1, 1, 1)
    assert wavefronts(ALL, LANES * 128 + LANES % 4, 1)[1:4] == (32, 1, 32)


def test_two_rows_of_sixteen_meet_in_banks_only_if_they_are_thirty_two_words_apart() -> None:
    row, column = LANES // 16, LANES % 16
    assert wavefronts(ALL, (row * 16 + column) * 4, 4)[3] == 1
    assert wavefronts(ALL, (row * 32 + column) * 4, 4)[3] == 2
    assert wavefronts(ALL, (row * 32 + column // 2) * 4, 4)[3] == 2


@pytest.mark.parametrize(("bins", "worst"), [(1, 32), (2, 16), (8, 4), (32, 1)])
def test_a_histogram_of_few_bins_serializes_its_lanes(bins: int, worst: int) -> None:
    assert contention(ALL, LANES % bins * 4) == (1, 32, worst)


def test_contention_is_within_a_warp_and_among_active_lanes() -> None:
    addresses = np.concatenate([LANES * 4, np.zeros(32, np.int64)])
    active = np.concatenate([ALL, LANES < 5])
    assert contention(active, addresses) == (2, 37, 5)
    assert contention(NONE, LANES) == (0, 0, 0)


def test_warps_count_if_any_lane_is_active() -> None:
    active = np.concatenate([NONE, LANES == 31, ALL, LANES < 7])
    assert warps_and_lanes(active) == (3, 1 + 32 + 7)


def test_a_warp_splits_where_its_active_lanes_disagree() -> None:
    active = np.concatenate([ALL, ALL, LANES < 16, NONE, LANES < 16])
    taken = np.concatenate([ALL, LANES < 1, LANES < 16, LANES < 3, LANES > 16])
    assert splits(active, taken) == 1
    assert splits(active, ~taken) == 1
