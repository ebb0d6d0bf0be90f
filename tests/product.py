"""Products of many values: each value of each axis occurs in every run, all combinations in ``make test-all``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import product as combinations
from typing import Any

import pytest

only_in_all = pytest.mark.product


def label(value: object) -> str:
    """A short name of a value in a test's id."""
    if isinstance(value, tuple):
        return "_".join(map(str, value))
    return value.__name__ if callable(value) else str(value)


def row(values: tuple[Any, ...], *, quick: bool) -> Any:
    """A row for parametrize that is in every run, or in ``make test-all`` alone."""
    name = "-".join(map(label, values)).replace(":", "-").replace(" ", "")
    return pytest.param(*values, id=name, marks=() if quick else only_in_all)


def crossed(*axes: Collection[Any]) -> list[Any]:
    """All combinations of some axes' values, for parametrize.

    In every run are the first of all axes, the second of all, and so on, where shorter axes begin anew: the fewest
    rows in which each value occurs.
    """
    places = [range(len(axis)) for axis in axes]
    turns = {tuple(turn % len(axis) for axis in axes) for turn in range(max(map(len, axes)))}
    listed = [list(axis) for axis in axes]
    return [
        row(tuple(axis[place] for axis, place in zip(listed, at, strict=True)), quick=at in turns)
        for at in combinations(*places)
    ]


def some(values: Iterable[Any], quick: Callable[[Any], bool]) -> list[Any]:
    """The values of one axis, for parametrize; those that are not ``quick`` are in ``make test-all`` alone."""
    return some_rows(((value,) for value in values), lambda only: quick(only[0]))


def some_rows(rows: Iterable[tuple[Any, ...]], quick: Callable[[tuple[Any, ...]], bool]) -> list[Any]:
    """Rows of several values each; those that are not ``quick`` are in ``make test-all`` alone."""
    return [row(values, quick=quick(values)) for values in rows]
