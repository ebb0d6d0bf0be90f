"""Everything that one command measured, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpuplay.results.result import Result, finite

SCHEMA = "gpuplay/1"


@dataclass(frozen=True)
class Record:
    """Everything one command measured: the machine, its roofs, and the results so far."""

    version: str
    created: str
    argv: tuple[str, ...]
    seed: int
    machine: Mapping[str, Any]
    roofs: Mapping[str, Any] | None
    results: tuple[Result, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The document of the ``gpuplay/1`` schema."""
        head = {"schema": SCHEMA, "gpuplay": self.version, "created": self.created, "argv": list(self.argv)}
        body = {"seed": self.seed, "machine": finite(dict(self.machine)), "roofs": finite(self.roofs)}
        return head | body | {"results": [result.as_json() for result in self.results]}
