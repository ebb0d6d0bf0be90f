"""A target from an installed package: a row and a file, and nothing in gpuplay knows of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command import Gpuplay, Outcome

ROW = """
from gpuplay.kinds.kind import Kind

KIND = Kind("toy", "toy_target:ToyTarget", "toy_row:absent")


def absent():
    return ""
"""
TARGET = """
from gpuplay.targets.host import HostTarget


class ToyTarget(HostTarget):
    name = "toy"
"""
KERNEL = """
import numpy as np

from gpuplay.kernel import Cost, Kernel, Variant


def inputs(p, rng):
    return {"x": rng.standard_normal(p.n).astype(p.dtype)}


def doubled(p):
    def run(y, x):
        np.multiply(x, 2, out=y)

    return run


KERNEL = Kernel(
    name="mine",
    summary="y = 2x",
    size="2^10..2^12",
    inputs=inputs,
    output=lambda p: p.n,
    reference=lambda p, x: 2 * x,
    cost=lambda p: Cost(p.n, 2 * p.n * p.itemsize),
    variants=(
        Variant("numpy:twice", "library", "NumPy's product", doubled),
        Variant("toy:plain", "SIMD", "the same on a toy", doubled),
    ),
)
"""
SWEEP = ("--sizes", "1024,2048", "--cell-time", "20ms", "--rounds", "2")


class Installed:
    """A folder that Python looks into, with a package that offers a target."""

    def __init__(self, folder: Path, gpuplay: Gpuplay) -> None:
        self.folder, self._gpuplay = folder, gpuplay
        self.write("mine.py", KERNEL)
        self.write("toy_row.py", ROW)
        self.write("toy_target.py", TARGET)
        self.offer("toy = toy_row:KIND")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def offer(self, points: str) -> None:
        known = self.folder / "toy_targets-1.0.dist-info"
        known.mkdir(exist_ok=True)
        (known / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-targets\nVersion: 1.0\n", encoding="utf-8")
        (known / "entry_points.txt").write_text(f"[gpuplay.targets]\n{points}\n", encoding="utf-8")

    def __call__(self, *words: str) -> Outcome:
        paths = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH", ""))))
        return self._gpuplay(*words, folder=self.folder, PYTHONPATH=paths)


@pytest.fixture
def installed(tmp_path: Path, gpuplay: Gpuplay) -> Installed:
    return Installed(tmp_path, gpuplay)


def test_its_variants_are_measured_beside_all_others(installed: Installed) -> None:
    done = installed("./mine.py", *SWEEP)
    assert done.code == 0, done.err
    assert "toy:plain" in done.out
    assert "4 cells measured, all verified" in " ".join(done.out.split())
    results = json.loads(installed("./mine.py", *SWEEP, "--on", "toy", "--json").out)["results"]
    assert [(r["size"], r["status"]) for r in results if r["variant"] == "toy:plain"] == [(1024, "ok"), (2048, "ok")]


def test_it_is_listed_and_the_doctor_looks_at_it(installed: Installed) -> None:
    assert "toy  toy-targets" in installed("list").out
    offered = json.loads(installed("list", "--json").out)["targets"]
    assert offered == [{"name": "toy", "package": "toy-targets", "fault": ""}]
    assert ["toy", "ok", "a", "target", "of", "toy-targets"] in [
        line.split() for line in installed("doctor").out.splitlines()
    ]


def test_it_says_itself_why_it_is_not_here(installed: Installed) -> None:
    installed.write("toy_row.py", ROW.replace('return ""', 'return "no toy is plugged in; plug one in"'))
    done = installed("./mine.py", *SWEEP)
    assert done.code == 0, done.err
    assert "no toy is plugged in" in done.out
    asked = installed("./mine.py", *SWEEP, "--on", "toy")
    assert (asked.code, asked.out) == (3, "")
    assert "toy is not here: no toy is plugged in; plug one in" in asked.err
    assert "no toy is plugged in" in installed("doctor").out


@pytest.mark.parametrize(
    ("points", "row", "fault"),
    [
        ("toy = toy_row:KIND", "raise RuntimeError('half of it is missing')", "half of it is missing"),
        ("toy = toy_row:KIND", "KIND = 3", "is of type int, not a gpuplay.kinds.kind.Kind"),
        ("toy = no_such_module:KIND", ROW, "no_such_module"),
    ],
    ids=["raises", "no-row", "no-module"],
)
def test_a_broken_one_is_a_message_where_it_is_needed_and_nowhere_else(
    installed: Installed, points: str, row: str, fault: str
) -> None:
    installed.write("toy_row.py", row)
    installed.offer(points)
    done = installed("./mine.py", *SWEEP)
    assert done.code == 2
    assert fault in done.err
    assert "Traceback" not in done.err
    assert fault in " ".join(installed("list").out.split())
    assert installed("matmul", "--plan").code == 0


@pytest.mark.parametrize(
    ("was", "is_now", "fault"),
    [
        ('return ""', "raise OSError('its driver is gone')", "toy_row:absent fails: OSError: its driver is gone"),
        ("toy_row:absent", "toy_row:nobody", "toy_row:nobody fails: AttributeError"),
    ],
    ids=["raises", "no-function"],
)
def test_one_that_cannot_tell_why_it_is_not_here_is_not_here(
    installed: Installed, was: str, is_now: str, fault: str
) -> None:
    installed.write("toy_row.py", ROW.replace(was, is_now))
    done = installed("./mine.py", *SWEEP)
    assert (done.code, "Traceback" in done.err) == (0, False), done.err
    assert fault in " ".join(done.out.split())
    assert fault in " ".join(installed("doctor").out.split())


def test_one_that_cannot_be_opened_fails_in_its_cells_alone(installed: Installed) -> None:
    installed.write("toy_row.py", ROW.replace("toy_target:", "no_such_module:"))
    done = installed("./mine.py", *SWEEP, "--json")
    results = json.loads(done.out)["results"]
    assert (done.code, {(r["variant"], r["status"]) for r in results}) == (
        1,
        {("numpy:twice", "ok"), ("toy:plain", "failed")},
    )
    assert all("no_such_module" in r["reason"] for r in results if r["status"] == "failed")


def test_the_name_of_a_built_in_target_cannot_be_taken(installed: Installed) -> None:
    installed.offer("numpy = toy_row:KIND")
    done = installed("list")
    assert "numpy  toy-targets: the name is gpuplay's own" in done.out
    assert installed("matmul", "--plan").code == 0
