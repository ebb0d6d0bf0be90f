"""What a command of gpuplay's printed, and where the tests' own kernels are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def copy_roofs(cache: Path, folder: Path) -> None:
    """Give a cache folder of its own the roofs of this machine, where a command has measured them already."""
    for kept in cache.glob("roofs-*.json"):
        shutil.copy(kept, folder)


Gpuplay = Callable[..., Outcome]
