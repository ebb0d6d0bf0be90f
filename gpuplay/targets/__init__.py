"""Targets: where variants run. Each says whether it is here, holds arrays, runs, synchronises, tells time.

Only a worker opens a target; the main process asks `why_not`, which imports neither numba nor numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpuplay.kinds import known

if TYPE_CHECKING:
    from gpuplay.targets.base import Target


def open_target(name: str, device: int = 0, *, graph: bool = False) -> Target:
    """The target of this name; ``device`` is the index of the GPU. Opening it does not touch the device yet.

    With ``graph`` a GPU replays runs that were captured. UsageError where no such target is known.
    """
    kind = known.kind_of(name)
    opens: Callable[..., Target] = followed(kind.opens)
    return opens(device, graph=graph) if kind.on_gpu else opens()


def why_not(name: str, device: int = 0) -> str:
    """An empty string where the target can run, else one line: why not, and what mends it. Cheap."""
    if fault := known.fault(name):
        return fault
    kind = known.kind_of(name)
    if not kind.absent:
        return ""
    try:
        absent: Callable[..., str] = followed(kind.absent)
        return absent(device) if kind.on_gpu else absent()
    except Exception as error:  # noqa: BLE001 - whatever a package's function raises is the reason
        return f"{kind.absent} fails: {type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"


def followed(reference: str) -> Callable[..., Any]:
    """What a row names as ``module:name``, its module imported now."""
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
