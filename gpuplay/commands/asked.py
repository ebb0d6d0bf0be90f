"""What a command is asked for, as frozen values that the command line makes once."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings


@dataclass(frozen=True)
class Output:
    """Where results go: files, JSON or a page on stdout; a plan in their place; what the workers printed."""

    export: tuple[str, ...] = ()
    json: bool = False
    detail: bool = False
    plan: bool = False
    plain: bool = False
    debug: bool = False


@dataclass(frozen=True)
class Asked:
    """Of a kernel's command: which cells, how they are measured, where the results go."""

    choice: Choice
    settings: Settings = field(default_factory=Settings)
    output: Output = field(default_factory=Output)


@dataclass(frozen=True)
class LadderAsked(Asked):
    """Of ``gpuplay ladder``; with ``diff`` the changes of the source alone."""

    diff: bool = False


@dataclass(frozen=True)
class ExplainAsked(Asked):
    """Of ``gpuplay explain``; ``map`` names a line whose accesses are drawn."""

    map: str | None = None


@dataclass(frozen=True)
class CodeAsked(Asked):
    """Of ``gpuplay code``: in which form, for which architectures."""

    form: str | None = None
    arch: str | None = None


@dataclass(frozen=True)
class PeersAsked:
    """Of ``gpuplay peers``: the rows of a machine, all or by name."""

    machine: str
    rows: str | None = None
    quick: bool = False
    settings: Settings = field(default_factory=Settings)
    output: Output = field(default_factory=Output)
