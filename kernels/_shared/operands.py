"""Where the matrices of a product stand: a flat array, a position in it, and the distances of its elements.

Compiled code takes these named tuples apart again: they cost nothing.
"""

from typing import Any, NamedTuple


class Rows(NamedTuple):
    """A matrix with rows of adjacent elements: (i, j) is ``array[at + i·row + j]``."""

    array: Any  # C-contiguous; positions count its elements over all dimensions
    at: int
    row: int


class Operand(NamedTuple):
    """The left matrix of a product, as it stands or packed: (i, k) is ``array[at + i·row + k·step]``."""

    array: Any
    at: int
    row: int
    step: int
