"""How commands of gpuplay's are started and what they print; its kernels' names."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpuplay.catalog.find import bundled_kernels

BUNDLED = tuple(origin.name for origin in bundled_kernels())


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


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C reach the processes started here, even where the tests themselves were started with it ignored.

    A background job of a script has SIGINT ignored; its children inherit that, and Python then never raises
    KeyboardInterrupt. What the parent handles, though, is the default again in a child.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def copy_roofs(cache: Path, folder: Path) -> None:
    """Give a cache folder of its own the roofs of this machine, where a command has measured them already."""
    for kept in cache.glob("roofs-*.json"):
        shutil.copy(kept, folder)


Gpuplay = Callable[..., Outcome]
