"""The likely cause of a wrong output, where the pattern of wrong elements makes it plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = {1: ("element",), 2: ("row", "column")}


def likely_cause(got: NDArray[Any], wrong: NDArray[np.bool_], knobs: Mapping[str, int]) -> str:
    """A clause for the reason of a failure, or '' where nothing is plain.

    ``got`` is an output, ``wrong`` the mask of its wrong elements.
    """
    count, total = int(wrong.sum()), wrong.size
    if count == 0:
        return ""
    unwritten = np.isnan(got) if got.dtype.kind == "f" else np.zeros(got.shape, dtype=bool)
    if (unwritten & wrong).sum() == count:
        place = _edge(wrong, knobs)
        never = "no element was written" if count == total else f"{count} of {total} elements were never written"
        return never + (f", {place}" if place else "")
    if count == total:
        return "every element is wrong"
    return _edge(wrong, knobs) or f"{count} of {total} elements are wrong"


def _edge(wrong: NDArray[np.bool_], knobs: Mapping[str, int]) -> str:
    """'last column; 33 is no multiple of 16' where all wrong elements lie in the last index or partial tile."""
    indices = np.nonzero(wrong)
    names = AXES.get(wrong.ndim, tuple(f"index of axis {axis}" for axis in range(wrong.ndim)))
    for axis in reversed(range(wrong.ndim)):
        extent = wrong.shape[axis]
        first = int(indices[axis].min())
        if extent < 2 or first == 0:
            continue
        partial = [(knob, v) for knob, v in knobs.items() if extent % v and first >= extent - extent % v]
        why = f"; {extent} is no multiple of {partial[0][1]}" if partial else ""
        if first == extent - 1:
            return f"last {names[axis]}{why}"
        if partial:
            return f"in the last, partial {partial[0][0]} of {names[axis]}s{why}"
    return ""
