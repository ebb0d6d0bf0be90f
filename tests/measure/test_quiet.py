"""Waiting for quiet, with processes that really spin."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gpuplay.machine import quiet

SPIN = "import time\nprint(flush=True)\nend = time.perf_counter() + {seconds}\nwhile time.perf_counter() < end: pass\n"
SLEEP = "import time\nprint(flush=True)\ntime.sleep(30)\n"


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that has begun to run ``code``, killed at the end."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started
        finally:
            started.kill()


def test_a_spinning_process_is_not_quiet_and_the_wait_ends_at_its_limit() -> None:
    with process(SPIN.format(seconds=30)) as spinning:
        began = time.perf_counter()
        assert not quiet.wait_until_quiet([spinning.pid], limit_s=0.1)
        assert time.perf_counter() - began >= 0.1


def test_a_sleeping_process_is_quiet_at_once() -> None:
    with process(SLEEP) as sleeping:
        time.sleep(0.5)
        assert quiet.wait_until_quiet([sleeping.pid, sleeping.pid], limit_s=0)


def test_the_wait_ends_when_the_spinning_does() -> None:
    with process(SPIN.format(seconds=0.4) + SLEEP) as spinning:
        assert quiet.wait_until_quiet([spinning.pid], limit_s=60)
        assert select.select([spinning.stdout], [], [], 0)[0], "it has said that it sleeps"


def test_one_busy_process_among_quiet_ones_is_seen() -> None:
    with process(SLEEP) as sleeping, process(SPIN.format(seconds=30)) as spinning:
        assert not quiet.wait_until_quiet([sleeping.pid, spinning.pid], limit_s=0.05)


def test_a_process_that_is_gone_is_quiet() -> None:
    with process(SLEEP) as gone:
        pass
    assert quiet.wait_until_quiet([gone.pid])
    assert quiet.cpu_seconds([gone.pid]) == 0
    assert quiet.wait_until_quiet([])


def test_cpu_time_is_counted_as_the_system_counts_it() -> None:
    before, own = quiet.cpu_seconds([os.getpid()]), time.process_time()
    while time.process_time() - own < 0.05:
        pass
    assert quiet.cpu_seconds([os.getpid()]) - before == pytest.approx(time.process_time() - own, abs=0.02)


def test_the_load_of_others_leaves_out_our_own() -> None:
    with process(SPIN.format(seconds=30)) as spinning:
        knowing, unaware = quiet.LoadMeter(), quiet.LoadMeter()
        knowing.read([spinning.pid])
        time.sleep(0.4)
        knowing.read([spinning.pid])
        time.sleep(0.4)
        ours, others = knowing.read([spinning.pid]), unaware.read([])
    assert others > ours
    assert others > 0.25


def test_readings_close_together_repeat_the_last_value() -> None:
    meter = quiet.LoadMeter()
    time.sleep(0.12)
    assert meter.read([]) == meter.read([])
