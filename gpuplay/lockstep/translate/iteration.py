"""Tuples that are built, and iteration over tuples and ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.front.dtypes import dtype_of, is_tuple
from gpuplay.lockstep.memory.values import Items, Range, uniform

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def build_tuple(emit: Emitter, target: str, expression: Any) -> None:
    """Emit ``(a, b, …)``; a tuple of constants is one itself."""
    kinds = list(emit.kind(target))
    emit.tuples[target] = tuple(item.name for item in expression.items)
    slots = tuple(emit.number(item.name, dtype_of(kind)) for item, kind in zip(expression.items, kinds, strict=True))
    if all(emit.build.initial[slot] is not None for slot in slots):
        emit.build.initial[emit.slot(target)] = tuple(emit.build.initial[slot] for slot in slots)
        return
    emit.define(target, None, lambda batch: tuple(batch.v[slot] for slot in slots), slots)


def exhaust(emit: Emitter, target: str, expression: Any) -> None:
    """Emit what ``a, b = value`` takes apart: the tuple itself."""
    emit.copy(emit.slot(target), emit.slot(expression.value.name))


def get_iterator(emit: Emitter, target: str, expression: Any) -> None:
    """Emit the beginning of a ``for`` loop."""
    kind, source = emit.kind(expression.value.name), emit.slot(expression.value.name)
    if is_tuple(kind):
        emit.define(target, None, lambda batch: Items(batch.v[source], 0), (source,))
    elif str(kind).startswith("range"):
        emit.copy(emit.slot(target), source)
    else:
        raise emit.unsupported(f"iterating over {kind}")


def get_next(emit: Emitter, target: str, expression: Any) -> None:
    """Emit a step of an iteration: a pair of the item, and whether there was one."""
    iterator, out = emit.slot(expression.value.name), emit.slot(target)
    emit.count(integer=1)

    def step(batch: Batch) -> None:
        value = batch.v[iterator]
        if isinstance(value, Items):
            more = value.position < len(value.items)
            item = value.items[value.position] if more else value.items[-1]
            batch.set(out, (item, np.bool_(more)))
            batch.set(iterator, Items(value.items, value.position + 1))
            return
        if uniform(value.step):
            more = value.current < value.stop if value.step > 0 else value.current > value.stop
        else:
            more = np.where(value.step > 0, value.current < value.stop, value.current > value.stop)
        batch.set(out, (value.current, more))
        following = value.current + value.step
        wrapped = (following < value.current) != (value.step < 0)
        if wrapped.any():  # beyond the integer's range, where Numba, which counts the turns first, has ended
            following = np.where(wrapped, value.stop, following)[()]
        batch.set(iterator, Range(following, value.stop, value.step))

    emit.operation(step, defs=(out, iterator), uses=(iterator,))


def pair_item(position: int) -> Callable[[Emitter, str, Any], None]:
    """What emits the first or the second item of such a pair."""

    def handler(emit: Emitter, target: str, expression: Any) -> None:
        pair = emit.slot(expression.value.name)
        emit.define(target, None, lambda batch: batch.v[pair][position], (pair,))

    return handler
