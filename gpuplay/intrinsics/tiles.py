"""Tiles: a block of a matrix that stays in vector registers while outer products are added to it.

A matrix product is a sum of outer products of a column of A and a row of B. For a tile of ``rows`` rows
and ``vectors`` vectors of columns, one step loads ``vectors`` vectors of B, meets each of ``rows`` numbers
of A with them, and has done rows·vectors multiply-adds of whole vectors for vectors + rows loads.
As many sums must be under way as it takes to keep the multiply-add units busy (two units with a latency
of four or five cycles: ten), and all of them must fit in the registers beside the vectors of B.

A tile is a value: ``tile = add_outer(tile, …)`` in a loop becomes registers that the loop carries, as
long as the tile never leaves the function. Indices are flat, counted in elements over all dimensions of a
C-contiguous array, and nothing is bounds-checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics import lowering
from gpuplay.intrinsics.vector_types import Shape, ShapeType, Tile, Vector, vector_of

__all__ = ["Shape", "add_outer", "add_tile", "lanes_of", "rows_of", "store_tile", "vectors_of", "zero_tile"]


@intrinsic
def zero_tile(typingctx: Any, array: Any, shape: Any) -> Any:
    """A tile of zeros with the dtype of ``array`` and a `Shape`."""
    lowering.check_array("zero_tile", array)
    if not isinstance(shape, ShapeType):
        raise TypingError(f"zero_tile: a Shape; given {shape}")
    tile = Tile(vector_of(array.dtype), shape.rows, shape.vectors)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(array, shape), generate


@intrinsic
def add_outer(typingctx: Any, tile: Any, A: Any, a: Any, stride: Any, B: Any, b: Any) -> Any:
    """The tile plus the outer product of ``A[a], A[a + stride], …``, a number a row, and ``B[b], B[b + 1], …``."""
    _check("add_outer", tile, A, B)
    signature = tile(tile, A, types.intp, types.intp, B, types.intp)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        sums, left, start, stride, right, first = arguments
        kind, align = _vector(context, tile.vector)
        row = lowering.address(context, builder, called.args[4], right, first)
        places = [lowering.further(builder, row, v * tile.vector.lanes) for v in range(tile.vectors)]
        vectors = [lowering.load(builder, place, kind, align) for place in places]
        column = lowering.address(context, builder, called.args[1], left, start)
        for r in range(tile.rows):
            place = builder.gep(column, [builder.mul(stride, ir.Constant(stride.type, r))])
            factor = lowering.splat(builder, builder.load(place), kind.count)
            for v, vector in enumerate(vectors):
                sums = _added(builder, sums, r * tile.vectors + v, factor, vector)
        return sums

    return signature, generate


@intrinsic
def store_tile(typingctx: Any, C: Any, c: Any, stride: Any, tile: Any, rows: Any, columns: Any) -> Any:
    """Write the tile to ``C[c]`` and on, rows ``stride`` apart; only the first ``rows`` and ``columns`` of it."""
    return _write("store_tile", C, tile, accumulate=False)


@intrinsic
def add_tile(typingctx: Any, C: Any, c: Any, stride: Any, tile: Any, rows: Any, columns: Any) -> Any:
    """Add the tile to what stands at ``C[c]`` and on; otherwise as `store_tile`."""
    return _write("add_tile", C, tile, accumulate=True)


@intrinsic
def rows_of(typingctx: Any, shape: Any) -> Any:
    """Rows of a `Shape`, a compile-time constant."""
    return _constant(shape, shape.rows)


@intrinsic
def vectors_of(typingctx: Any, shape: Any) -> Any:
    """Vectors in a row of a `Shape`, a compile-time constant."""
    return _constant(shape, shape.vectors)


@intrinsic
def lanes_of(typingctx: Any, array: Any) -> Any:
    """Elements of an array's dtype that fit in a vector of this host, a compile-time constant."""
    lowering.check_array("lanes_of", array)
    return _constant(array, vector_of(array.dtype).lanes)


def _constant(argument: Any, number: int) -> Any:
    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, number)

    return types.intp(argument), generate


def _check(what: str, tile: Any, *arrays: Any) -> None:
    if not isinstance(tile, Tile):
        raise TypingError(f"{what}: a tile; given {tile}")
    for array in arrays:
        lowering.check_array(what, array, tile.vector.dtype)


def _vector(context: Any, vector: Vector) -> tuple[Any, int]:
    """LLVM's type of a vector, and the bytes of an element."""
    return context.get_value_type(vector), vector.dtype.bitwidth // 8


def _added(builder: Any, sums: Any, number: int, factor: Any, vector: Any) -> Any:
    """The tile with factor·vector added to one of its vectors."""
    product = builder.fmul(factor, vector, flags=lowering.CONTRACT)
    total = builder.fadd(product, builder.extract_value(sums, number), flags=lowering.CONTRACT)
    return builder.insert_value(sums, total, number)


def _write(what: str, array: Any, tile: Any, *, accumulate: bool) -> Any:
    _check(what, tile, array)
    signature = types.void(array, types.intp, types.intp, tile, types.intp, types.intp)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        target, start, stride, sums, rows, columns = arguments
        kind, align = _vector(context, tile.vector)
        place = lowering.address(context, builder, called.args[0], target, start)
        index = rows.type

        def line(r: int) -> list[tuple[Any, Any]]:
            """Where the vectors of a row go, and what they are."""
            row = builder.gep(place, [builder.mul(stride, ir.Constant(index, r))])
            places = [lowering.further(builder, row, v * kind.count) for v in range(tile.vectors)]
            return [(at, builder.extract_value(sums, r * tile.vectors + v)) for v, at in enumerate(places)]

        def put(at: Any, value: Any, mask: Any = None) -> None:
            if mask is None:
                old = lowering.load(builder, at, kind, align) if accumulate else None
                lowering.store(builder, at, builder.fadd(old, value) if accumulate else value, align)
            else:
                old = lowering.load_masked(builder, at, kind, mask, align) if accumulate else None
                lowering.store_masked(builder, at, builder.fadd(old, value) if accumulate else value, mask, align)

        all_rows = builder.icmp_signed(">=", rows, ir.Constant(index, tile.rows))
        all_columns = builder.icmp_signed(">=", columns, ir.Constant(index, tile.vectors * kind.count))
        with builder.if_else(builder.and_(all_rows, all_columns), likely=True) as (inside, edge):
            with inside:
                for r in range(tile.rows):
                    for at, value in line(r):
                        put(at, value)
            with edge:
                counts = [builder.sub(columns, ir.Constant(index, v * kind.count)) for v in range(tile.vectors)]
                masks = [lowering.lower_lanes(builder, count, kind.count) for count in counts]
                for r in range(tile.rows):
                    with builder.if_then(builder.icmp_signed(">", rows, ir.Constant(index, r))):
                        for (at, value), mask in zip(line(r), masks, strict=True):
                            put(at, value, mask)
        return context.get_dummy_value()

    return signature, generate
