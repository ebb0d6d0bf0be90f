"""Whatever a variant does wrong costs its own cell, which names the cause; the others are measured."""

from __future__ import annotations

import pytest
from command import Gpuplay, Outcome
from places import PLANTED
from product import crossed

FAULTS = {
    "numpy:last": ("wrong", "last element; 33 is no multiple of 16"),
    "numpy:raises": ("failed", "ValueError: no such luck (planted.py:"),
    "numpy:exits": ("failed", "calls sys.exit(3)"),
    "numpy:crashes": ("failed", "segmentation fault (SIGSEGV)"),
    "cpu:loops": ("failed", "still running after 4 s and was killed (--cell-timeout)"),
    "numpy:changes": ("wrong", "changes its input x"),
    "numpy:late": ("wrong", "wrong after repeated calls: changes its input x"),
    "numpy:workspace": ("wrong", "writes outside its workspace work, behind its end"),
    "numpy:once": ("wrong", "wrong after repeated calls: "),
    "numpy:nothing": ("wrong", "no element was written"),
    "numpy:beyond": ("wrong", "writes outside out, behind its end"),
}


@pytest.fixture(scope="module")
def planted(gpuplay: Gpuplay) -> Outcome:
    words = ("--sizes", 33, "--on", "numpy,cpu", "--cell-time", "0.2s", "--cell-timeout", "4s", "--json")
    return gpuplay(PLANTED / "planted.py", *words)


def test_a_command_with_faulty_variants_exits_1_and_accounts_for_every_cell(planted: Outcome) -> None:
    assert planted.code == 1, planted.err
    assert len(planted.results) == len(FAULTS) + 2


@pytest.mark.parametrize("variant", FAULTS, ids=lambda name: name.replace(":", "-"))
def test_a_faulty_cell_names_its_cause_and_has_no_time(planted: Outcome, variant: str) -> None:
    status, reason = FAULTS[variant]
    cell = planted.cell(variant)
    assert cell["status"] == status
    assert reason in cell["reason"]
    assert cell["time"] is None
    assert cell["call_s"] is None


@pytest.mark.parametrize("variant", ["numpy:double", "numpy:talks"], ids=["right", "prints"])
def test_right_variants_beside_faulty_ones_are_measured(planted: Outcome, variant: str) -> None:
    cell = planted.cell(variant)
    assert cell["status"] == "ok", cell["reason"]
    assert cell["time"]["median_s"] > 0
    assert sum(map(len, cell["time"]["rounds"])) >= 10


def test_a_wrong_cell_tells_the_place_and_both_values(planted: Outcome) -> None:
    error = planted.cell("numpy:last")["error"]
    assert error["at"]["index"] == [32]
    assert error["at"]["got"] == pytest.approx(error["at"]["expected"] + 1, rel=1e-5)
    assert error["max_abs"] > error["tolerance"]


@pytest.mark.parametrize(("n", "variant"), crossed((129, 2048), ("numpy:last", "numpy:inner")))
def test_one_wrong_element_of_a_product_is_found_at_any_size(gpuplay: Gpuplay, n: int, variant: str) -> None:
    done = gpuplay(PLANTED / "planted_matmul.py", "--sizes", n, "--on", variant, "--cell-time", "0.1s", "--json")
    assert done.code == 1
    cell = done.cell(variant)
    assert (cell["status"], cell["time"]) == ("wrong", None)
    place = [n - 1, n - 1] if variant == "numpy:last" else [n // 3, n // 2]
    assert cell["error"]["at"]["index"] == place
    assert done.cell("numpy:blas")["status"] == "ok"
