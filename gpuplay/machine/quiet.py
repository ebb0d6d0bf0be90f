"""Is the machine quiet enough to time something? CPU time of our own processes, and of all others.

Pools of threads go on spinning for a while after their work. What runs next then shares its cores
with them and takes up to a thousand times as long. So every turn begins by waiting until the other
processes' CPU time stands still.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

LINUX = sys.platform.startswith("linux")
COARSE_WINDOW_S = 0.05  # elsewhere CPU times advance in steps of up to 16 ms
SHORTEST_S = 0.1  # of an interval over which the whole machine's CPU time, kept in 10 ms ticks, tells something


def wait_until_quiet(pids: Iterable[int], limit_s: float = 0.3, window_s: float = 0.005, share: float = 0.2) -> bool:
    """Wait until the processes together use less than ``share`` of a core over a window.

    Parameters
    ----------
    pids : processes to watch; one that is gone counts as quiet.
    limit_s : longest wait in seconds.
    window_s : seconds over which CPU time must stand still; at least 0.05 except on Linux.
    share : CPU time that counts as standing still, as a fraction of the window.

    Returns
    -------
    False where the limit passed and they were still busy.
    """
    watched = tuple(pids)
    if not watched:
        return True
    window = window_s if LINUX else max(window_s, COARSE_WINDOW_S)
    began = time.perf_counter()
    at, used = began, cpu_seconds(watched)
    while True:
        time.sleep(window)
        now, total = time.perf_counter(), cpu_seconds(watched)
        if total - used < share * (now - at) and not _waiting_for_a_core(watched):
            return True
        if now - began >= limit_s:
            return False
        at, used = now, total


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that the processes have used so far, all their threads counted; 0 for one that is gone."""
    return sum(_process_seconds(pid) for pid in pids)


def _waiting_for_a_core(pids: Iterable[int]) -> bool:
    """Whether a thread of the processes could run, though it may have used no CPU time (Linux).

    Where more threads spin than there are cores, each of them stands still for milliseconds on end.
    """
    if not LINUX:
        return False
    return any(_state(thread) == "R" for pid in pids for thread in Path(f"/proc/{pid}/task").glob("*"))


def _state(thread: Path) -> str:
    """The scheduler's letter for a thread, R where it runs or could; empty where the thread has ended."""
    try:
        return (thread / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _process_seconds(pid: int) -> float:
    if LINUX:
        # The kernel's number for the CPU clock of another process: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
        with suppress(OSError, OverflowError):
            return time.clock_gettime_ns((~pid << 3) | 2) * 1e-9
        return 0.0
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


class LoadMeter:
    """How many cores processes other than ours keep busy, from one reading to the next."""

    def __init__(self) -> None:
        self._at = time.perf_counter()
        self._busy = _machine_seconds()
        self._ours: dict[int, float] = {os.getpid(): time.process_time()}
        self._last = 0.0

    def read(self, pids: Iterable[int]) -> float:
        """Cores used by others since the last reading; the last value again where that is under 0.1 s ago.

        A processor's stolen time, which a virtual machine loses to its neighbours, counts as others'.
        """
        now = time.perf_counter()
        if now - self._at < SHORTEST_S:
            return self._last
        busy = _machine_seconds()
        ours = {pid: _process_seconds(pid) for pid in {*pids, os.getpid()}}
        mine = sum(max(0.0, used - self._ours.get(pid, 0.0)) for pid, used in ours.items())
        self._last = max(0.0, (busy - self._busy - mine) / (now - self._at))
        self._at, self._busy, self._ours = now, busy, ours
        return self._last


_METERS: list[LoadMeter] = []


def other_load(pids: Iterable[int]) -> float:
    """Cores that processes other than ``pids`` and this one have used since the last call; 0 the first time."""
    if not _METERS:
        _METERS.append(LoadMeter())
    return _METERS[0].read(pids)


def _machine_seconds() -> float:
    """Busy CPU seconds so far, summed over the processors that this process may use."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    busy = 0.0
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        if allowed is None or number in allowed:
            parts = ("user", "nice", "system", "irq", "softirq", "steal", "interrupt", "dpc")
            busy += sum(getattr(times, part, 0.0) for part in parts)
    return busy
