"""Windows into arrays: indices that count from the end, slices, transposes; and items of tuples chosen by lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution.faults.accesses import beyond_axis
from gpuplay.lockstep.memory.values import Number, Slice, View, uniform
from gpuplay.lockstep.record import Place

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot


@dataclass(frozen=True)
class FromEnd:
    """A negative literal index."""

    index: int


class Index:
    """The indices of an access: a slot with a number, a slice or a tuple of them, or what is literal.

    A negative literal counts from the end, as Numba compiles it; a computed one is out of bounds.
    """

    def __init__(self, emit: Emitter, index: str | None, literal: Any) -> None:
        self.uses: tuple[Slot, ...] = ()
        self.literal = literal
        self.slot = -1
        parts = [emit.constant(name) for name in emit.tuples.get(index or "", ())]
        self.from_end = {n for n, part in enumerate(parts) if isinstance(part, int) and part < 0}
        if index is not None and not (isinstance(literal, int) or _all_integers(literal)):
            self.slot = emit.slot(index)
            self.uses = (self.slot,)
            self.literal = emit.constant(index) if isinstance(emit.constant(index), int) else None

    def __call__(self, batch: Batch) -> tuple[Any, ...]:
        """The indices as a tuple."""
        if self.literal is not None and (isinstance(self.literal, int) or _all_integers(self.literal)):
            parts = self.literal if isinstance(self.literal, tuple) else (self.literal,)
            return tuple(FromEnd(part) if part < 0 else np.int64(part) for part in parts)
        value = batch.v[self.slot]
        if not isinstance(value, tuple):
            return (value,)
        if not self.from_end:
            return value
        return tuple(FromEnd(int(part)) if n in self.from_end else part for n, part in enumerate(value))


def _all_integers(literal: Any) -> bool:
    return isinstance(literal, tuple) and all(isinstance(part, int) for part in literal)


def numbers(view: View, indices: tuple[Any, ...]) -> tuple[Number, ...]:
    """Indices with those from the end counted from the start."""
    return tuple(
        view.shape[axis] + np.int64(index.index) if isinstance(index, FromEnd) else index
        for axis, index in enumerate(indices)
    )


def transposed(view: View) -> View:
    """The axes in reverse order."""
    return View(view.memory, view.dtype, view.offset, view.shape[::-1], view.strides[::-1])


def window(batch: Batch, view: View, indices: tuple[Any, ...], place: Place) -> View:
    """``view[indices]`` where some axes remain: whole ones, or slices."""
    offset = view.offset
    shape: list[Number] = []
    strides: list[int] = []
    for axis, index in enumerate(numbers(view, indices)):
        extent, stride = view.shape[axis], view.strides[axis]
        if isinstance(index, Slice | slice):
            start, length, step = _bounds(index, extent, place)
            offset = offset + start * np.int64(stride)
            shape.append(length)
            strides.append(stride * step)
        else:
            inside = (index >= 0) & (index < extent)
            _require(batch, inside, index, extent, place)
            offset = offset + np.where(inside, index, 0).astype(np.int64)[()] * np.int64(stride)
    taken = len(indices)
    return View(view.memory, view.dtype, offset, (*shape, *view.shape[taken:]), (*strides, *view.strides[taken:]))


def _bounds(index: Slice | slice, extent: Number, place: Place) -> tuple[Number, Number, int]:
    """Start, length and step of a slice, clipped to the extent as Python and Numba do."""
    step = 1 if index.step is None else index.step
    if isinstance(step, np.ndarray) or int(step) < 1:
        raise Unsupported("a slice with a step that is negative or differs between threads", place)
    start = np.int64(0) if index.start is None else _clipped(index.start, extent)
    stop = extent if index.stop is None else _clipped(index.stop, extent)
    return start, np.maximum(stop - start + np.int64(step - 1), np.int64(0)) // np.int64(step), int(step)


def _clipped(bound: Number, extent: Number) -> Number:
    bound = np.int64(bound) if isinstance(bound, int) else bound
    wrapped = np.where(bound < 0, bound + extent, bound)[()]
    return np.minimum(np.maximum(wrapped, np.int64(0)), extent)


def _require(batch: Batch, inside: Any, index: Number, extent: Number, place: Place) -> None:
    bad = batch.mask.array & ~inside
    if bad.any():
        lane = int(bad.argmax())
        at, there = (int(np.broadcast_to(number, batch.lanes)[lane]) for number in (index, extent))
        beyond_axis(batch, place, lane, at, there)


def choose(batch: Batch, items: tuple[Any, ...], index: Number, place: Place) -> Any:
    """An item of a tuple by an index that may differ between lanes; it wraps from the end, as Numba compiles it."""
    size = np.int64(len(items))
    _require(batch, (index >= -size) & (index < size), index, size, place)
    within = np.clip(index + size * (index < 0), 0, size - 1)
    if uniform(within):
        return items[int(within)]
    if not all(isinstance(item, np.ndarray | np.generic) for item in items):
        raise Unsupported("a tuple of arrays indexed by what differs between threads", place)
    stacked = np.stack([np.broadcast_to(item, within.shape[0]) for item in items])
    return stacked[within, np.arange(within.shape[0])]
