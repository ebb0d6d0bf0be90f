"""Everything that one command measured, and its JSON form."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpuplay import __version__
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


@dataclass(frozen=True)
class Stamp:
    """By which version, when and by what words something was made."""

    version: str
    created: str
    argv: tuple[str, ...]


def stamp() -> Stamp:
    """The stamp of this process, now."""
    return Stamp(__version__, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), ("gpuplay", *sys.argv[1:]))


def begun(seed: int, machine: Mapping[str, Any], roofs: Mapping[str, Any] | None = None) -> Record:
    """A record of this command without results."""
    now = stamp()
    return Record(now.version, now.created, now.argv, seed, machine, roofs)
