"""Findings in plain words: what is said, of which line, in which order, and when nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from scripted_report import (
    HISTOGRAM,
    RACE,
    WARPS,
    at,
    banks,
    drawn,
    one_line,
    report,
    traffic,
    worked,
)

from gpuplay.analysis.counters.counters import pairs
from gpuplay.analysis.counters.findings import Finding, findings
from gpuplay.analysis.counters.patterns import pattern
from gpuplay.lockstep.record import Counts, LaunchedFunction, Note, Report


def only(found: Report, compulsory: float | None = None) -> Finding:
    """The one finding that there is."""
    (finding,) = findings(found, compulsory)
    return finding


def load(address: Callable[[int], int | None], cost: int, ideal: int = 4, text: str = "y[i] = x[i]") -> Report:
    """Loads of x at line 11 alone, one warp as drawn."""
    counts = worked(global_loads=traffic(cost, ideal))
    return one_line(counts, [drawn(11, "x", address, cost, ideal)], text)


def test_loads_down_a_column_name_sectors_cause_and_remedy() -> None:
    column = only(load(lambda lane: 256 * lane, 32, text="y[i] = x[i, 0]"))
    assert column.kind == "uncoalesced"
    assert column.place == at(11)
    assert column.message == ("a warp's loads of x touch 32 sectors, 4 would do: adjacent threads read down a column")
    assert column.remedy == "let threadIdx.x walk along the row, the last index"


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (load(lambda lane: 256 * lane, 32), "adjacent threads are 64 elements apart"),
        (load(lambda lane: 8 * lane, 8), "adjacent threads are 2 elements apart"),
        (load(lambda lane: 4 * lane + 4, 5), "its elements begin in the middle of a sector"),
        (load(lambda lane: 4 * (lane % 16) + 260 * (lane // 16) + 4, 6), "several rows that begin in the middle"),
        (load(lambda lane: 256 * (lane // 8), 4, 1), "groups of threads share a word"),
        (load(lambda lane: lane * lane * 52 % 4096, 32), "the addresses follow no common step"),
    ],
    ids=["far", "every-second", "misaligned", "pieces", "groups", "gather"],
)
def test_each_pattern_of_addresses_has_its_own_cause(found: Report, cause: str) -> None:
    assert cause in only(found).message


@pytest.mark.parametrize(
    ("address", "cost", "ideal"),
    [(lambda _lane: 128, 1, 1), (lambda lane: 4 * lane, 4, 4), (lambda lane: 124 - 4 * lane, 4, 4)],
    ids=["broadcast", "consecutive", "backwards"],
)
def test_what_needs_no_more_sectors_than_it_fills_is_not_mentioned(
    address: Callable[[int], int | None], cost: int, ideal: int
) -> None:
    assert findings(load(address, cost, ideal)) == ()


def test_of_two_arrays_on_a_line_only_the_guilty_one_is_named() -> None:
    maps = [drawn(11, "A", lambda lane: 256 * lane, 32, 4), drawn(11, "B", lambda lane: 4 * lane, 4, 4)]
    found = only(one_line(worked(global_loads=traffic(18, 4)), maps))
    assert "loads of A" in found.message


def test_a_rare_bad_line_beside_much_good_work_is_not_mentioned() -> None:
    rare = worked(global_loads=traffic(32, 4, requests=1))
    found = one_line(rare, [drawn(11, "x", lambda lane: 256 * lane, 32, 4)])
    busy = (at(12), Counts(warp_instructions=10_000, lanes=320_000))
    assert findings(found)
    assert not findings(replace(found, lines=(*found.lines, busy)))


def test_a_bank_conflict_says_how_many_words_share_a_bank_and_how_to_pad() -> None:
    counts = worked(shared_loads=banks(32))
    tile = drawn(11, "tile", lambda lane: 128 * lane, 32, 1, space="shared", ways=32)
    found = only(one_line(counts, [tile], "y[i] = tile[x, y]"))
    assert found.kind == "bank conflict"
    assert "take 32 wavefronts, 1 would do: 32 words lie in one bank (32-way conflict)" in found.message
    assert found.remedy == "pad the rows of tile by one element: 33 instead of 32"
    flat = only(one_line(counts, [replace(tile, ways=2, cost=2, addresses=tuple(range(0, 256, 8)))]))
    assert "neighbours are 2 words apart" in flat.message


def test_divergence_names_the_branch_and_the_line_where_lanes_idle() -> None:
    found = one_line(worked(branches=WARPS, divergent=100))
    few = (at(12), Counts(warp_instructions=WARPS, lanes=2 * WARPS))
    finding = only(replace(found, lines=(*found.lines, few)))
    assert finding.kind == "divergence"
    assert finding.place == at(11)
    assert "splits 100 of the 128 warps" in finding.message
    assert "6 % at line 12" in finding.message


def test_idle_lanes_of_a_block_that_fills_no_warp_are_laid_to_its_size_alone() -> None:
    counts = Counts(warp_instructions=400, lanes=400 * 25, branches=100)
    launch = LaunchedFunction("short", (100, 1, 1), (100, 1, 1))
    finding = only(one_line(counts, launches=(launch,)))
    assert finding.kind == "block size"
    assert "a block of 100 threads fills its 4 warps to 78 %" in finding.message
    assert "128" in finding.remedy


def test_contended_atomics_say_how_many_lanes_wait() -> None:
    finding = only(one_line(HISTOGRAM))
    assert finding.kind == "contention"
    assert "up to 32 lanes of a warp update one word" in finding.message
    assert "4096" in finding.message
    counter = replace(HISTOGRAM, atomics=replace(HISTOGRAM.atomics, worst=1, operations=WARPS))
    assert findings(one_line(counter)) == ()


def test_float64_in_a_float32_kernel_weighs_more_than_a_misaligned_start() -> None:
    note = Note("float64", "line 11 computes in float64: x * 0.5", at(11), "write np.float32(0.5)")
    counts = worked(float64=32 * WARPS, global_loads=traffic(5, 4))
    found = findings(one_line(counts, [drawn(11, "x", lambda lane: 4 * lane + 4, 5, 4)], notes=(note,)))
    assert [finding.kind for finding in found] == ["float64", "uncoalesced"]
    assert found[0].message.startswith("computes in float64: x * 0.5; real GPUs take 2 to 64 times")
    assert found[0].remedy == "write np.float32(0.5)"


def test_memory_that_is_asked_for_again_and_again_is_to_be_tiled() -> None:
    counts = worked(global_loads=traffic(4, 4), float32=WARPS * 64)
    bytes_moved = WARPS * 4 * 32
    again = only(one_line(counts), bytes_moved / 16)
    assert again.kind == "reread"
    assert "asked for 16 times the bytes of its arrays" in again.message
    assert again.remedy.startswith("tile it")
    staged = only(one_line(replace(counts, shared_loads=banks(1))), bytes_moved / 16)
    assert staged.remedy.startswith("take larger tiles")
    assert findings(one_line(counts), bytes_moved / 3) == ()
    assert findings(one_line(counts), None) == ()


def test_faults_come_first_and_the_rest_by_weight() -> None:
    found = findings(report(faults=(RACE,)))
    assert [finding.kind for finding in found] == ["fault", "bank conflict", "uncoalesced"]
    assert found[0].place == at(19)
    assert found[1].weight > found[2].weight


def test_nothing_is_said_of_a_run_that_did_nothing() -> None:
    assert findings(Report(), 100.0) == ()


def test_lanes_that_are_not_active_have_no_part_in_the_pattern() -> None:
    odd = drawn(11, "x", lambda lane: 4 * lane if lane < 5 else None, 1, 1)
    assert pattern(odd).kind == "consecutive"
    alone = drawn(11, "x", lambda lane: 400 if lane == 7 else None, 1, 1)
    assert pattern(alone).kind == "broadcast"


def test_two_runs_are_compared_by_the_second_over_the_first() -> None:
    left, right = report().total, replace(report().total, shared_loads=banks(1))
    found = {pair.name: pair for pair in pairs(left, right)}
    assert found["shared loads: wavefronts"].ratio == 1 / 32
    assert found["warp instructions"].ratio == 1
    assert "atomics: operations" not in found
