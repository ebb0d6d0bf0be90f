"""Tiles of a matrix in a thread's registers: tuples, row after row. Importing this module imports numba.

A tuple whose items are only ever taken by constant indices is never in memory: every item is a register.
A tile grows by outer products, ``rows·columns`` fused multiply-adds for ``rows + columns`` operands, which
is why a thread that keeps a tile needs so few loads.
"""

from __future__ import annotations

from typing import Any

from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic


def floats_of(what: str, name: str, kind: Any) -> int:
    """How many floats a tuple type holds; TypingError unless all are float32 or all float64."""
    if not isinstance(kind, types.containers.UniTuple) or kind.dtype not in (types.float32, types.float64):
        raise TypingError(f"{what}: {name} is a tuple of float32 or of float64; given {kind}")
    return int(kind.count)


@intrinsic
def add_outer(typingctx: Any, tile: Any, a: Any, b: Any) -> Any:
    """``tile`` + a⊗b, an fma an element: rounded once.

    ``a`` has ``rows`` items, ``b`` has ``columns``, ``tile`` rows·columns of the same type: float32 or float64.
    """
    rows, columns = floats_of("add_outer", "a", a), floats_of("add_outer", "b", b)
    if floats_of("add_outer", "the tile", tile) != rows * columns:
        raise TypingError(f"add_outer: {rows} by {columns} items make a tile of {rows * columns}; given {tile}")
    if not tile.dtype == a.dtype == b.dtype:
        raise TypingError(f"add_outer: one type for all; given {tile}, {a} and {b}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        sums, column, row = arguments
        items = [
            builder.fma(
                builder.extract_value(column, at // columns),
                builder.extract_value(row, at % columns),
                builder.extract_value(sums, at),
            )
            for at in range(rows * columns)
        ]
        return context.make_tuple(builder, called.return_type, items)

    return typing.signature(tile, tile, a, b), generate
