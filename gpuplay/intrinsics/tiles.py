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

from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import Shape, ShapeType, Tile, Vector, vector_of

__all__ = [
    "Shape",
    "add_outer",
    "add_tile",
    "load_tile",
    "rows_of",
    "store_columns",
    "store_tile",
    "vectors_of",
    "with_rows",
    "with_vectors",
    "zero_tile",
]


@intrinsic
def zero_tile(typingctx: Any, array: Any, shape: Any) -> Any:
    """A tile of zeros with the dtype of ``array`` and a `Shape`."""
    lowering.check_array("zero_tile", array)
    tile = _tile("zero_tile", array, shape)

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
def load_tile(typingctx: Any, A: Any, a: Any, stride: Any, rows: Any, columns: Any, shape: Any) -> Any:
    """The tile at ``A[a]`` and on, rows ``stride`` apart; zero beyond the first ``rows`` and ``columns`` of it."""
    lowering.check_array("load_tile", A)
    tile = _tile("load_tile", A, shape)
    signature = tile(A, types.intp, types.intp, types.intp, types.intp, shape)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        source, start, stride, rows, columns, _ = arguments
        kind, align = _vector(context, tile.vector)
        place = lowering.address(context, builder, called.args[0], source, start)
        index, sums = rows.type, ir.Constant(context.get_value_type(tile), ir.Undefined)
        for r in range(tile.rows):
            inside = builder.icmp_signed(">", rows, ir.Constant(index, r))
            here = builder.select(inside, columns, ir.Constant(index, 0))
            row = builder.gep(place, [builder.mul(stride, ir.Constant(index, r))])
            for v in range(tile.vectors):
                at = lowering.further(builder, row, v * kind.count)
                mask = lowering.lower_lanes(builder, builder.sub(here, ir.Constant(index, v * kind.count)), kind.count)
                value = lowering.load_masked(builder, at, kind, mask, align)
                sums = builder.insert_value(sums, value, r * tile.vectors + v)
        return sums

    return signature, generate


@intrinsic
def store_columns(typingctx: Any, P: Any, p: Any, tile: Any) -> Any:
    """Write a tile of one vector a row column by column: the first lane of every row, then the second, and on."""
    _check("store_columns", tile, P)
    if tile.vectors != 1:
        raise TypingError("store_columns: a tile of one vector a row")
    signature = types.void(P, types.intp, tile)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        kind, align = _vector(context, tile.vector)
        place = lowering.address(context, builder, called.args[0], *arguments[:2])
        rows = [builder.extract_value(arguments[2], r) for r in range(tile.rows)]
        for v in range(tile.rows):
            # Lane j is number v·lanes + j of the result: row `number % rows`, its lane `number // rows`.
            numbers = range(v * kind.count, (v + 1) * kind.count)
            at = lowering.further(builder, place, v * kind.count)
            lowering.store(builder, at, _gathered(builder, rows, numbers), align)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def rows_of(typingctx: Any, shape: Any) -> Any:
    """Rows of a `Shape`, a compile-time constant."""
    return _constant(shape, shape.rows)


@intrinsic
def vectors_of(typingctx: Any, shape: Any) -> Any:
    """Vectors in a row of a `Shape`, a compile-time constant."""
    return _constant(shape, shape.vectors)


@intrinsic(prefer_literal=True)
def with_vectors(typingctx: Any, shape: Any, vectors: Any) -> Any:
    """The same `Shape` with another number of vectors in a row, at most its own; ``vectors`` is a literal."""
    return _reshaped("with_vectors", shape, vectors, lambda n: ShapeType(shape.rows, min(n, shape.vectors)))


@intrinsic(prefer_literal=True)
def with_rows(typingctx: Any, shape: Any, rows: Any) -> Any:
    """The same `Shape` with another number of rows, at most its own; ``rows`` is a literal."""
    return _reshaped("with_rows", shape, rows, lambda n: ShapeType(min(n, shape.rows), shape.vectors))


def _reshaped(what: str, shape: Any, count: Any, made: Callable[[int], ShapeType]) -> Any:
    if not isinstance(shape, ShapeType) or not isinstance(count, types.IntegerLiteral):
        raise TypingError(f"{what}: a Shape and a literal number; given {shape} and {count}")
    return made(count.literal_value)(shape, count), lambda context, *_: context.get_dummy_value()


def _constant(argument: Any, number: int) -> Any:
    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, number)

    return types.intp(argument), generate


def _tile(what: str, array: Any, shape: Any) -> Tile:
    """The tile type of an array's dtype and a shape."""
    if not isinstance(shape, ShapeType):
        raise TypingError(f"{what}: a Shape; given {shape}")
    return Tile(vector_of(array.dtype), shape.rows, shape.vectors)


def _gathered(builder: Any, rows: list[Any], numbers: Iterable[int]) -> Any:
    """The vector of the elements ``numbers``, counted down the columns of rows; a shuffle of two rows at a time."""
    lanes = rows[0].type.count
    wanted = [divmod(number, len(rows)) for number in numbers]

    def shuffled(one: Any, other: Any, order: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(lowering.INDEX, lanes), [ir.Constant(lowering.INDEX, at) for at in order])
        return builder.shuffle_vector(one, other, mask)

    found = rows[0]
    for first in range(0, len(rows), 2):
        one, other = rows[first], rows[min(first + 1, len(rows) - 1)]
        mixed = shuffled(one, other, [lane + lanes * (row == first + 1) for lane, row in wanted])
        found = shuffled(found, mixed, [lane + lanes * (row >= first) for lane, (_, row) in enumerate(wanted)])
    return found


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
