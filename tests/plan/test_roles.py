"""Several outputs, arrays that are read and written, state, scalars, prepared weights, workspaces, params."""

from __future__ import annotations

from command import Gpuplay
from places import PLANTED

ROLES = PLANTED / "roles.py"
QUICK = ("--cell-time", "0.05s", "--json")


def test_every_role_is_served_and_restored_before_each_call(gpuplay: Gpuplay) -> None:
    done = gpuplay(ROLES, "--on", "numpy", "--shift", "1,5", "--dtype", "float32,float64", *QUICK)
    assert done.code == 0, [result["reason"] for result in done.results]
    assert len(done.results) == 2 * 2 * 2 * 2
    assert all(result["status"] == "ok" for result in done.results)
    assert all(result["time"]["loops"] == 1 for result in done.results)


def test_preparation_is_a_figure_of_its_own(gpuplay: Gpuplay) -> None:
    done = gpuplay(ROLES, "--on", "numpy", "--sizes", "33", *QUICK)
    assert done.cell("numpy:transposed")["prepare_s"] > 0
    assert done.cell("numpy:plain")["prepare_s"] is None
    assert "prepacked" in gpuplay(ROLES, "--on", "numpy", "--sizes", "33", "--cell-time", "0.05s").out


def test_params_that_contradict_each_other_are_a_skipped_row(gpuplay: Gpuplay) -> None:
    done = gpuplay(ROLES, "--on", "numpy:plain", "--sizes", "7,13", *QUICK)
    assert done.code == 0
    assert done.cell("numpy:plain", size=13)["reason"] == "n = 13 brings bad luck"
    assert done.cell("numpy:plain", size=7)["status"] == "ok"


def test_check_goes_through_odd_shapes_of_a_users_file(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", ROLES)
    assert done.code == 0, done.out + done.err
    assert "numpy:transposed" in done.out


def test_cold_and_seed_are_obeyed(gpuplay: Gpuplay) -> None:
    done = gpuplay(ROLES, "--on", "numpy:plain", "--sizes", "33", "--cold", "--seed", "7", *QUICK)
    assert done.code == 0, done.err
    assert '"seed": 7' in done.out
