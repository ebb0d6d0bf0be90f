"""What Numba compiled while a block ran, as its own events report it."""

from __future__ import annotations

import importlib
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

EVENTS = {"cpu": "numba.core.event", "cuda": "numba.cuda.core.event"}


class CompileClock:
    """Count compilations and add up their seconds inside a ``with`` block; nested ones count once.

    A function that comes from the disk cache raises no event, so a count of zero means a cache hit.
    ``target`` decides whose events are heard: numba-cuda has its own, the others compile nothing.
    """

    def __init__(self, target: str) -> None:
        self.count = 0
        self.seconds = 0.0
        self._events = EVENTS.get(target)
        self._recorded: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._events:
            event = importlib.import_module(self._events)
            self._recorded = self._stack.enter_context(event.install_recorder("numba:compile"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        depth, began = 0, 0.0
        for moment, happening in self._recorded.buffer if self._recorded else ():
            if happening.is_start:
                began = moment if depth == 0 else began
                depth += 1
                self.count += 1
            else:
                depth -= 1
                self.seconds += moment - began if depth == 0 else 0.0
