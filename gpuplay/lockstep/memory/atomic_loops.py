"""Atomic operations as compiled loops: lane after lane, as if the hardware had chosen that order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_ANY = ("add", "sub", "max", "min", "nanmax", "nanmin", "exch", "cas")
_INTEGER = ("and", "or", "xor", "inc", "dec")
OPERATIONS = (*_ANY, *_INTEGER)
_ADD, _SUB, _MAX, _MIN, _NANMAX, _NANMIN, _EXCH, _CAS = range(len(_ANY))
_AND, _OR, _XOR, _INC, _DEC = range(len(_INTEGER))


def perform(operation: str, elements: Any, places: Any, active: Any, values: Any, compares: Any, old: Any) -> int:
    """Apply an operation for all active lanes; ``old`` gets what stood there; how many elements changed."""
    if operation in _ANY:
        return int(_perform(_ANY.index(operation), elements, places, active, values, compares, old))
    return int(_perform_integer(_INTEGER.index(operation), elements, places, active, values, old))


def perform_backwards(
    operation: str, elements: Any, places: Any, active: Any, values: Any, compares: Any, old: Any
) -> int:
    """The same, from the last lane on."""
    turned = [np.ascontiguousarray(lanes[::-1]) for lanes in (places, active, values, compares, old)]
    changed = perform(operation, elements, *turned)
    old[...] = turned[-1][::-1]
    return changed


@njit(cache=True)
def _replaces(operation: int, before: Any, value: Any, compare: Any) -> Any:
    """Whether the value takes the place of what stands there. Max and min leave a NaN, nanmax and nanmin replace it."""
    if before != before:  # noqa: PLR0124 - only NaN is unequal to itself
        return operation in (_NANMAX, _NANMIN, _EXCH)
    if operation in (_MAX, _NANMAX):
        return value > before
    if operation in (_MIN, _NANMIN):
        return value < before
    return operation == _EXCH or before == compare


@njit(cache=True, error_model="numpy")
def _perform(operation: int, elements: Any, places: Any, active: Any, values: Any, compares: Any, old: Any) -> int:
    changed = 0
    for lane in range(active.shape[0]):
        if not active[lane]:
            continue
        place = places[lane]
        before, value = elements[place], values[lane]
        after = before
        if operation == _ADD:
            after = before + value
        elif operation == _SUB:
            after = before - value
        elif _replaces(operation, before, value, compares[lane]):
            after = value
        old[lane] = before
        if after != before:
            elements[place] = after
            changed += 1
    return changed


@njit(cache=True)
def _perform_integer(operation: int, elements: Any, places: Any, active: Any, values: Any, old: Any) -> int:
    changed = 0
    zero, one = elements.dtype.type(0), elements.dtype.type(1)
    for lane in range(active.shape[0]):
        if not active[lane]:
            continue
        place = places[lane]
        before, value = elements[place], values[lane]
        after = before
        if operation == _AND:
            after = before & value
        elif operation == _OR:
            after = before | value
        elif operation == _XOR:
            after = before ^ value
        elif operation == _INC:
            after = before + one if before < value else zero
        elif operation == _DEC:
            after = before - one if zero < before <= value else value
        old[lane] = before
        if after != before:
            elements[place] = after
            changed += 1
    return changed
