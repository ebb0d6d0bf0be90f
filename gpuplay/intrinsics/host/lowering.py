"""What the vector intrinsics share: checks of their arguments, addresses, and loads and stores in LLVM's terms."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError

INDEX = ir.IntType(32)
CONTRACT = ("contract",)  # a multiplication and an addition may become one fused multiply-add


def check_array(what: str, array: Any, dtype: Any = None) -> None:
    """TypingError unless it is a C-contiguous array of numbers, of ``dtype`` where one is given."""
    if not isinstance(array, types.Array) or array.layout != "C":
        raise TypingError(f"{what}: a C-contiguous array; given {array}. np.ascontiguousarray makes a copy that is")
    if not isinstance(array.dtype, types.Float | types.Integer):
        raise TypingError(f"{what}: an array of numbers; given {array}")
    if dtype is not None and array.dtype != dtype:
        raise TypingError(f"{what}: an array of {dtype}; given {array}")


def check_index(what: str, index: Any) -> None:
    """TypingError unless it is a whole number."""
    if not isinstance(index, types.Integer):
        raise TypingError(f"{what}: a whole number as index or count; given {index}")


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """The address of element ``index`` of a C-contiguous array, counted over all its dimensions."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def further(builder: Any, place: Any, elements: int) -> Any:
    """The address ``elements`` after a place."""
    return builder.gep(place, [ir.Constant(ir.IntType(64), elements)])


def load(builder: Any, place: Any, kind: Any, align: int) -> Any:
    """A vector from the elements at a place."""
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=align)


def store(builder: Any, place: Any, vector: Any, align: int) -> Any:
    """Write a vector to the elements at a place; returns the instruction."""
    return builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=align)


def lower_lanes(builder: Any, count: Any, lanes: int) -> Any:
    """A mask of the lanes whose number is below ``count``."""
    kind = ir.VectorType(count.type, lanes)
    numbers = ir.Constant(kind, [ir.Constant(count.type, lane) for lane in range(lanes)])
    return builder.icmp_signed("<", numbers, splat(builder, count, lanes))


def load_masked(builder: Any, place: Any, kind: Any, mask: Any, align: int) -> Any:
    """A vector from memory: lanes that the mask leaves out are zero, and their memory is not touched."""
    pointer = builder.bitcast(place, kind.as_pointer())
    signature = ir.FunctionType(kind, [pointer.type, INDEX, mask.type, kind])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.masked.load.{_name(kind)}.p0")
    return builder.call(function, [pointer, ir.Constant(INDEX, align), mask, ir.Constant(kind, None)])


def store_masked(builder: Any, place: Any, vector: Any, mask: Any, align: int) -> None:
    """Write the lanes that the mask names; the memory of the others is not touched."""
    kind = vector.type
    pointer = builder.bitcast(place, kind.as_pointer())
    signature = ir.FunctionType(ir.VoidType(), [kind, pointer.type, INDEX, mask.type])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.masked.store.{_name(kind)}.p0")
    builder.call(function, [vector, pointer, ir.Constant(INDEX, align), mask])


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """The value in every lane."""
    kind = ir.VectorType(value.type, lanes)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(INDEX, 0))
    order = ir.Constant(ir.VectorType(INDEX, lanes), None)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), order)


def call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """The value of an LLVM intrinsic of vectors, such as ``llvm.fabs``, for the type of its first argument."""
    kinds = [argument.type for argument in arguments]
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, kinds), f"{name}.{_name(kinds[-1])}"
    )
    return builder.call(function, arguments)


def prefetch(builder: Any, place: Any) -> None:
    """Ask for the cache line of an address, to be read and kept."""
    signature = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), INDEX, INDEX, INDEX])
    function = cgutils.get_or_insert_function(builder.module, signature, "llvm.prefetch.p0")
    read, keep, data = (ir.Constant(INDEX, number) for number in (0, 3, 1))
    builder.call(function, [builder.bitcast(place, ir.IntType(8).as_pointer()), read, keep, data])


def _name(kind: Any) -> str:
    """LLVM's name of a vector type in the name of an intrinsic, as v16f32."""
    element = kind.element
    letter = f"i{element.width}" if isinstance(element, ir.IntType) else {"float": "f32", "double": "f64"}[str(element)]
    return f"v{kind.count}{letter}"
