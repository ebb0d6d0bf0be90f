"""Vectors of two registers: what is done with one is done register by register, in turns.

A polynomial is a chain: each multiply-add waits some four cycles for the one before, while the units could
begin two in every cycle. The processor looks for other work ahead, but not far enough for the next vector
of a long chain. In a vector of two registers two chains stand side by side.

All else is as in `simd`: its arithmetic, `store` and `stream` take these vectors too.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import Vector, vector_of


def _wide(what: str, array: Any) -> Vector:
    """The vector type of two registers; where vectors have one lane, so has this, and stays scalar."""
    lowering.check_array(what, array)
    vector = vector_of(array.dtype)
    return vector if vector.lanes == 1 else Vector(array.dtype, 2 * vector.lanes)


@intrinsic
def wide_lanes(typingctx: Any, array: Any) -> Any:
    """Elements of the array's dtype in a vector of two registers: a compile-time constant."""
    count = _wide("wide_lanes", array).lanes

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic
def load_wide(typingctx: Any, array: Any, index: Any) -> Any:
    """The vector ``array[index]``, ``array[index + 1]``, … of two registers; any ``index`` will do."""
    vector = _wide("load_wide", array)
    lowering.check_index("load_wide", index)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = lowering.address(context, builder, called.args[0], *arguments)
        return lowering.load(builder, place, context.get_value_type(vector), vector.dtype.bitwidth // 8)

    return vector(array, types.intp), generate
