"""Host variants that are wrong by accident only: beyond their arrays, by luck of threads, by what memory held."""

from __future__ import annotations

import pytest
from command import Gpuplay, Outcome
from places import PLANTED

BEYOND, RACES = PLANTED / "beyond.py", PLANTED / "races.py"


def line_of(file: str, text: str, nth: int = 1) -> str:
    """FILE:LINE of the nth line that begins so."""
    lines = (PLANTED / file).read_text(encoding="utf-8").splitlines()
    return f"{file}:{[number for number, line in enumerate(lines, 1) if line.strip().startswith(text)][nth - 1]}"


@pytest.fixture(scope="module")
def checked(gpuplay: Gpuplay) -> str:
    done = gpuplay("check", BEYOND, "--sizes", "1,7,33", COLUMNS="400")
    assert done.code == 1, done.err
    return done.out


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ("further", f"reads x at index 33, where it has 33 elements ({line_of('beyond.py', 'y[i] = x[i] + x[i]', 2)})"),
        ("further_parallel", "reads x at index 33, where it has 33 elements"),
        ("farther", "reads x at index 33, where it has 33 elements"),
        ("neighbour", "reads x at index 33, where it has 33 elements"),
        ("forgets", "1 of 33 elements were never written, last element"),
        ("adds", "every element was made of elements that nobody had written"),
        ("no_number", "every element was computed as NaN"),
        ("unknown_name", f"NameError: name 'xx' is not defined ({line_of('beyond.py', 'y[i] = xx')}: y[i] = xx[i]"),
        ("wrong_type", "there is no add(float32, Literal[str](1)) (" + line_of("beyond.py", 'y[i] = x[i] + "1"')),
    ],
    ids=lambda text: text if text.isidentifier() else "",
)
def test_check_says_of_a_loop_on_the_cpu_what_it_did_and_where(checked: str, variant: str, says: str) -> None:
    [told] = [line for line in checked.splitlines() if f"✗ cpu:{variant} " in line]
    assert "n=33" in told
    assert says in told


def test_a_right_loop_beside_them_is_right(checked: str) -> None:
    [row] = [line for line in checked.splitlines() if line.startswith("  cpu:right ")]
    assert row.split()[-1] == "right"


@pytest.fixture(scope="module")
def swept(gpuplay: Gpuplay) -> Outcome:
    on = "cpu:right,cpu:further,cpu:further_parallel,cpu:neighbour"
    return gpuplay(BEYOND, "--sizes", 33, "--on", on, "--rounds", 1, "--cell-time", "0.02s", "--json")


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ("further", "writes outside out, behind its end"),
        ("further_parallel", "writes outside out, behind its end"),
        ("neighbour", "reads x behind its end"),
    ],
)
def test_a_sweep_sees_it_by_what_stands_around_the_arrays(swept: Outcome, variant: str, says: str) -> None:
    cell = swept.cell(f"cpu:{variant}")
    assert cell["status"] == "wrong"
    assert says in cell["reason"]
    assert swept.cell("cpu:right")["status"] == "ok"


def test_turns_of_a_parallel_loop_that_meet_are_found_whatever_the_threads_did(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", RACES, "--sizes", "33", COLUMNS="400")
    assert done.code == 1, done.err
    told = {line.split()[1]: line for line in done.out.splitlines() if "✗" in line}
    assert set(told) == {"cpu:all_into_one", "cpu:last_wins", "cpu:another_shape"}
    assert "race: turn " in told["cpu:all_into_one"]
    assert "of the prange reads counts[" in told["cpu:all_into_one"]
    assert line_of("races.py", "counts[x[i]] += 1") in told["cpu:all_into_one"]
    assert line_of("races.py", "counts[bin_] = counts[bin_]") in told["cpu:last_wins"]


def test_a_sweep_never_verifies_by_luck(gpuplay: Gpuplay) -> None:
    on = "cpu:all_into_one,cpu:last_wins,cpu:another_shape,cpu:a_bin_each"
    done = gpuplay(RACES, "--sizes", 4096, "--on", on, "--rounds", 1, "--cell-time", "0.02s", "--json")
    assert done.code == 1
    states = {result["variant"]: result["status"] for result in done.results}
    assert states.pop("cpu:all_into_one") == "failed"
    assert states.pop("cpu:last_wins") == "failed"
    assert states.pop("cpu:another_shape") == "failed"
    assert set(states.values()) == {"ok"}


def test_whole_numbers_that_nobody_wrote_are_told_by_two_patterns(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "whole_numbers.py", "--sizes", "33", COLUMNS="400")
    assert done.code == 1, done.err
    told = {line.split()[1]: line for line in done.out.splitlines() if "✗" in line}
    assert set(told) == {"numpy:forgets", "numpy:copies_on"}
    assert "1 element of y was never written: y[32]" in told["numpy:forgets"]
    assert "writes outside y, behind its end" in told["numpy:copies_on"]


def test_inputs_that_cannot_show_a_mistake_are_told(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "same_values.py", "--sizes", "33", COLUMNS="200")
    assert done.code == 0, done.err
    assert "! all: x is 0.5 everywhere: a wrong index would not show" in done.out
    told = gpuplay("check", BEYOND, "--on", "cpu:right", "--sizes", "33", COLUMNS="200")
    assert "everywhere" not in told.out


def test_outputs_in_no_order_of_their_own_are_right(gpuplay: Gpuplay) -> None:
    for seed in range(2):
        done = gpuplay("check", PLANTED / "unsteady.py", "--sizes", "129,200,300,400", "--seed", seed, COLUMNS="200")
        assert done.code == 0, done.out
