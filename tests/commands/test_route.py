"""The way of a sweep from the words to the table, with workers that answer at once in the place of processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scripted_crew import Crew, Desk

from gpuplay.cli import run
from gpuplay.commands.steps import opened
from gpuplay.results.cell import Cell
from gpuplay.results.turns import BuiltCell


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(opened, "Crew", Crew)
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")


def swept(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["activation", "--on", "numpy:ufunc,cpu:parallel", "--sizes", "2^20,2^21", *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_words_become_a_plan_cells_results_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = swept(capsys)
    assert code == 0, err
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines if line[:1] in (["2^20"], ["2^21"])] == ["2^20", "2^21"]
    assert out.count("2.00 ×") == out.count("◂") - 1 == 2  # half a millisecond beside one, at both sizes
    assert "4 cells measured, all verified" in " ".join(out.split())
    assert [line.split("]")[0] for line in err.splitlines() if line.startswith("[")] == ["[1/4", "[2/4", "[3/4", "[4/4"]


def test_the_same_results_stand_in_the_json_and_in_the_export(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "all.json"
    code, out, _ = swept(capsys, "--json", "-o", str(file))
    assert code == 0
    document: dict[str, Any] = json.loads(out)
    assert json.loads(file.read_text(encoding="utf-8")) == document
    found = {(r["size"], r["variant"]): r["time"]["rounds"] for r in document["results"]}
    assert list(found) == [(n, name) for n in (2**20, 2**21) for name in ("numpy:ufunc", "cpu:parallel")]
    assert {len(rounds) for rounds in found.values()} == {5}


def test_what_was_measured_is_in_the_export_whatever_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    built: list[Cell] = []

    def build(self: Desk, cell: Cell) -> BuiltCell:
        built.append(cell)
        if len(built) == 15:
            raise MemoryError("as nobody foresaw")
        return whole(self, cell)

    whole = Desk.build
    monkeypatch.setattr(Desk, "build", build)
    file = tmp_path / "all.json"
    with pytest.raises(MemoryError):
        swept(capsys, "--sizes", ",".join(map(str, range(2**20, 2**20 + 10))), "-o", str(file))
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert [result["status"] for result in results] == ["ok"] * 14


def test_a_plan_asks_no_worker_for_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a worker was asked")

    monkeypatch.setattr(Crew, "tasks", refused)
    code, out, _ = swept(capsys, "--plan")
    assert code == 0
    assert "4 cells" in out
