"""What the clock says of variants whose time is known, and whether it says the same twice.

The bounds are generous: a shared machine's own speed drifts by a tenth from one run to the next.
"""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from command import Gpuplay
from places import PLANTED

CLOCKS = PLANTED / "clocks.py"
TRIES = 6
DRIFT = 1.25
pytestmark = pytest.mark.alone


def median(cell: dict[str, Any]) -> float:
    assert cell["status"] == "ok", cell["reason"]
    return float(cell["time"]["median_s"])


def test_a_variant_that_spins_5_ms_measures_5_ms(gpuplay: Gpuplay) -> None:
    measured = []
    for _ in range(TRIES):
        done = gpuplay(CLOCKS, "--on", "numpy:spin", "--json")
        measured.append(median(done.cell("numpy:spin")))
        if measured[-1] == pytest.approx(5e-3, rel=0.1):
            return
    pytest.fail(f"never within 10 % of 5 ms: {measured}")


def test_thread_pools_do_not_disturb_one_another_in_alternation(gpuplay: Gpuplay) -> None:
    names = ("numpy:blas", "cpu:tiny")
    ratios = []
    for _ in range(TRIES):
        alone = [median(gpuplay(CLOCKS, "--on", name, "--baseline", name, "--json").cell(name)) for name in names]
        both = gpuplay(CLOCKS, "--on", ",".join(names), "--baseline", "numpy:blas", "--json")
        ratios.append([median(both.cell(name)) / before for name, before in zip(names, alone, strict=True)])
        if all(1 / 1.4 <= ratio <= 1.4 for ratio in ratios[-1]):
            return
    pytest.fail(f"medians in alternation over medians alone, never within 1.4×: {ratios}")


def interval(cell: dict[str, Any]) -> tuple[float, float]:
    """The range of the rounds' medians."""
    medians = [statistics.median(samples) for samples in cell["time"]["rounds"]]
    return min(medians), max(medians)


def test_two_runs_of_a_sweep_agree(gpuplay: Gpuplay) -> None:
    words = ("activation", "--on", "numpy,cpu:scalar,cpu:simd", "--sizes", "2^14,2^18", "--cell-time", "0.5s", "--json")
    apart: list[list[str]] = []
    for _ in range(TRIES):
        first, second = (gpuplay(*words).results for _ in range(2))
        apart.append([])
        for one, other in zip(first, second, strict=True):
            (low, high), (low2, high2) = interval(one), interval(other)
            if max(low, low2) > DRIFT * min(high, high2):
                apart[-1].append(f"{one['variant']} n={one['size']}: {low:g}-{high:g} s, {low2:g}-{high2:g} s")
        if not apart[-1]:
            return
    pytest.fail(f"two runs further apart than {DRIFT}×: {apart}")
