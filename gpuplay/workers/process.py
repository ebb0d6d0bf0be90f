"""The parent's end of a worker process: start it, ask it, notice its death, kill it in time."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping

from gpuplay.errors import DeadlinePassed, WorkerLost
from gpuplay.workers.tasks import Failure, Task, TaskError, Tasks, sent

LOG_TAIL = 2000
ENTRY = "from gpuplay.workers.worker import main; main()"  # not -m: what is pickled belongs to that module
_GONE = object()


class Process:
    """One spawned worker with an environment of its own.

    A thread reads its replies, so that an answer, its death and a deadline are all waited for in
    one place. The worker is not in the terminal's process group: Ctrl-C reaches the parent alone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-c", ENTRY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | dict(environment),
            start_new_session=True,
        )
        self._replies: queue.SimpleQueue[object] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._popen.poll() is None

    def tasks(self, timeout_s: float | None = None) -> Tasks:
        """What the worker can be asked; each call waits for the result, ``timeout_s`` at most.

        A call raises the `GpuplayError` that the task raised, TaskError for any other exception in it, and
        WorkerLost when the process died or the deadline passed (it is killed then).
        """
        return sent(lambda task: self._ask(task, timeout_s))

    def _ask(self, task: Task, timeout_s: float | None) -> object:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(task, self._popen.stdin)
            self._popen.stdin.flush()
        try:
            reply = self._replies.get(timeout=timeout_s)
        except queue.Empty:
            self.kill()
            raise DeadlinePassed(f"still running after {timeout_s:g} s and was killed (--cell-timeout)") from None
        if reply is _GONE:
            raise WorkerLost(self._obituary())
        if isinstance(reply, Failure):
            raise reply.error or TaskError(reply)
        return reply

    def kill(self) -> None:
        """End the process now."""
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        """End the process and release the pipes."""
        self.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        self._log.close()

    def log_tail(self) -> str:
        """The end of what the worker printed."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - LOG_TAIL))
        return self._log.read().decode(errors="replace").strip()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        try:
            while True:
                self._replies.put(pickle.load(self._popen.stdout))  # noqa: S301 - our own worker writes it
        except Exception:  # noqa: BLE001 - whatever breaks the stream, the worker is lost to us
            self._replies.put(_GONE)

    def _obituary(self) -> str:
        """How the process ended, in words."""
        code = self._popen.wait()
        if code < 0:
            number = signal.Signals(-code)
            words = {
                "SIGSEGV": "segmentation fault",
                "SIGKILL": "killed",
                "SIGABRT": "aborted",
                "SIGFPE": "arithmetic trap",
            }
            return f"{words.get(number.name, 'ended')} ({number.name}) in its process"
        return f"its process ended with exit code {code}"
