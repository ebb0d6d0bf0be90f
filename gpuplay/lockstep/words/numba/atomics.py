"""Atomic operations on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.emit import windows
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.front.dtypes import element_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch


def _update(operation: str) -> Handler:
    """``cuda.atomic.add(array, index, value)`` and its like; ``cas`` has the value to compare before the new one."""

    def handler(t: Emitter, made: Call) -> None:
        if operation == "compare_and_swap":
            base, compare, value = made.arguments
            _emit(t, made, "cas", base, None, value, compare)
        elif operation == "cas":
            base, index, compare, value = made.arguments
            _emit(t, made, "cas", base, index, value, compare)
        else:
            base, index, value = made.arguments
            _emit(t, made, operation.rstrip("_"), base, index, value, None)

    return handler


def _emit(
    t: Emitter, made: Call, operation: str, base: str, index: str | None, value: str, compare: str | None
) -> None:
    dtype = element_of(t.kind(base))
    source, number = t.slot(base), t.number(value, dtype)
    expected = t.number(compare, dtype) if compare is not None else number
    indices = windows.Index(t, index, None) if index is not None else None
    site = t.site(base, "atomic", dtype.itemsize)

    def update(e: Batch) -> Any:
        view = e.v[source]
        at = (np.int64(0),) if indices is None else windows.numbers(view, indices(e))
        against = e.v[expected] if compare is not None else None
        return access.update(e, view, at, operation, e.v[number], against, site)

    uses = (source, number, expected, *(indices.uses if indices is not None else ()))
    t.define(made.target, dtype, update, uses)


_NAMES = ("add", "sub", "max", "min", "nanmax", "nanmin", "and_", "or_", "xor", "inc", "dec", "exch")

HANDLERS: dict[str, Any] = {f"atomic.{name}": _update(name) for name in (*_NAMES, "cas", "compare_and_swap")}
