"""One cache folder for the whole run of the tests, and a way to call gpuplay as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import Gpuplay, Outcome
from places import TESTS

LONG = (
    *("kernels/test_cpu_variants", "targets/test_offline", "gpu/test_variants", "commands/test_check_and_new"),
    *("kernels/test_scalar_code", "commands/test_sweeps", "commands/test_peers", "commands/test_explain"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no process has one of them left when the others are done."""
    ranks = {TESTS / f"{name}.py": rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONG)))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all commands of a run of the tests share: what is compiled or measured there, is so once."""
    run = tmp_path_factory.getbasetemp()
    folder = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def gpuplay(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Gpuplay:
    """Run ``gpuplay`` with these words in an empty folder, as a process of its own."""
    empty = tmp_path_factory.mktemp("empty")

    def run(*words: object, folder: Path = empty, timeout: float = 240.0, **environment: str) -> Outcome:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "gpuplay", *map(str, words)],
            cwd=folder,
            env=os.environ | {"GPUPLAY_CACHE_DIR": str(cache), "COLUMNS": "100"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, time.perf_counter() - began)

    return run
