"""Few rounds and uncertain orders: what is no order is no lead and no tie."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import scripted
from scripted import measure, ok, plan, runs, timing, usual

from gpuplay.analysis.sweep import crossover, ratios, verdict
from gpuplay.analysis.sweep.grid import arrange
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.results.timing import Timing

CELL = Cell("matmul", 256, (("dtype", "float32"),), "cpu:simd")
STEADY = (1.0, 1.0, 1.0, 1.0, 1.0)


def result(median_s: float, jitter: Sequence[float] = STEADY) -> Result:
    return ok(CELL, "SIMD", timing(median_s, jitter=jitter))


@pytest.mark.parametrize(
    ("median_s", "jitter", "order"),
    [
        (0.98, (1, 1), "uncertain"),
        (0.96, (1, 1.001), "faster"),
        (1.04, (1, 1.001, 1), "slower"),
        (1.005, (1, 1.001, 1), "tie"),
        (1.04, (1, 0.95, 1.001, 1), "tie"),
        (1.025, (1, 1.001, 1, 1), "uncertain"),
    ],
)
def test_fewer_than_five_rounds_give_an_order_only_beyond_three_percent(
    median_s: float, jitter: Sequence[float], order: str
) -> None:
    found = ratios.speedup(result(median_s, jitter), result(1.0, STEADY[: len(jitter)]))
    assert found is not None
    assert found.order == order


def lead_sentence(*unsure: int, variants: Sequence[str] = ("numpy:blas", "cpu:parallel")) -> str:
    """Who leads where some sizes have one round only, and the order changes after n = 256."""
    found = plan(variants=variants, sizes=(256, 512, 1024, 2048))

    def times(cell: Cell) -> Timing | float:
        seconds = usual(cell) * (1.5 if cell.variant == "cpu:parallel" and cell.size == 256 else 1)
        return runs(seconds, 1) if cell.size in unsure else seconds

    (text,) = verdict.sentences(arrange(measure(found, times), found))[-2:-1]
    return text


@pytest.mark.parametrize(
    ("unsure", "text"),
    [
        ((2048,), "cpu:parallel leads from n = 512 on, except where it is uncertain: at n = 2048."),
        ((256,), "cpu:parallel leads at every other size measured (uncertain at n = 256)."),
        ((1024, 2048), "cpu:parallel leads at n = 512 (uncertain at n = 1024, 2048)."),
        ((512, 1024, 2048), "numpy:blas leads at n = 256 (uncertain at n = 512, 1024, 2048)."),
        ((256, 512, 1024, 2048), "Which one leads at n = 256, 512, 1024, 2048 is uncertain."),
    ],
)
def test_an_uncertain_order_is_no_lead(unsure: tuple[int, ...], text: str) -> None:
    assert lead_sentence(*unsure) == text


def test_a_lead_shared_everywhere_has_no_ties_beside_it() -> None:
    found = plan(variants=("numpy:blas", "cpu:simd", "cpu:parallel"))
    times = lambda c: usual(c) / (scripted.SPEEDS[c.variant] ** -1 if c.size == 256 or c.variant != "cpu:simd" else 1)  # noqa: E731
    text = " ".join(verdict.sentences(arrange(measure(found, times), found)))
    assert "numpy:blas and cpu:parallel share the lead at every size measured." in text


def test_uncertain_sizes_are_no_ties_of_a_crossover() -> None:
    found = crossover.settle([(1, "slower"), (2, "uncertain"), (3, "faster"), (4, "tie"), (5, "uncertain")])
    assert found == crossover.Crossover("from", 3, 4, 1, (4,), (2, 5))
    nothing = crossover.settle([(1, "uncertain"), (2, "uncertain")])
    assert nothing == crossover.Crossover("uncertain", 1, 2, open=(1, 2))


def test_a_size_is_not_open_for_a_leader_that_is_behind_there_beyond_doubt() -> None:
    found = plan(variants=(*scripted.CPU, "cuda:tiled"), sizes=(64, 128, 256, 512))
    times = lambda c: runs(usual(c), 1) if c.size == 64 else usual(c)  # noqa: E731
    text = " ".join(verdict.sentences(arrange(measure(found, times), found)))
    assert "cuda:tiled leads from n = 256 on, kernel alone or with copies." in text
    assert "It overtakes numpy:blas between n = 128 and 256, kernel alone or with copies." in text
