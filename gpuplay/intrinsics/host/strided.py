"""Vectors of elements that do not lie side by side: every second, third, … of an array."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import vector_of


@intrinsic(prefer_literal=True)
def load_every(typingctx: Any, array: Any, index: Any, step: Any, count: Any) -> Any:
    """The vector ``array[index]``, ``array[index + step]``, … of ``count`` elements; the other lanes may hold anything.

    ``step`` is a literal number. As many whole vectors are loaded, nothing beyond the last element, and
    one shuffle for each further one puts the lanes together.
    """
    lowering.check_array("load_every", array)
    lowering.check_index("load_every", index)
    lowering.check_index("load_every", count)
    if not isinstance(step, types.IntegerLiteral) or step.literal_value < 1:
        raise TypingError(f"load_every: the step is a literal number from 1; given {step}")
    vector, apart = vector_of(array.dtype), step.literal_value
    # A literal index or count would be a type of its own for each of its values.
    signature = vector(array, types.intp, step, types.intp)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        source, first, _, wanted = arguments
        kind, lanes = context.get_value_type(vector), vector.lanes
        place = lowering.address(context, builder, called.args[0], source, first)
        one, number = ir.Constant(wanted.type, 1), ir.Constant(wanted.type, apart)
        length = builder.add(builder.mul(builder.sub(wanted, one), number), one)
        found = ir.Constant(kind, ir.Undefined)
        for v in range(apart):
            rest = builder.sub(length, ir.Constant(wanted.type, v * lanes))
            mask = lowering.lower_lanes(builder, rest, lanes)
            at = lowering.further(builder, place, v * lanes)
            part = lowering.load_masked(builder, at, kind, mask, vector.dtype.bitwidth // 8)
            places = [divmod(lane * apart, lanes) for lane in range(lanes)]
            order = [lanes + where if row == v else lane for lane, (row, where) in enumerate(places)]
            numbers = ir.Constant(ir.VectorType(lowering.INDEX, lanes), [ir.Constant(lowering.INDEX, o) for o in order])
            found = builder.shuffle_vector(found, part, numbers)
        return found

    return signature, generate
