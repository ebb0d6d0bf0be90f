"""Copies from global to shared memory that pass by the registers, and that nobody waits for at once.

A thread begins copies, commits them as a group, computes, and waits for the group later: the way through
memory is hidden behind arithmetic. PTX ISA, "Data Movement and Conversion Instructions: Non-bulk copy"
(``cp.async``); compute capability 8.0 and later. Importing this module imports numba.

What a copy brings is there for the thread that began it once that thread has waited for its group, and for
the threads of its block after a barrier behind that wait.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic

BYTES = 16  # of the widest copy
MOST_GROUPS = 7  # that may stay under way at a wait: what any pipeline of ours needs, and more
_GLOBAL, _SHARED = 1, 3  # address spaces (NVVM IR specification, "Address Space")
_INT, _LONG = ir.IntType(32), ir.IntType(64)


def _check(what: str, itemsize: int, shared: Any, at: Any, array: Any, start: Any, count: Any) -> None:
    """TypingError unless both are contiguous one-dimensional arrays of one dtype of this many bytes."""
    for kind in (shared, array):
        width = getattr(getattr(kind, "dtype", None), "bitwidth", 0)
        if getattr(kind, "ndim", 0) != 1 or getattr(kind, "layout", "") != "C" or width != 8 * itemsize:
            elements = f"{8 * itemsize}-bit elements"
            raise TypingError(f"{what}: contiguous one-dimensional arrays of {elements}; given {kind}")
    if shared.dtype != array.dtype:
        raise TypingError(f"{what}: both arrays have one dtype; given {shared.dtype} and {array.dtype}")
    for name, kind in (("at", at), ("start", start), ("count", count)):
        if not isinstance(kind, types.Integer | types.Boolean):
            raise TypingError(f"{what}: {name} is a whole number; given {kind}")


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, space: int) -> Any:
    """The address of an element within its address space, which is what ``cp.async`` takes."""
    element = builder.gep(context.make_array(kind)(context, builder, array).data, [index])
    here = builder.addrspacecast(element, ir.PointerType(element.type.pointee, space))
    return builder.ptrtoint(here, _INT if space == _SHARED else _LONG)


def _copy(what: str, itemsize: int, elements: int, cache: str, arguments: tuple[Any, ...]) -> Any:
    """The signature and the code of a copy of ``elements``, of which a count is read and the rest is zero."""
    _check(what, itemsize, *arguments)
    shared, _, array, *_ = arguments
    size = itemsize * elements
    text = f"cp.async.{cache}.shared.global [$0], [$1], {size}, $2;"

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        target, at, source, start, count = values
        places = (
            _address(context, builder, called.args[0], target, at, _SHARED),
            _address(context, builder, called.args[2], source, start, _GLOBAL),
            builder.mul(count, ir.Constant(_INT, itemsize)),
        )
        kind = ir.FunctionType(ir.VoidType(), [place.type for place in places])
        builder.call(ir.InlineAsm(kind, text, "r,l,r,~{memory}", side_effect=True), places)
        return context.get_dummy_value()

    return typing.signature(types.void, shared, types.intp, array, types.intp, types.int32), generate


@intrinsic
def copy4_async(typingctx: Any, shared: Any, at: Any, array: Any, start: Any, count: Any) -> Any:
    """Begin to copy ``array[start:start + count]`` to ``shared[at:]``, and zeros behind it: four elements in all.

    The elements have 32 bits, ``count`` is 0 to 4, and ``at`` and ``start`` are multiples of 4. With a count
    of 0 nothing is read, and ``start`` may lie beyond the array. The copy goes by the L1 cache.
    """
    return _copy("copy4_async", 4, 4, "cg", (shared, at, array, start, count))


@intrinsic
def copy8_async(typingctx: Any, shared: Any, at: Any, array: Any, start: Any, count: Any) -> Any:
    """As `copy4_async`, for eight elements of 16 bits; ``at`` and ``start`` are multiples of 8."""
    return _copy("copy8_async", 2, 8, "cg", (shared, at, array, start, count))


@intrinsic
def copy1_async(typingctx: Any, shared: Any, at: Any, array: Any, start: Any, valid: Any) -> Any:
    """Begin to copy the 32-bit element ``array[start]`` to ``shared[at]``; zero, with nothing read, unless ``valid``.

    Any ``start`` will do: for rows whose length is no multiple of 4. The copy leaves a line in the L1 cache,
    where the other elements of a sector find it.
    """
    return _copy("copy1_async", 4, 1, "ca", (shared, at, array, start, valid))


def _instruction(text: str) -> Any:
    """The code of an instruction without operands that orders memory."""

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(ir.InlineAsm(kind, text, "~{memory}", side_effect=True), [])
        return context.get_dummy_value()

    return generate


@intrinsic
def commit_copies(typingctx: Any) -> Any:
    """Make a group of the copies that this thread began since its last group; it may be empty."""
    return typing.signature(types.void), _instruction("cp.async.commit_group;")


@intrinsic
def wait_for_copies(typingctx: Any, groups: Any) -> Any:
    """Wait until at most the ``groups`` youngest groups of this thread are under way: a constant, 0 for none."""
    value = getattr(groups, "literal_value", None)
    if not isinstance(value, int) or not 0 <= value <= MOST_GROUPS:
        raise TypingError(f"wait_for_copies: a constant from 0 to {MOST_GROUPS}; given {groups}")
    return typing.signature(types.void, groups), _instruction(f"cp.async.wait_group {value};")
