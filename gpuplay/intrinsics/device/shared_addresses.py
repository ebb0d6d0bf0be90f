"""Shared memory as instructions on matrices see it, those of compute capability 9.0 above all: 32-bit addresses.

Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic

INT, LONG = ir.IntType(32), ir.IntType(64)
CONVERGENT = ("convergent",)  # LLVM: nothing may make it depend on other conditions than it does
SHARED = 3  # address space (NVVM IR specification, "Address Space")


def whole_number(what: str, name: str, kind: Any) -> None:
    """TypingError unless it is an integer."""
    if not isinstance(kind, types.Integer | types.Boolean):
        raise TypingError(f"{what}: {name} is a whole number; given {kind}")


def one_dimensional(what: str, array: Any) -> None:
    """TypingError unless it is a one-dimensional contiguous array of numbers."""
    element = getattr(array, "dtype", None)
    shaped = getattr(array, "ndim", 0) == 1 and getattr(array, "layout", "") == "C"
    if not shaped or not isinstance(element, types.Number):
        raise TypingError(f"{what}: a one-dimensional contiguous array of numbers; given {array}")


def shared_address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """The 32-bit address of an element of a shared array."""
    element = builder.gep(context.make_array(kind)(context, builder, array).data, [index])
    here = builder.addrspacecast(element, ir.PointerType(element.type.pointee, SHARED))
    return builder.ptrtoint(here, INT)


def emit(builder: Any, text: str, constraints: str, *operands: Any) -> None:
    """Instructions without a result, in order with all others that touch memory; not to be moved into a branch."""
    kind = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
    clobbers = f"{constraints},~{{memory}}" if constraints else "~{memory}"
    builder.call(ir.InlineAsm(kind, text, clobbers, side_effect=True), operands, attrs=CONVERGENT)


@intrinsic
def elements_to_boundary(typingctx: Any, shared: Any, width: Any) -> Any:
    """How many elements to skip in a shared array until an address is a multiple of ``width`` bytes, a power of two.

    Dynamic shared memory begins behind the static arrays; a tile with 128-byte swizzle begins at a multiple of 1024.
    """
    one_dimensional("elements_to_boundary", shared)
    whole_number("elements_to_boundary", "width", width)

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        array, boundary = values
        place = shared_address(context, builder, called.args[0], array, ir.Constant(LONG, 0))
        rest = builder.and_(builder.neg(place), builder.sub(boundary, ir.Constant(INT, 1)))
        return builder.udiv(rest, ir.Constant(INT, called.args[0].dtype.bitwidth // 8))

    return typing.signature(types.uint32, shared, types.uint32), generate
