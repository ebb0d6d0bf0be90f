"""One cache folder for the whole run of the tests, and a way to call gpuplay as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KERNELS = Path(__file__).parent / "kernels"


@dataclass(frozen=True)
class Outcome:
    """What a command printed, its exit code, and the seconds it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of a command that was given --json."""
        return json.loads(self.out)["results"]

    def cell(self, variant: str, **wanted: Any) -> dict[str, Any]:
        """The only result of a variant, further narrowed by fields of the record."""
        found = [
            r for r in self.results if r["variant"] == variant and all(r[key] == value for key, value in wanted.items())
        ]
        assert len(found) == 1, f"{len(found)} results for {variant} {wanted}\n{self.err}"
        return found[0]


Gpuplay = Callable[..., Outcome]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all commands of this run share; the roofs are measured in it once."""
    return tmp_path_factory.mktemp("cache")


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
