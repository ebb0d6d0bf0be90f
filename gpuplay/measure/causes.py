"""The likely cause of a wrong output, where the pattern of wrong elements makes it plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.measure.poison import Poison, is_float

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = {1: ("element",), 2: ("row", "column")}


def likely_cause(got: NDArray[Any], wrong: NDArray[np.bool_], knobs: Mapping[str, int], poison: Poison | None) -> str:
    """A clause for the reason of a failure, or '' where nothing is plain.

    ``got`` is a whole output, ``wrong`` the mask of its wrong elements, ``poison`` what the output held before.
    """
    count, total = int(wrong.sum()), wrong.size
    edge = edge_cause(wrong.shape, [int(axis.min()) for axis in np.nonzero(wrong)], knobs)
    if is_float(got.dtype.str) and (nan := wrong & np.isnan(got)).any():
        return nan_cause(got, nan, poison) + (f", {edge}" if edge else "")
    if count == total:
        return "every element is wrong"
    return edge or f"{count} of {total} elements are wrong"


def nan_cause(got: NDArray[Any], wrong: NDArray[np.bool_], poison: Poison | None) -> str:
    """Why ``wrong`` elements are NaN: nobody wrote them, they were made of such elements, or NaN was computed."""
    count, total = int(wrong.sum()), wrong.size
    which = "every element was" if count == total else f"{count} of {total} elements were"
    if poison and (never := int((poison.untouched(got) & wrong).sum())):
        return "no element was written" if never == total else f"{never} of {total} elements were never written"
    if poison and (poison.derived(got) & wrong).any():
        return f"{which} made of elements that nobody had written"
    return f"{which} computed as NaN, as of 0/0, inf/inf, inf - inf or the root of a negative number"


def edge_cause(shape: Sequence[int], first: Sequence[int], knobs: Mapping[str, int]) -> str:
    """'last column; 33 is no multiple of 16' where wrong elements lie only at the end of an axis.

    ``first`` is the smallest index of a wrong element along each axis.
    """
    names = AXES.get(len(shape), tuple(f"index of axis {axis}" for axis in range(len(shape))))
    for axis in reversed(range(len(shape))):
        extent = shape[axis]
        if extent < 2 or first[axis] == 0:
            continue
        partial = [(knob, v) for knob, v in knobs.items() if extent % v and first[axis] >= extent - extent % v]
        why = f"; {extent} is no multiple of {partial[0][1]}" if partial else ""
        if first[axis] == extent - 1:
            return f"last {names[axis]}{why}"
        if partial:
            return f"in the last, partial {partial[0][0]} of {names[axis]}s{why}"
    return ""
