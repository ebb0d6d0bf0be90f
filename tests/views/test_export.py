"""Exports: valid files after every cell, and paths refused before anything is measured."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemas
import scripted
from scripted import CPU, measure, plan, record, usual

from gpuplay.errors import UsageError
from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.results.result import ErrorReport, Mistake, Result
from gpuplay.views.sweep import export, markdown
from gpuplay.views.sweep.export import exporter


def scene() -> tuple[Plan, Record]:
    """Every status, a GPU, knobs, and figures that JSON has no word for."""
    found = plan(
        variants=(*CPU, "cuda:tiled"),
        sizes=(33, 256),
        skip=lambda cell: "would take 3 min" if cell.variant == "cpu:scalar" and cell.size == 256 else "",
    )

    def outcome(cell: Any) -> Any:
        if cell.size == 33 and cell.variant == "cpu:simd":
            nan = ErrorReport(math.nan, math.inf, 1e-5, Mistake("C", (31, 32), "nan", 2.5))
            return replace(scripted.wrong(cell, "SIMD"), time=None, error=nan)
        if cell.size == 33 and cell.variant == "cpu:parallel":
            return Result(cell, "MIMD", "failed", 'ValueError: no; "quotes", commas\nand lines')
        if cell.size == 33 and cell.target == "cuda":
            return Result(cell, "SIMT", "verified", verified_at=(1, 33))
        return usual(cell)

    return found, record(measure(found, outcome), gpu=True)


def validate(document: object) -> None:
    jsonschema.validate(document, schemas.SWEEP, cls=jsonschema.Draft202012Validator)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.SWEEP)


def test_a_record_is_valid_json_and_has_null_where_nothing_is_known(tmp_path: Path) -> None:
    found, record_ = scene()
    path = tmp_path / "out.json"
    exporter([str(path)]).write(record_, found)
    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    validate(document)
    wrong = next(result for result in document["results"] if result["status"] == "wrong")
    assert wrong["error"]["max_abs"] is None
    assert wrong["error"]["at"] == {"output": "C", "index": [31, 32], "got": "nan", "expected": 2.5}
    assert {result["status"] for result in document["results"]} == {"ok", "wrong", "failed", "verified", "skipped"}


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"status": "fine"},
        {"time": None},
        {"size": 0},
        {"transfer": {"to_device_s": 1}},
        {"class": "GPU"},
        {"params": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_the_format_does_not_say(change: dict[str, Any]) -> None:
    found = plan(sizes=(64,))
    document = record(measure(found, usual)).as_json()
    validate(document)
    document["results"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        validate(document)


def test_a_wrong_result_with_a_time_is_against_the_schema() -> None:
    found = plan(sizes=(64,))
    document = record(measure(found, usual)).as_json()
    document["results"][0] |= {"status": "wrong", "reason": "off"}
    with pytest.raises(jsonschema.ValidationError):
        validate(document)


def test_csv_has_a_line_for_each_result_and_always_the_same_columns(tmp_path: Path) -> None:
    found, record_ = scene()
    path = tmp_path / "out.CSV"
    exporter([path]).write(record_, found)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == export.COLUMNS
    assert len(rows) == len(record_.results)
    assert rows[0]["params"] == "m=33;k=33"
    assert rows[0]["dtype"] == "float32"
    assert float(rows[0]["time_median_s"]) == record_.results[0].time.median_s  # type: ignore[union-attr]
    assert rows[3]["reason"] == 'ValueError: no; "quotes", commas\nand lines'
    assert {row["error_index"] for row in rows} == {"", "31 32"}
    assert rows[-1]["to_device_s"]


MARKDOWN = """\
# matmul

C = A·B, n×n, float32 1× = numpy:blas, OpenBLAS 0.3.31, 2 threads

AMD EPYC 9R14, 2 cores, AVX-512

| n | numpy:blas<br>2 threads | cpu:simd<br>SIMD, 1 th | cpu:parallel<br>MIMD, 2 th | spread<br>(worst) |
| ---: | ---: | ---: | ---: | ---: |
| 256 | 168 µs 200 GFLOP/s | 0.51 × 329 µs | 1.06 × 158 µs ◂ | 2 % |
| 512 | 1.34 ms 200 GFLOP/s | wrong ¹ | 1.06 × 1.27 ms ◂ | 2 % |
"""


def test_markdown_is_the_table_the_machine_and_the_command(tmp_path: Path) -> None:
    found = plan(variants=("numpy:blas", "cpu:simd", "cpu:parallel"), sizes=(256, 512))
    off = lambda c: scripted.wrong(c, "SIMD") if (c.variant, c.size) == ("cpu:simd", 512) else usual(c)  # noqa: E731
    path = tmp_path / "out.md"
    exporter([path]).write(record(measure(found, off)), found)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(MARKDOWN)
    assert "- ¹ cpu:simd wrong at n = 512: C\\[510, 511\\] is 1.5, expected 2.5" in text
    assert "2 threads are 2.1× one." in text
    assert "## Machine\n\n- AMD EPYC 9R14, 2 cores, AVX-512\n- 16 GiB of memory\n" in text
    assert "```\ngpuplay matmul --sizes 256..2048\n```" in text


def test_markdown_has_the_sweep_of_a_knob() -> None:
    found = plan(sizes=(256,), knobs={"tile": (32, 64)})
    text = markdown.markdown(record(measure(found, usual)), found)
    assert "**cpu:parallel** by tile\n\n| n | tile 32 | tile 64 |" in text


def test_every_write_replaces_the_file_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    found, record_ = scene()
    paths = [tmp_path / name for name in ("a.json", "b.csv", "c.md")]
    files = exporter(paths)
    assert list(tmp_path.iterdir()) == []
    for count in range(len(record_.results) + 1):
        files.write(replace(record_, results=record_.results[:count]), found)
        validate(json.loads(paths[0].read_text(encoding="utf-8")))
    assert sorted(tmp_path.iterdir()) == paths


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, record_ = scene()
    path = tmp_path / "a.json"
    files = exporter([path])
    files.write(record_, found)
    before = path.read_text(encoding="utf-8")

    def full(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(KeyboardInterrupt):
        files.write(replace(record_, results=()), found)
    assert path.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.txt", r"unknown suffix '\.txt'; use \.json, \.csv, \.md"),
        ("out", "unknown suffix ''"),
        ("none/out.json", "there is no folder .*mkdir -p"),
        ("folder.json", "is a folder"),
        ("file/out.json", "there is no folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=words):
        exporter([tmp_path / "good.json", tmp_path / name])
    assert sorted(tmp_path.iterdir()) == before


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match="leads back to itself"):
        exporter([loop])


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    found, record_ = scene()
    path = tmp_path / "a.json"
    path.touch()
    path.chmod(0o640)
    exporter([path]).write(record_, found)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", denied)
    with pytest.raises(UsageError, match="Permission denied"):
        exporter([tmp_path / "out.json"])


def test_the_check_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text("precious", encoding="utf-8")
    exporter([path])
    assert path.read_text(encoding="utf-8") == "precious"
