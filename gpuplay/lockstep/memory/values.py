"""What a variable of a GPU function can hold beside numbers: views of memory, records, iterators.

A number is a NumPy scalar where all lanes share it, else a vector over the lanes of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gpuplay.lockstep.memory.allocation import Allocation

Number: TypeAlias = Any  # np.generic, or NDArray over lanes
Vector: TypeAlias = NDArray[Any]  # (lanes,): a number of each lane
Lanes: TypeAlias = NDArray[np.bool_]  # (lanes,): which of them


@dataclass(frozen=True, eq=False)
class View:
    """A window into an allocation: ``offset`` in bytes, a number; ``shape`` numbers, ``strides`` bytes."""

    memory: Allocation
    dtype: np.dtype[Any]
    offset: Number
    shape: tuple[Number, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> Number:
        """How many elements."""
        total = np.int64(1)
        for extent in self.shape:
            total = total * extent
        return total


@dataclass(frozen=True, eq=False)
class BoxView(View):
    """The description of a matrix for copies of boxes of (rows, columns): `gpuplay.machine.model.Gpu.tensor_map`."""

    matrix: View
    box: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pointer:
    """One element of an array of records."""

    memory: Allocation
    dtype: np.dtype[Any]
    offset: Number


@dataclass(frozen=True, eq=False)
class Range:
    """An iteration over a range: the next value, where it stops, its step."""

    current: Number
    stop: Number
    step: Number


@dataclass(frozen=True, eq=False)
class Items:
    """An iteration over a tuple: its items, and which of them is next."""

    items: tuple[Any, ...]
    position: int


@dataclass(frozen=True, eq=False)
class Slice:
    """What ``lo:hi:step`` makes; None where left out."""

    start: Number | None
    stop: Number | None
    step: Number | None


def uniform(value: Number) -> bool:
    """Whether all lanes share the number."""
    return isinstance(value, np.generic)


class Merge(Exception):
    """Two values that cannot be held side by side by different lanes."""


def merged(mask: Lanes, new: Any, old: Any) -> Any:
    """``new`` on the lanes of ``mask``, ``old`` elsewhere; Merge where that cannot be held."""
    if new is old or old is None:
        return new
    if isinstance(new, np.ndarray | np.generic) and isinstance(old, np.ndarray | np.generic):
        alike = uniform(new) and uniform(old) and new.tobytes() == old.tobytes()
        return new if alike else np.where(mask, new, old)
    if type(new) is not type(old) or not isinstance(new, tuple | Range | View | Pointer | Items):
        raise Merge
    if isinstance(new, tuple):
        return tuple(merged(mask, a, b) for a, b in zip(new, old, strict=True))
    return _merged_record(mask, new, old)


def _merged_record(mask: Lanes, new: Any, old: Any) -> Any:
    """Field by field: numbers side by side, and everything else the same."""
    fields = {}
    for name, value in vars(new).items():
        before = getattr(old, name)
        numbers = name in ("current", "stop", "step", "offset", "shape")
        if not numbers and value is not before and value != before:
            raise Merge
        fields[name] = merged(mask, value, before) if numbers else value
    return type(new)(**fields)


def same(mask: Lanes, a: Any, b: Any) -> bool:
    """Whether two values agree on all lanes of the mask."""
    if a is b:
        return True
    if isinstance(a, np.ndarray | np.generic) and isinstance(b, np.ndarray | np.generic):
        equal = a == b
        return bool(equal) if uniform(equal) else bool(equal[mask].all())
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(mask, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Range):
        return same(mask, a.current, b.current)
    return isinstance(a, View | Pointer) and a.memory is b.memory and same(mask, a.offset, b.offset)
