"""128-bit accesses: four adjacent 32-bit elements by one instruction. Importing this module imports numba.

Without these, four loads of adjacent elements stay four instructions: the compiler may not assume that the
address is a multiple of 16 bytes, which one ``ld.global.v4`` or ``ld.shared.v4`` needs (PTX ISA, "Vectors").
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

try:
    from numba.cuda.extending import intrinsic
except ImportError:
    from numba.extending import intrinsic

LANES = 4
BYTES = 16


def _check(what: str, array: Any, index: Any) -> None:
    """TypingError unless it is an element of a one-dimensional contiguous array of 32-bit elements."""
    element = getattr(array, "dtype", None)
    if getattr(array, "ndim", 0) != 1 or getattr(array, "layout", "") != "C" or getattr(element, "bitwidth", 0) != 32:
        raise TypingError(f"{what}: a contiguous one-dimensional array of 32-bit elements; given {array}")
    if not isinstance(index, types.Integer):
        raise TypingError(f"{what}: the index is a whole number; given {index}")


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """The address of an element as a pointer to four."""
    data = context.make_array(array_type)(context, builder, array).data
    element = builder.gep(data, [index])
    return builder.bitcast(element, ir.VectorType(element.type.pointee, LANES).as_pointer())


@intrinsic
def load4(typingctx: Any, array: Any, index: Any) -> Any:
    """Elements ``index`` to ``index + 3`` of a one-dimensional array, as a tuple; ``index`` is a multiple of 4."""
    _check("load4", array, index)
    signature = typing.signature(types.containers.UniTuple(array.dtype, LANES), array, types.intp)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _place(context, builder, called.args[0], *arguments)
        vector = builder.load(place, align=BYTES)
        lanes = [builder.extract_element(vector, ir.Constant(ir.IntType(32), lane)) for lane in range(LANES)]
        return context.make_tuple(builder, called.return_type, lanes)

    return signature, generate


@intrinsic
def store4(typingctx: Any, array: Any, index: Any, values: Any) -> Any:
    """Write a tuple of four values to elements ``index`` to ``index + 3``; ``index`` is a multiple of 4."""
    _check("store4", array, index)
    quad = types.containers.UniTuple(array.dtype, LANES)
    if values != quad:
        raise TypingError(f"store4: the values are a tuple of four of the array's type; given {values}")
    signature = typing.signature(types.void, array, types.intp, quad)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _place(context, builder, called.args[0], *arguments[:2])
        vector = ir.Constant(place.type.pointee, ir.Undefined)
        for lane in range(LANES):
            value = builder.extract_value(arguments[2], lane)
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
        builder.store(vector, place, align=BYTES)
        return context.get_dummy_value()

    return signature, generate
