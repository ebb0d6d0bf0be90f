"""Atomic operations on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.emit import windows
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.front.dtypes import element_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def _update(operation: str) -> Handler:
    """``cuda.atomic.add(array, index, value)`` and its like; ``cas`` has the value to compare before the new one."""

    def handler(emit: Emitter, made: Call) -> None:
        if operation == "compare_and_swap":
            base, compare, value = made.arguments
            _update_at(emit, made, "cas", base, None, value, compare)
        elif operation == "cas":
            base, index, compare, value = made.arguments
            _update_at(emit, made, "cas", base, index, value, compare)
        else:
            base, index, value = made.arguments
            _update_at(emit, made, operation.rstrip("_"), base, index, value, None)

    return handler


def _update_at(
    emit: Emitter, made: Call, operation: str, base: str, index: str | None, value: str, compare: str | None
) -> None:
    dtype = element_of(emit.kind(base))
    source, number = emit.slot(base), emit.number(value, dtype)
    expected = emit.number(compare, dtype) if compare is not None else number
    indices = windows.Index(emit, index, None) if index is not None else None
    site = emit.site(base, "atomic", dtype.itemsize)

    def update(batch: Batch) -> Any:
        view = batch.v[source]
        at = (np.int64(0),) if indices is None else windows.numbers(view, indices(batch))
        against = batch.v[expected] if compare is not None else None
        return access.update(batch, view, at, operation, batch.v[number], against, site)

    uses = (source, number, expected, *(indices.uses if indices is not None else ()))
    emit.define(made.target, dtype, update, uses)


_NAMES = ("add", "sub", "max", "min", "nanmax", "nanmin", "and_", "or_", "xor", "inc", "dec", "exch")

HANDLERS: Vocabulary[str] = {f"atomic.{name}": _update(name) for name in (*_NAMES, "cas", "compare_and_swap")}
