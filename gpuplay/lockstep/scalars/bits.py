"""Functions of the bits of an integer, on NumPy scalars and arrays alike; signed ones by their two's complement."""

from __future__ import annotations

from typing import Any

import numpy as np


def population(value: Any) -> Any:
    """How many bits are set, as uint8."""
    return np.bitwise_count(_unsigned(value))


def leading_zeros(value: Any) -> Any:
    """How many bits above the highest one that is set: the width for 0."""
    smeared = _unsigned(value)
    width = 8 * smeared.dtype.itemsize
    shift = 1
    while shift < width:
        smeared = smeared | (smeared >> smeared.dtype.type(shift))
        shift *= 2
    return np.uint8(width) - np.bitwise_count(smeared)


def first_set(value: Any) -> Any:
    """The place of the lowest bit that is set, counted from 1; 0 for 0."""
    whole = _unsigned(value)
    up_to_first = whole ^ (whole - whole.dtype.type(1))
    return np.where(whole == 0, np.uint8(0), np.bitwise_count(up_to_first))[()]


def reverse(value: Any) -> Any:
    """The bits in the opposite order: neighbours change places, then pairs, then groups of four and more."""
    turned = _unsigned(value)
    kind = turned.dtype.type
    width = 8 * turned.dtype.itemsize
    step = 1
    while step < width:
        lower = kind(sum(1 << bit for bit in range(width) if not bit & step))
        turned = ((turned & lower) << kind(step)) | ((turned >> kind(step)) & lower)
        step *= 2
    return turned


def _unsigned(value: Any) -> Any:
    return value.view(np.dtype(f"u{value.dtype.itemsize}"))
