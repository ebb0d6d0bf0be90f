"""Exports that are written while a command measures: often enough to lose little, seldom enough to cost little."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

SHARE = 0.1  # of a command's time that writing may take; a file of a few hundred cells is written after each


class Exports:
    """Writes all that there is so far, at the latest when it is closed.

    A file is written as a whole each time. That after every one of N results would take time in proportion to N²,
    so a write is followed by a pause: 1 / `SHARE` times as long as it took, which no sweep of a few cells notices.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests_until = 0.0
        self.lost = ""

    def offer(self, write: Callable[[], None]) -> None:
        """Write now, or leave it to a later call."""
        if self._clock() >= self._rests_until:
            self.finish(write)

    def finish(self, write: Callable[[], None]) -> None:
        """Write now; where a file that could be written no longer can, say why, once: ``lost`` tells since."""
        began = self._clock()
        try:
            write()
        except OSError as error:
            if not self.lost:
                print(f"gpuplay: the export is lost: {error}; measuring goes on", file=sys.stderr)
            self.lost = str(error)
        ended = self._clock()
        self._rests_until = ended + (ended - began) / SHARE
