"""From which measured size on one variant is ahead of another, or of all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import Order, fastest, speedup, timed
from gpuplay.results.result import Result


@dataclass(frozen=True)
class Crossover:
    """How an order develops over measured sizes; ``last`` is the largest of them.

    ``always``: never behind, ahead somewhere. ``from``: behind at ``after`` for the last time, ahead
    from ``first`` on. ``level``: behind at ``after`` for the last time, tied since ``first``.
    ``tied``: neither behind nor ahead anywhere. ``never``: never ahead, behind at the largest size.
    ``lost``: ahead at some size, but behind at the largest. ``ties`` are tied sizes at or beyond
    ``first``. ``open`` are sizes at which the order is uncertain; all else is about the other
    sizes, and where there are none, the kind is ``uncertain``.
    """

    kind: Literal["always", "from", "level", "tied", "never", "lost", "uncertain"]
    first: int
    last: int
    after: int | None = None
    ties: tuple[int, ...] = ()
    open: tuple[int, ...] = ()


def settle(orders: Sequence[tuple[int, Order]]) -> Crossover | None:
    """The crossover of orders by rising size; None where nothing was measured."""
    if not orders:
        return None
    unsure = tuple(size for size, order in orders if order == "uncertain")
    known = [(size, order) for size, order in orders if order != "uncertain"]
    if not known:
        return Crossover("uncertain", orders[0][0], orders[-1][0], open=unsure)
    return replace(_settle(known), open=unsure)


def _settle(orders: Sequence[tuple[int, Order]]) -> Crossover:
    """The crossover of orders of which none is uncertain."""
    first, last = orders[0][0], orders[-1][0]
    behind = [size for size, order in orders if order == "slower"]
    ahead = [size for size, order in orders if order == "faster"]
    ties = tuple(size for size, order in orders if order == "tie")
    if not behind:
        return Crossover("always" if ahead else "tied", first, last, ties=ties)
    after = behind[-1]
    if after == last:
        return Crossover("lost" if ahead else "never", first, last)
    later = [size for size in ahead if size > after]
    first = later[0] if later else min(size for size in ties if size > after)
    since = tuple(size for size in ties if size >= first)
    return Crossover("from" if later else "level", first, last, after, since)


def overtakes(lines: Sequence[Line], variant: str, other: str, *, copies: bool = False) -> Crossover | None:
    """From which size on ``variant`` is faster than ``other``; lines differ only in size, sizes rising."""
    orders: list[tuple[int, Order]] = []
    for line in lines:
        mine, theirs = line.result(variant), line.result(other)
        found = speedup(mine, theirs, copies=copies) if mine and theirs else None
        if found:
            orders.append((line.size, found.order))
    return settle(orders)


@dataclass(frozen=True)
class Lead:
    """Who is the fastest at the largest size, several names where they tie there, and since when.

    Sizes at which that is uncertain do not count; no names where it is uncertain at every size.
    """

    names: tuple[str, ...]
    crossover: Crossover


def leader(grid: Grid, lines: Sequence[Line], *, copies: bool = False) -> Lead | None:
    """Who leads at the largest size and from which size on; None where no line has two times to compare."""
    firsts: list[tuple[int, set[str], set[str]]] = []
    for line in lines:
        results = [line.result(column.name) for column in grid.columns]
        if sum(timed(result) for result in results) > 1:
            found = {result.cell.variant for result in fastest(results, copies=copies)}
            firsts.append((line.size, found, set() if found else _behind(results, copies=copies)))
    if not firsts:
        return None
    since, names = next(((size, found) for size, found, _ in reversed(firsts) if found), (0, set[str]()))
    crossover = settle(
        [(size, _order(names, found, behind if size < since else set())) for size, found, behind in firsts]
    )
    assert crossover is not None
    return Lead(tuple(column.name for column in grid.columns if column.name in names), crossover)


def _behind(results: Sequence[Result | None], *, copies: bool) -> set[str]:
    """The variants that are slower than some other beyond doubt, though which one is the fastest is uncertain."""
    known = [result for result in results if result is not None and timed(result)]
    pairs = ((mine, speedup(mine, other, copies=copies)) for mine in known for other in known if mine is not other)
    return {mine.cell.variant for mine, found in pairs if found and found.order == "slower"}


def _order(names: set[str], found: set[str], behind: set[str]) -> Order:
    """Whether exactly these lead, or share the lead with others, or do not all lead; uncertain where none does."""
    if not found:
        return "slower" if names & behind else "uncertain"
    if found == names:
        return "faster"
    return "tie" if names <= found else "slower"
