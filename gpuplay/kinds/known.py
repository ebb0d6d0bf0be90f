"""Find the row of a target: gpuplay's own first, then those that installed packages offer, loaded when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from gpuplay.errors import UsageError
from gpuplay.kinds.built_in import BUILT_IN
from gpuplay.kinds.kind import Kind

GROUP = "gpuplay.targets"
UNKNOWN = "this version of gpuplay cannot run it"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FOUND = {kind.name: kind for kind in BUILT_IN}  # all that this process has asked for


@dataclass(frozen=True)
class Offer:
    """A target that an installed package offers: its name, the package, and why it cannot be used, '' where it can."""

    name: str
    package: str
    fault: str = ""


def kind_of(name: str) -> Kind:
    """The row of a target; UsageError, with the reason, where there is none."""
    if name not in _FOUND:
        _FOUND[name] = _offered(name)
    return _FOUND[name]


def is_known(name: str) -> bool:
    """Whether there is a target of this name, sound or not; packages are asked where it is none of gpuplay's own."""
    return name in _FOUND or any(point.name == name for point in _points())


def fault(name: str) -> str:
    """Why there is no row of this name, in one line; '' where there is one."""
    try:
        kind_of(name)
    except UsageError as error:
        return str(error).removeprefix(_subject(name))
    return ""


def names() -> tuple[str, ...]:
    """The names of all targets, those of packages behind gpuplay's own; nothing is loaded for it."""
    return tuple(dict.fromkeys([*(kind.name for kind in BUILT_IN), *(point.name for point in _points())]))


def offers() -> tuple[Offer, ...]:
    """All targets that installed packages offer, each loaded to see whether it can be used."""
    found: list[Offer] = []
    for point in _points():
        package = point.dist.name if point.dist else point.module
        others = [other.package for other in found if other.name == point.name]
        if any(kind.name == point.name for kind in BUILT_IN):
            found.append(Offer(point.name, package, "the name is gpuplay's own"))
        elif others:
            found.append(Offer(point.name, package, f"the name is taken by {others[0]}"))
        else:
            found.append(Offer(point.name, package, fault(point.name)))
    return tuple(found)


def variables(worker: str) -> dict[str, str]:
    """The environment variables that the targets asked for in this process want for their worker."""
    return {name: value for kind in _FOUND.values() if kind.worker == worker for name, value in kind.variables}


@cache
def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _offered(name: str) -> Kind:
    """The row behind the first entry point of this name. Whatever goes wrong in a package's module is a UsageError."""
    point = next((point for point in _points() if point.name == name), None)
    if point is None:
        raise UsageError(f"{_subject(name)}{UNKNOWN}")
    try:
        found: object = point.load()
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        said = (str(error).strip() or "no message").splitlines()[0]
        raise UsageError(f"{_subject(name)}{point.value} does not load: {type(error).__name__}: {said}") from error
    if not isinstance(found, Kind):
        raise UsageError(
            f"{_subject(name)}{point.value} is of type {type(found).__name__}, not a gpuplay.kinds.kind.Kind"
        )
    if found.name != name or not _NAME.fullmatch(name):
        raise UsageError(f"{_subject(name)}{point.value} is named {found.name!r}; both names are one, of a-z, 0-9, _")
    return found


def _subject(name: str) -> str:
    return f"target {name!r}: "
