"""128-bit accesses, and hints to the caches. Importing this module imports numba.

Without the first, four loads of adjacent elements stay four instructions: the compiler may not assume that the
address is a multiple of 16 bytes, which one ``ld.v4`` needs (PTX ISA, "Vectors"). The hints are those of the
PTX ISA, "Cache Operators" (``.cs``: likely accessed once, so evicted first) and "ld.global.nc" (by the
read-only path, for what no thread writes while the launch runs).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic

LANES = 4
BYTES = 16
GLOBAL = 1  # the address space (NVVM IR specification, "Address Space")
_LONG = ir.IntType(64)


def _check(what: str, array: Any, index: Any, widths: tuple[int, ...] = (32,)) -> None:
    """TypingError unless it is an element of a one-dimensional contiguous array of elements of these bits."""
    element = getattr(array, "dtype", None)
    wide = getattr(element, "bitwidth", 0) in widths
    if getattr(array, "ndim", 0) != 1 or getattr(array, "layout", "") != "C" or not wide:
        bits = " or ".join(map(str, widths))
        raise TypingError(f"{what}: a contiguous one-dimensional array of {bits}-bit elements; given {array}")
    if not isinstance(index, types.Integer):
        raise TypingError(f"{what}: the index is a whole number; given {index}")


def _element(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """The address of an element."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _as_four(builder: Any, element: Any) -> Any:
    """The address of an element as that of a vector of four."""
    return builder.bitcast(element, ir.VectorType(element.type.pointee, LANES).as_pointer())


def _global(builder: Any, pointer: Any) -> Any:
    """An address as one in global memory."""
    return builder.addrspacecast(pointer, ir.PointerType(pointer.type.pointee, GLOBAL))


def _items(context: Any, builder: Any, kind: Any, vector: Any) -> Any:
    """A vector of LLVM as a tuple."""
    lanes = [builder.extract_element(vector, ir.Constant(ir.IntType(32), lane)) for lane in range(LANES)]
    return context.make_tuple(builder, kind, lanes)


def _quad(array: Any) -> Any:
    """The type of four elements."""
    return types.containers.UniTuple(array.dtype, LANES)


def _check_values(what: str, array: Any, values: Any) -> None:
    """TypingError unless it is a tuple of four of the array's type."""
    if values != _quad(array):
        raise TypingError(f"{what}: the values are a tuple of four of the array's type; given {values}")


@intrinsic
def load4(typingctx: Any, array: Any, index: Any) -> Any:
    """Elements ``index`` to ``index + 3`` of a one-dimensional array, as a tuple; ``index`` is a multiple of 4."""
    _check("load4", array, index)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _as_four(builder, _element(context, builder, called.args[0], *arguments))
        return _items(context, builder, called.return_type, builder.load(place, align=BYTES))

    return typing.signature(_quad(array), array, types.intp), generate


@intrinsic
def store4(typingctx: Any, array: Any, index: Any, values: Any) -> Any:
    """Write a tuple of four values to elements ``index`` to ``index + 3``; ``index`` is a multiple of 4."""
    _check("store4", array, index)
    _check_values("store4", array, values)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _as_four(builder, _element(context, builder, called.args[0], *arguments[:2]))
        vector = ir.Constant(place.type.pointee, ir.Undefined)
        for lane in range(LANES):
            value = builder.extract_value(arguments[2], lane)
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), lane))
        builder.store(vector, place, align=BYTES)
        return context.get_dummy_value()

    return typing.signature(types.void, array, types.intp, values), generate


# --- what is used once ---


def _register(kind: Any) -> str:
    """The letter of the register that holds a 32-bit type in inline assembly (CUDA, "Inline PTX Assembly")."""
    return "f" if isinstance(kind, types.Float) else "r"


@intrinsic
def load4_streaming(typingctx: Any, array: Any, index: Any) -> Any:
    """As `load4`, of global memory that is read once: its lines leave the caches before others."""
    _check("load4_streaming", array, index)
    letter = _register(array.dtype)
    suffix = "f32" if letter == "f" else "b32"
    text = f"ld.global.cs.v4.{suffix} {{$0, $1, $2, $3}}, [$4];"

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        element = _global(builder, _element(context, builder, called.args[0], *arguments))
        quad = ir.LiteralStructType([element.type.pointee] * LANES)
        code = ir.InlineAsm(ir.FunctionType(quad, [_LONG]), text, f"={letter}," * LANES + "l", side_effect=True)
        loaded = builder.call(code, [builder.ptrtoint(element, _LONG)])
        lanes = [builder.extract_value(loaded, lane) for lane in range(LANES)]
        return context.make_tuple(builder, called.return_type, lanes)

    return typing.signature(_quad(array), array, types.intp), generate


@intrinsic
def store4_streaming(typingctx: Any, array: Any, index: Any, values: Any) -> Any:
    """As `store4`, to global memory that is not read again soon: its lines leave the caches before others."""
    _check("store4_streaming", array, index)
    _check_values("store4_streaming", array, values)
    letter = _register(array.dtype)
    suffix = "f32" if letter == "f" else "b32"
    text = f"st.global.cs.v4.{suffix} [$0], {{$1, $2, $3, $4}};"

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        element = _global(builder, _element(context, builder, called.args[0], *arguments[:2]))
        kind = ir.FunctionType(ir.VoidType(), [_LONG, *[element.type.pointee] * LANES])
        code = ir.InlineAsm(kind, text, "l" + f",{letter}" * LANES + ",~{memory}", side_effect=True)
        lanes = [builder.extract_value(arguments[2], lane) for lane in range(LANES)]
        builder.call(code, [builder.ptrtoint(element, _LONG), *lanes])
        return context.get_dummy_value()

    return typing.signature(types.void, array, types.intp, values), generate


# --- what no thread writes ---


def _invariant(builder: Any, place: Any, alignment: int) -> Any:
    """A load of global memory that does not change while the launch runs."""
    loaded = builder.load(_global(builder, place), align=alignment)
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


@intrinsic
def load_readonly(typingctx: Any, array: Any, index: Any) -> Any:
    """``array[index]`` of global memory that no thread writes during the launch; elements of 32 or 64 bits."""
    _check("load_readonly", array, index, (32, 64))

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _element(context, builder, called.args[0], *arguments)
        return _invariant(builder, place, called.return_type.bitwidth // 8)

    return typing.signature(array.dtype, array, types.intp), generate


@intrinsic
def load4_readonly(typingctx: Any, array: Any, index: Any) -> Any:
    """As `load4`, of global memory that no thread writes during the launch."""
    _check("load4_readonly", array, index)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = _as_four(builder, _element(context, builder, called.args[0], *arguments))
        return _items(context, builder, called.return_type, _invariant(builder, place, BYTES))

    return typing.signature(_quad(array), array, types.intp), generate
