"""Inner products by tiles: vectors run along the sums, not along the results.

A row of a matrix meets a vector that lies as the row does, so nothing has to be packed, and a number of
the matrix is read once: the product of a matrix and a vector runs as fast as the matrix arrives. A tile's
rows are rows of the matrix, its vectors are partial sums of one row, so that enough of them are under way.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import Tile


@intrinsic
def add_inner(typingctx: Any, tile: Any, A: Any, a: Any, stride: Any, B: Any, b: Any) -> Any:
    """The tile plus ``A[a + r·stride + i]·B[b + i]`` for each of its rows r and all its columns i."""
    return _added(tile, (A, a, stride, B, b))


@intrinsic
def add_inner_first(typingctx: Any, tile: Any, A: Any, a: Any, stride: Any, B: Any, b: Any, count: Any) -> Any:
    """As `add_inner` for its first ``count`` columns; the memory of the others is not touched."""
    return _added(tile, (A, a, stride, B, b, count))


@intrinsic
def store_totals(typingctx: Any, C: Any, c: Any, tile: Any) -> Any:
    """Write the sum of each row of the tile to ``C[c], C[c + 1], …``."""
    _check("store_totals", tile, C)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = lowering.address(context, builder, called.args[0], *arguments[:2])
        for r in range(tile.rows):
            first, *others = (builder.extract_value(arguments[2], r * tile.vectors + v) for v in range(tile.vectors))
            for other in others:
                first = builder.fadd(first, other)
            builder.store(_total(builder, first), lowering.further(builder, place, r))
        return context.get_dummy_value()

    return types.void(C, types.intp, tile), generate


def _added(tile: Any, given: tuple[Any, ...]) -> Any:
    matrix, _, _, column, *counts = given
    _check("add_inner", tile, matrix, column)
    signature = tile(tile, matrix, types.intp, types.intp, column, types.intp, *[types.intp] * (len(counts) - 1))

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        sums, left, start, stride, right, first, *count = arguments
        kind, align = context.get_value_type(tile.vector), tile.vector.dtype.bitwidth // 8
        column = lowering.address(context, builder, called.args[4], right, first)
        begin = lowering.address(context, builder, called.args[1], left, start)
        masks = [_mask(builder, count, v * kind.count, kind.count) for v in range(tile.vectors)]

        def part(place: Any, v: int) -> Any:
            at = lowering.further(builder, place, v * kind.count)
            if masks[v] is None:
                return lowering.load(builder, at, kind, align)
            return lowering.load_masked(builder, at, kind, masks[v], align)

        factors = [part(column, v) for v in range(tile.vectors)]
        for r in range(tile.rows):
            row = builder.gep(begin, [builder.mul(stride, ir.Constant(stride.type, r))])
            for v, factor in enumerate(factors):
                number = r * tile.vectors + v
                product = builder.fmul(part(row, v), factor, flags=lowering.CONTRACT)
                total = builder.fadd(product, builder.extract_value(sums, number), flags=lowering.CONTRACT)
                sums = builder.insert_value(sums, total, number)
        return sums

    return signature, generate


def _mask(builder: Any, count: list[Any], before: int, lanes: int) -> Any:
    """A mask of the lanes that a count leaves after so many before them; None without a count."""
    if not count:
        return None
    return lowering.lower_lanes(builder, builder.sub(count[0], ir.Constant(count[0].type, before)), lanes)


def _check(what: str, tile: Any, *arrays: Any) -> None:
    if not isinstance(tile, Tile):
        raise TypingError(f"{what}: a tile; given {tile}")
    for array in arrays:
        lowering.check_array(what, array, tile.vector.dtype)


def _total(builder: Any, vector: Any) -> Any:
    """The sum of all lanes: halves are added to halves."""
    width = vector.type.count
    while width > 1:
        width //= 2
        low, high = (
            builder.shuffle_vector(
                vector,
                ir.Constant(vector.type, ir.Undefined),
                ir.Constant(
                    ir.VectorType(lowering.INDEX, width), [ir.Constant(lowering.INDEX, begin + i) for i in range(width)]
                ),
            )
            for begin in (0, width)
        )
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.Constant(lowering.INDEX, 0))
