"""``gpuplay peers`` as users call it: rows measured, judged, exported; and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import jsonschema
import pytest
import schemas
from command import Gpuplay, interruptible

from gpuplay.commands import peers
from gpuplay.commands.asked import Output, PeersAsked
from gpuplay.errors import TargetMissing
from gpuplay.peers.rows import ROWS
from gpuplay.peers.terms import Condition, Mean, OfYardstick, Promise, Scaling, Worst, case
from gpuplay.plan.settings import Settings
from gpuplay.targets import why_not

QUICK = ("peers", "--quick", "--rounds", "2", "--cell-time", "50ms")
ASKED = PeersAsked(
    "cpu",
    settings=Settings(rounds=2, cell_time_s=0.02, cell_limit_s=60.0),
    output=Output(json=True, plain=True),
)
needs_no_gpu = pytest.mark.skipif(not why_not("cuda"), reason="there is a GPU")
COPY = OfYardstick(1e-6, 4096, "numpy:ufunc", (("function", "identity"),), "NumPy's copy")


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_row_is_measured_judged_and_exported(gpuplay: Gpuplay, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("rows.json", "rows.md")]
    done = gpuplay(*QUICK, "--rows", "dense:vector", "--json", *(word for file in files for word in ("-o", file)))
    document = json.loads(done.out)
    jsonschema.Draft202012Validator(schemas.of_peers()).validate(document)
    assert json.loads(files[0].read_text(encoding="utf-8")) == document
    (row,) = document["rows"]
    assert done.code == (1 if row["state"] == "missed" else 0), done.err
    (only,) = row["cases"]
    results = {result["variant"]: result for result in document["results"]}
    assert {result["status"] for name, result in results.items() if not name.startswith("torch")} == {"ok"}
    ours = [name for name, result in results.items() if result["class"] == "MIMD"]
    assert "cpu:parallel" in ours
    assert only["ours"]["variant"] == min(ours, key=lambda name: results[name]["time"]["median_s"])
    libraries = [name for name, result in results.items() if result["class"] == "library" and result["time"]]
    assert only["library"]["variant"] == min(libraries, key=lambda name: results[name]["time"]["median_s"])
    assert row["figures"][0]["reached"] == pytest.approx(only["ratio"])
    assert document["quick"]
    page = files[1].read_text(encoding="utf-8")
    assert "| dense:vector | mean of 1 case |" in page
    assert "[1/1] dense:vector" in done.err


def compare(
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    *needs: Condition,
    **more: Any,
) -> tuple[int, Any, str]:
    """The command in this process, with a small row of activation in the place of the table."""
    cases = (case(4096, function="relu"), case(1000, "sloped", function="leaky_relu"))
    row = Promise("small", "activation", cases, needs, **{"peers": ("numpy",), **more})
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(cache))
    monkeypatch.setattr(peers, "ROWS", {"cpu": (row,)})
    code = peers.peers(ASKED)
    printed = capsys.readouterr()
    return code, json.loads(printed.out), printed.err


def test_explicit_problems_and_their_yardstick_are_measured_in_one_run(
    monkeypatch: pytest.MonkeyPatch, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, said = compare(monkeypatch, cache, capsys, Mean(1e-6), Worst(1e-6), COPY)
    cells = {(r["variant"], r["params"]["function"], r["size"]): r for r in document["results"]}
    libraries = {key[1:] for key in cells if key[0] == "numpy:ufunc"}
    assert libraries == {("relu", 4096), ("leaky_relu", 1000), ("identity", 4096)}
    assert {key[1:] for key in cells if key[0].startswith("cpu:")} == {("relu", 4096), ("leaky_relu", 1000)}
    assert {(r["status"], len(r["time"]["rounds"])) for r in cells.values()} == {("ok", 2)}
    (row,) = document["rows"]
    ours = cells[row["cases"][0]["ours"]["variant"], "relu", 4096]["time"]["rounds"]
    copy = cells["numpy:ufunc", "identity", 4096]["time"]["rounds"]
    paired = [median(theirs) / median(own) for theirs, own in zip(copy, ours, strict=True)]
    assert row["figures"][2]["reached"] == pytest.approx(median(paired))
    assert (row["state"], code) == ("holds", 0)
    assert "numpy:ufunc n=4096 function=identity: " in said


def test_a_figure_that_is_not_reached_is_a_regression(
    monkeypatch: pytest.MonkeyPatch, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, _ = compare(monkeypatch, cache, capsys, Worst(1e6))
    assert document["rows"][0]["state"] == "missed"
    assert code == 1


def test_more_threads_than_cores_are_not_measured_and_not_judged(
    monkeypatch: pytest.MonkeyPatch, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, _ = compare(monkeypatch, cache, capsys, Scaling(1.85, 512), peers=(), threads=(1, 512))
    assert {result["status"] for result in document["results"]} == {"skipped"}
    assert "needs 512 cores" in document["rows"][0]["figures"][0]["reason"]
    assert (document["rows"][0]["state"], code) == ("not judged", 0)


def test_a_library_that_is_missing_is_said_and_none_at_all_is_an_error(
    monkeypatch: pytest.MonkeyPatch, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "why_not", lambda name, _device: "PyTorch is not installed" if name == "torch" else "")
    _, document, _ = compare(monkeypatch, cache, capsys, Worst(1e-6), peers=("numpy", "torch"))
    (row,) = document["rows"]
    assert row["remarks"] == ["without torch (PyTorch is not installed): the other libraries alone"]
    assert {one["library"]["variant"] for one in row["cases"]} == {"numpy:ufunc"}
    assert {r["status"] for r in document["results"] if r["variant"] == "torch:map"} == {"skipped"}
    with pytest.raises(TargetMissing, match="no library is here to stand against: torch: PyTorch is not installed"):
        compare(monkeypatch, cache, capsys, Worst(1e-6), peers=("torch",))


REFUSED = {
    "an unknown row": (("--rows", "matmull"), "no row 'matmull' (did you mean matmul?)"),
    "an unknown machine": (("gpu",), "peers gpu: give one of cpu, cuda"),
    "an unknown suffix": (("-o", "rows.csv"), "use .json, .md"),
    "no rounds": (("--rounds", "0"), "--rounds 0: give 1 to 100"),
    "a time that is none": (("--cell-time", "soon"), "--cell-time 'soon': no duration"),
    "a seed below 0": (("--seed", "-1"), "--seed -1: give a whole number from 0"),
}


@pytest.mark.parametrize("what", REFUSED, ids=lambda text: text.replace(" ", "-"))
def test_a_wrong_word_is_named_and_nothing_is_measured(gpuplay: Gpuplay, what: str) -> None:
    given, fragment = REFUSED[what]
    done = gpuplay("peers", *given)
    assert (done.code, done.out) == (2, "")
    assert fragment in words(done.err)
    assert "Traceback" not in done.err


@needs_no_gpu
def test_without_a_gpu_every_row_is_shown_and_exported_as_unmeasured(gpuplay: Gpuplay, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("rows.json", "rows.md")]
    done = gpuplay("peers", "cuda", *(word for file in files for word in ("-o", file)))
    assert done.code == 3
    assert done.seconds < 30
    assert words(done.err).startswith("gpuplay: peers cuda: cuda is not here: ")
    assert f"{len(ROWS['cuda'])} rows unmeasured: " in words(done.out)
    document = json.loads(files[0].read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schemas.of_peers()).validate(document)
    assert [row["row"] for row in document["rows"]] == [row.name for row in ROWS["cuda"]]
    assert {row["state"] for row in document["rows"]} == {"unmeasured"}
    assert all(figure["reason"].startswith("unmeasured: ") for row in document["rows"] for figure in row["figures"])
    assert "| activation:relu | worst | 1.00 × | unmeasured |" in files[1].read_text(encoding="utf-8")
    as_json = gpuplay("peers", "cuda", "--json", "--rows", "lstm")
    assert (as_json.code, [row["row"] for row in json.loads(as_json.out)["rows"]]) == (3, ["lstm:layer", "lstm:cell"])


def test_the_plan_for_a_gpu_needs_none(gpuplay: Gpuplay) -> None:
    done = gpuplay("peers", "cuda", "--plan")
    assert done.code == 0
    for figure in (
        "of a device copy at n = 2^28 ≥ 0.95 ×",
        "worst of cuda:bf16 ≥ 0.60 ×; worst ≥ 0.90 ×",
        "of the copy roof ≥ 90 %",
    ):
        assert figure in words(done.out)


def test_the_plan_shows_the_figures_and_runs_nothing(gpuplay: Gpuplay) -> None:
    done = gpuplay("peers", "--plan", "--rows", "conv2d:3x3", COLUMNS="80")
    assert done.code == 0
    assert "worst of cpu:parallel ≥ 0.95 ×" in words(done.out)
    assert "Nothing was run." in done.out
    assert done.seconds < 30


def test_ctrl_c_keeps_the_rows_that_were_judged(tmp_path: Path, cache: Path) -> None:
    environment = os.environ | {"GPUPLAY_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "gpuplay", *QUICK, "--rows", "dense,lstm", "-o", "kept.json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
    with interruptible():
        process: subprocess.Popen[str] = subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes)
    with process:
        until = time.monotonic() + 120
        while not (tmp_path / "kept.json").exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert kept["interrupted"]
    assert kept["rows"][0]["row"] == "dense:vector"
    assert kept["rows"][0]["state"] in ("holds", "missed")
    assert len(kept["rows"]) < kept["asked"] == 3
    assert "Interrupted." in out
