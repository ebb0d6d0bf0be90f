"""``gpuplay check --watch`` in a process of its own: it checks again after a save, and outlives broken files."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Gpuplay, interruptible

LIMIT_S = 120.0  # far above what a check takes; it only ends a test that would wait for ever

MINE = """
from gpuplay.kernel import Kernel, Variant

def twice(p):
    def run(y, x):
        y[:] = x * {factor}
    return run

KERNEL = Kernel(
    name="mine", summary="y = 2x", size="64", dtypes=("float32",), output=lambda p: p.n,
    inputs=lambda p, rng: {{"x": rng.standard_normal(p.n, dtype=p.dtype)}}, reference=lambda p, x: 2 * x,
    variants=(Variant("numpy:twice", "library", "twice", twice),),
)
"""


class Watch:
    """A watching process and what it printed, run by run."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.file = folder / "mine.py"
        self.save(2)
        with interruptible():
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gpuplay", "check", "./mine.py", "--watch"],
                cwd=folder,
                env=os.environ | {"GPUPLAY_CACHE_DIR": str(cache), "COLUMNS": "100"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def save(self, factor: object) -> None:
        """Put a new version in the file's place, as editors do."""
        fresh = self.file.with_name(".mine.py.swp")
        fresh.write_text(MINE.format(factor=factor), encoding="utf-8")
        fresh.replace(self.file)

    def run(self) -> str:
        """What the next run prints, to its last line."""
        text = ""
        while "watching mine.py" not in text:
            text += self._lines.get(timeout=LIMIT_S)
        return text

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


@pytest.fixture
def watch(tmp_path: Path, cache: Path) -> Iterator[Watch]:
    watching = Watch(tmp_path, cache)
    yield watching
    watching.process.kill()
    watching.process.wait()
    assert watching.process.stdout is not None
    watching.process.stdout.close()


def test_every_save_is_checked_a_broken_file_is_outlived_and_ctrl_c_ends(watch: Watch) -> None:
    assert "all right  watching mine.py; Ctrl-C ends" in watch.run()
    watch.save(3)
    failed = watch.run()
    assert failed.startswith("  ✗ numpy:twice")
    assert "not right" in failed
    watch.save("(")
    assert "mine.py:6: syntax error" in " ".join(watch.run().split())
    watch.save(2)
    assert "all right" in watch.run()
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(LIMIT_S) == 0


def test_a_save_that_changes_nothing_starts_no_run(watch: Watch) -> None:
    assert "all right" in watch.run()
    watch.save(2)
    time.sleep(1.5)  # several looks at the file
    watch.save(3)
    assert "not right" in watch.run()  # the run of the second save: none lay between


def test_a_watch_of_everything_is_refused(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", "--watch")
    assert done.code == 2
    assert "name the kernel to watch: gpuplay check ./mine.py --watch" in done.err
