"""Ctrl-C keeps what was measured; a parent that is killed leaves no worker behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from command import interruptible

WORDS = (
    "activation",
    "--sizes",
    "2^12..2^24",
    "--cell-time",
    "0.5s",
    "-o",
    "kept.json",
    "-o",
    "kept.csv",
    "-o",
    "kept.md",
)


@pytest.fixture
def running(tmp_path: Path, cache: Path) -> Iterator[subprocess.Popen[str]]:
    """A sweep in the background that has already exported its first result."""
    environment = os.environ | {"GPUPLAY_CACHE_DIR": str(cache), "COLUMNS": "100"}
    words = [sys.executable, "-m", "gpuplay", *WORDS]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
    with interruptible():
        process: subprocess.Popen[str] = subprocess.Popen(words, cwd=tmp_path, env=environment, **pipes)
    until = time.monotonic() + 120
    while not measured(tmp_path) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    with process:
        yield process
        process.kill()


def measured(folder: Path) -> list[dict[str, object]]:
    path = folder / "kept.json"
    results = json.loads(path.read_text())["results"] if path.exists() else []
    return [result for result in results if result["status"] == "ok"]


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=10)[1]


def test_ctrl_c_shows_and_exports_what_was_measured(running: subprocess.Popen[str], tmp_path: Path) -> None:
    left_over = workers(running)
    assert left_over
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted" in out.lower()
    names = [str(result["variant"]) for result in measured(tmp_path)]
    assert names
    assert all(name in (tmp_path / file).read_text() for name in names for file in ("kept.csv", "kept.md"))
    assert gone(left_over)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_parent_leaves_no_worker(running: subprocess.Popen[str]) -> None:
    left_over = workers(running)
    assert left_over
    running.kill()
    assert gone(left_over)


def test_ctrl_c_ends_a_check_and_says_what_was_not_looked_at(tmp_path: Path, cache: Path) -> None:
    environment = os.environ | {"GPUPLAY_CACHE_DIR": str(cache), "COLUMNS": "100"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
    with interruptible():
        words = [sys.executable, "-m", "gpuplay", "check", "lstm", "--on", "cpu,cuda"]
        process: subprocess.Popen[str] = subprocess.Popen(words, cwd=tmp_path, env=environment, **pipes)
    until = time.monotonic() + 60
    while not workers(process) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted after " in out
    assert "what is not above was not looked at" in out
