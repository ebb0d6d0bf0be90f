"""Transposing a square of a matrix in vector registers.

A matrix is transposed block by block: the rows of a square as wide as a vector are loaded, exchanged
among the registers, and stored as columns. Both sides of the copy then move whole vectors.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import ShapeType, Tile, vector_of


@intrinsic
def square(typingctx: Any, array: Any) -> Any:
    """The `Shape` of a tile with as many rows as a vector of the array's dtype has lanes, of one vector each."""
    lowering.check_array("square", array)
    shape = ShapeType(vector_of(array.dtype).lanes, 1)
    return shape(array), lambda context, *_: context.get_dummy_value()


@intrinsic
def transposed(typingctx: Any, tile: Any) -> Any:
    """The tile with rows and columns exchanged; its shape is `square`.

    Blocks of one element are exchanged between neighbouring rows, then blocks of two by two between rows two
    apart, and so on: every step is one shuffle a vector, and there are as many as a vector can be halved.
    """
    if not isinstance(tile, Tile) or tile.vectors != 1 or tile.rows != tile.vector.lanes:
        raise TypingError(f"transposed: a tile with one vector a row and as many rows as lanes; given {tile}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        count = tile.rows
        rows = [builder.extract_value(arguments[0], r) for r in range(count)]
        step = 1
        while step < count:
            for r in (r for r in range(count) if not r & step):
                one, other = rows[r], rows[r + step]
                # Lane l of the first row comes from `one`, or from `other` a step earlier; of the second, a step later.
                upper = [count + lane - step if lane & step else lane for lane in range(count)]
                lower = [count + lane if lane & step else lane + step for lane in range(count)]
                rows[r], rows[r + step] = (_shuffled(builder, one, other, order) for order in (upper, lower))
            step *= 2
        result = arguments[0]
        for r, row in enumerate(rows):
            result = builder.insert_value(result, row, r)
        return result

    return tile(tile), generate


def _shuffled(builder: Any, one: Any, other: Any, order: list[int]) -> Any:
    numbers = [ir.Constant(lowering.INDEX, at) for at in order]
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(lowering.INDEX, len(numbers)), numbers))
