"""What holds at the sizes that are verified need not hold at those of a sweep: its launches are looked at."""

from __future__ import annotations

import pytest
from command import Gpuplay, Outcome
from places import PLANTED

GRIDS = PLANTED / "grids.py"


def test_check_looks_where_a_grid_ends(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", GRIDS, COLUMNS="400")
    assert done.code == 1, done.err
    [told] = [line for line in done.out.splitlines() if "✗" in line]
    assert "cuda:fixed n=129" in told
    assert "at n = 257: out[" in told
    assert "513 of 66049 elements were never written" in told


@pytest.fixture(scope="module")
def swept(gpuplay: Gpuplay) -> Outcome:
    return gpuplay(GRIDS, "--on", "cuda", "--sizes", "64,1024", "--json")


@pytest.mark.parametrize(
    ("variant", "at_64", "at_1024"),
    [
        ("fixed", "wrong", "wrong"),
        ("striding", "verified", "verified"),
        ("growing", "verified", "verified"),
        ("high", "verified", "failed"),
    ],
)
def test_a_sweep_verifies_no_size_that_its_launches_do_not_serve(
    swept: Outcome, variant: str, at_64: str, at_1024: str
) -> None:
    found = {result["size"]: result["status"] for result in swept.results if result["variant"] == f"cuda:{variant}"}
    assert found == {64: at_64, 1024: at_1024}


def test_the_limit_that_a_launch_exceeds_is_named(swept: Outcome) -> None:
    reason = swept.cell("cuda:high", size=1024)["reason"]
    assert "at n = 1024" in reason
    assert "65536" in reason


def test_a_verified_cell_tells_up_to_which_size(gpuplay: Gpuplay) -> None:
    done = gpuplay(GRIDS, "--sizes", "64,1024", "--on", "cuda:growing", "--baseline", "none")
    assert "verified at n ≤ 129, not timed" in done.out
