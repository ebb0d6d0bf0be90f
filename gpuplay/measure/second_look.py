"""A second call, with other bits around the arrays and in the outputs: it tells what one call cannot.

Numbers that stand around the inputs must not matter, nor what the outputs held before. Where they do, the run reads
beyond an array, or leaves elements unwritten, whether or not its outputs happened to be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.measure.verify import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gpuplay.measure.building import Built
    from gpuplay.measure.data import Placed

LOOKED_AT_BYTES = 64 << 20  # of outputs: larger problems run code that smaller ones have shown
SURE = 8  # rounds in which outputs that differ anyhow, in two ways or more, would hardly follow a zone by chance
SHORT_CALL_S = 0.1  # calls of which some more are no burden, once something is wrong


@dataclass(frozen=True)
class SecondLook:
    """The verdict on both calls, and the seconds of the second, which had nothing left to compile."""

    verdict: Verdict
    call_s: float


def look_again(built: Built, first: Verdict) -> SecondLook:
    """Judge a second call with other bits; the cause where it tells one, and otherwise the first verdict.

    The first call broke nothing besides its outputs.
    """
    data, small = built.data, built.data.output_bytes <= LOOKED_AT_BYTES
    before, poison = (data.outputs() if small else {}), data.patterns()
    built.draw_guards()
    call_s = built.run_once()
    after = data.outputs() if small else {}
    if _same(before, after) and not first.reason:
        return SecondLook(first, call_s)
    second = built.verdict()
    wrong = second if second.foul or not first.reason else first
    if wrong.foul or not small:
        return SecondLook(wrong, call_s)
    again = data.patterns()
    never = {name: poison[name].untouched(before[name]) & again[name].untouched(after[name]) for name in poison}
    cause = next((_never(name, where) for name, where in never.items() if where.any()), "")
    if not cause and call_s <= SHORT_CALL_S:
        cause = _reads_beyond(built)
    return SecondLook(_because(cause, wrong), call_s)


def _reads_beyond(built: Built) -> str:
    """The zone whose numbers the outputs follow: 'reads x behind its end', or ''; '' too where they change anyhow."""
    for placed, where in built.data.read_zones():
        if _follows(built, placed, where):
            return f"reads {placed.array.name} {where}"
    return ""


def _follows(built: Built, placed: Placed, where: str) -> bool:
    """Whether outputs change each time that this zone is drawn anew, and never when it is not."""
    for _ in range(SURE):
        before = _outputs(built)
        if not _same(before, _outputs(built)):
            return False
        placed.draw_guards(where)
        if _same(before, _outputs(built)):
            return False
    return True


def _outputs(built: Built) -> Mapping[str, NDArray[Any]]:
    """What one more call leaves."""
    built.run_once()
    return built.data.outputs()


def _same(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all outputs are the same, bit for bit."""
    return all(np.array_equal(one[name].view(np.uint8), other[name].view(np.uint8)) for name in one)


def _never(name: str, where: NDArray[np.bool_]) -> str:
    """How many elements of an output no call wrote."""
    count, total = int(where.sum()), where.size
    if count == total:
        return f"no element of {name} was written"
    return f"{count} element{'s' if count > 1 else ''} of {name} {'were' if count > 1 else 'was'} never written"


def _because(cause: str, verdict: Verdict) -> Verdict:
    """A verdict with its cause in front, unless it tells it already."""
    if not cause or "never written" in verdict.reason or "was written" in verdict.reason:
        return verdict
    return Verdict(verdict.error, f"{cause}: {verdict.reason or 'the outputs change with what stands there'}")
