"""The grammar of ``--sizes``: ``256..8192`` doubles, ``x4`` multiplies, ``+1000`` adds, ``2^10``, commas join."""

from __future__ import annotations

import re

from gpuplay.errors import UsageError

GRAMMAR = "256..8192 doubles, 256..8192x4 multiplies by 4, 1000..5000+1000 adds 1000, 2^10..2^24, 64,100,1_000"
LARGEST = 2**40
MOST = 1000

_NUMBER = r"\d[\d_]*(?:\^\d+)?"
_ITEM = re.compile(rf"(?P<first>{_NUMBER})(?:\.\.(?P<last>{_NUMBER})(?:(?P<step>[x+])(?P<by>{_NUMBER}))?)?")


def parse_sizes(text: str, option: str = "--sizes") -> tuple[int, ...]:
    """Sizes in rising order without duplicates; UsageError with the grammar for anything else."""
    sizes: set[int] = set()
    for item in text.replace(" ", "").split(","):
        sizes.update(_item(item, text, option))
        if len(sizes) > MOST:
            raise UsageError(f"{option} {text}: more than {MOST} sizes; take a larger step")
    return tuple(sorted(sizes))


def _item(item: str, text: str, option: str) -> list[int]:
    match = _ITEM.fullmatch(item)
    if not match:
        given = f"{item!r} is no size" if item else "a size is missing"
        raise UsageError(f"{option} {text!r}: {given}; sizes are written {GRAMMAR}")
    first = _number(match["first"], text, option)
    last = _number(match["last"], text, option) if match["last"] else first
    if last < first:
        raise UsageError(f"{option} {text}: {first} is above {last}; write {last}..{first}")
    by = _number(match["by"], text, option) if match["by"] else 2
    adds = match["step"] == "+"
    if not adds and by < 2:
        raise UsageError(f"{option} {text}: multiplying by {by} never ends; write x2 or more")
    sizes = [first]
    while len(sizes) <= MOST and (following := sizes[-1] + by if adds else sizes[-1] * by) <= last:
        sizes.append(following)
    return sizes


def _number(text: str, whole: str, option: str) -> int:
    base, _, exponent = text.replace("_", "").partition("^")
    if exponent and (int(base) > 1 and int(exponent) > 64):
        raise UsageError(f"{option} {whole}: {text} is beyond 2^40, the largest size")
    value = int(base) ** int(exponent) if exponent else int(base)
    if value < 1:
        raise UsageError(f"{option} {whole}: sizes start at 1; they are written {GRAMMAR}")
    if value > LARGEST:
        raise UsageError(f"{option} {whole}: {text} is beyond 2^40, the largest size")
    return value
