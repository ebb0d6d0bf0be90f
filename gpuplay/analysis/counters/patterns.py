"""How the lanes of one warp step through memory: which of a few patterns the addresses of a request follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gpuplay.lockstep.record import WarpMap

PatternKind: TypeAlias = Literal["broadcast", "groups", "consecutive", "misaligned", "pieces", "strided", "gather"]
COMMON = 0.5  # of the steps between neighbours: a block 4 threads wide still keeps 24 of 31 within its rows


@dataclass(frozen=True)
class Pattern:
    """A pattern, and the commonest step in bytes from one lane to the next.

    ``broadcast``: all lanes at one address. ``groups``: neighbours share addresses, the groups lie apart.
    ``consecutive``: neighbours are adjacent elements, and as few sectors are touched as can be.
    ``misaligned``: the same, with one sector more. ``pieces``: the same in several runs, with more than that.
    ``strided``: a step of more than an element. ``gather``: no step is common.
    """

    kind: PatternKind
    step: int = 0


def pattern(drawn: WarpMap) -> Pattern:
    """The pattern of a warp's addresses."""
    touched = {address for address in drawn.addresses if address is not None}
    if len(touched) <= 1:
        return Pattern("broadcast")
    neighbours = zip(drawn.addresses, drawn.addresses[1:], strict=False)
    steps = Counter(there - here for here, there in neighbours if here is not None and there is not None)
    if not steps:
        return Pattern("gather")
    step, times = steps.most_common(1)[0]
    if times <= COMMON * steps.total():
        return Pattern("gather", step)
    if step == 0:
        return Pattern("groups")
    if abs(step) > drawn.width:
        return Pattern("strided", step)
    excess = drawn.cost - drawn.ideal
    return Pattern("consecutive" if excess == 0 else "misaligned" if excess == 1 else "pieces", step)
