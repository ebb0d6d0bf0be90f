"""What Numba compiled while a block ran, as its own events report it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from gpuplay.kinds.kind import Compiler

# Whose events: which last as long as a compilation, and which tell that it really was one. numba-cuda holds its
# lock for what comes from the disk cache, too, but runs passes only where there is nothing.
EVENTS: Mapping[Compiler, tuple[str, str, str]] = {
    "numba": ("numba.core.event", "numba:compile", "numba:compile"),
    "numba-cuda": ("numba.cuda.core.event", "numba-cuda:compiler_lock", "numba-cuda:run_pass"),
}


class CompileClock:
    """Tell compilations and add up their seconds inside a ``with`` block; nested ones count once.

    A function that comes from the disk cache is not ``compiled``. ``compiler`` decides whose events are heard.
    """

    def __init__(self, compiler: Compiler) -> None:
        self.compiled = False
        self.seconds = 0.0
        self._events = EVENTS.get(compiler)
        self._spans: Any = None
        self._proofs: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._events:
            module, span, proof = self._events
            event = importlib.import_module(module)
            self._spans = self._stack.enter_context(event.install_recorder(span))
            self._proofs = self._stack.enter_context(event.install_recorder(proof))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if self._events is None:
            return
        self.compiled = bool(self._proofs.buffer)
        depth, began = 0, 0.0
        for moment, happening in self._spans.buffer:
            if happening.is_start:
                began = moment if depth == 0 else began
                depth += 1
            else:
                depth -= 1
                self.seconds += moment - began if depth == 0 else 0.0
