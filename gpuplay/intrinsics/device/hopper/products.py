"""Products of tiles in shared memory by a warpgroup's matrix units: PTX's ``wgmma``. Importing it imports numba.

A warpgroup is four warps, the first of which has a number divisible by four. Its 128 threads together multiply
a tile of A by a tile of B, 64×16 by 16×columns in bfloat16; the matrix units read both from shared memory by
themselves, while the threads go on. The sums are in registers: thread t of the warpgroup holds, in a tuple of
columns/2 floats,

    item 4j + 2h + b   row 16·(t // 32) + t % 32 // 4 + 8h, column 8j + 2·(t % 4) + b

(PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16", accumulator D). Between `multiply_async_bf16` and
`wait_for_products` these registers belong to the matrix units, which is why both take the sums and return them.

PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions"; compute capability 9.0, compiled as sm_90a.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic
from gpuplay.intrinsics.device.shared_addresses import (
    CONVERGENT,
    LONG,
    emit,
    one_dimensional,
    shared_address,
    whole_number,
)

ROWS = 64  # of A's tile
WARPGROUP = 128
MOST_GROUPS = 7  # that may stay under way at a wait
SWIZZLE_128 = 1 << 62  # bits 62 and 63: which swizzle (PTX ISA, "Matrix Descriptor Format")
_FLOAT = ir.FloatType()


def sums_of(what: str, sums: Any) -> int:
    """How many floats of the sums a thread holds; TypingError where no product has so many."""
    if (
        not isinstance(sums, types.containers.UniTuple)
        or sums.dtype != types.float32
        or sums.count % 4
        or sums.count > WARPGROUP
    ):
        raise TypingError(f"{what}: sums are a tuple of 4, 8, … 128 float32, half the columns; given {sums}")
    return int(sums.count)


@intrinsic
def describe_tile(typingctx: Any, shared: Any, at: Any, leading: Any, stride: Any) -> Any:
    """A matrix descriptor of the tile at ``shared[at]``, whose rows of 128 bytes are swizzled as `copy_box_async` does.

    ``stride`` is the bytes from eight rows to the next eight. Where rows run along k (A row by row), ``leading`` is
    not used. Where they run along the columns of B, it is the bytes from 64 columns to the next 64.
    """
    one_dimensional("describe_tile", shared)
    for name, kind in (("at", at), ("leading", leading), ("stride", stride)):
        whole_number("describe_tile", name, kind)

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        array, index, *offsets = values
        place = shared_address(context, builder, called.args[0], array, index)
        word = ir.Constant(LONG, SWIZZLE_128)
        for bit, number in zip((0, 16, 32), (place, *offsets), strict=True):
            field = builder.and_(builder.lshr(number, ir.Constant(number.type, 4)), ir.Constant(number.type, 0x3FFF))
            word = builder.or_(word, builder.shl(builder.zext(field, LONG), ir.Constant(LONG, bit)))
        return word

    return typing.signature(types.uint64, shared, types.intp, types.uint32, types.uint32), generate


def _instruction(text: str) -> Any:
    """The code of an instruction without operands."""

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        emit(builder, text, "")
        return context.get_dummy_value()

    return typing.signature(types.void), generate


@intrinsic
def fence_products(typingctx: Any) -> Any:
    """Before the first of some products: hand the registers of the sums over to the matrix units."""
    return _instruction("wgmma.fence.sync.aligned;")


@intrinsic
def commit_products(typingctx: Any) -> Any:
    """Make a group of the products that the warpgroup began since its last group."""
    return _instruction("wgmma.commit_group.sync.aligned;")


def _with_sums(builder: Any, text: str, sums: Any, count: int, *operands: Any) -> list[Any]:
    """Run an instruction that changes all sums in place: its outputs are tied to its inputs."""
    items = [builder.extract_value(sums, at) for at in range(count)]
    kind = ir.FunctionType(ir.LiteralStructType([_FLOAT] * count), [_FLOAT] * count + [o.type for o in operands])
    constraints = ["=f"] * count + [str(at) for at in range(count)] + ["l"] * len(operands) + ["~{memory}"]
    code = ir.InlineAsm(kind, text, ",".join(constraints), side_effect=True)
    changed = builder.call(code, items + list(operands), attrs=CONVERGENT)
    return [builder.extract_value(changed, at) for at in range(count)]


def _product(what: str, operation: str, transposed: str, sums: Any, a: Any, b: Any) -> Any:
    """The signature and the code of a product; ``transposed`` are the operands that say so, where there are any."""
    count = sums_of(what, sums)
    for name, kind in (("a", a), ("b", b)):
        whole_number(what, f"the descriptor {name}", kind)
    shape, kinds = operation.split(" ")
    registers = ", ".join(f"${at}" for at in range(count))
    text = (
        f"wgmma.mma_async.sync.aligned.m64n{2 * count}{shape}.f32.{kinds} "
        f"{{{registers}}}, ${2 * count}, ${2 * count + 1}, 1, 1, 1{transposed};"
    )

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        return context.make_tuple(builder, called.return_type, _with_sums(builder, text, values[0], count, *values[1:]))

    return typing.signature(sums, sums, types.uint64, types.uint64), generate


@intrinsic
def multiply_async_bf16(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """Begin ``sums + A·B`` in float32, A and B bfloat16 tiles that descriptors name; the 128 threads together.

    A is 64×16, its rows along k; B is 16×columns, its rows along the columns, where ``sums`` has columns/2 items.
    """
    return _product("multiply_async_bf16", "k16 bf16.bf16", ", 0, 1", sums, a, b)


@intrinsic
def multiply_async_tf32(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """As `multiply_async_bf16` for float32 tiles, of which the matrix units read 10 bits of fraction and cut the rest.

    A is 64×8 and B is 8×columns, the rows of both along k: B lies transposed, as columns×8.
    """
    return _product("multiply_async_tf32", "k8 tf32.tf32", "", sums, a, b)


@intrinsic
def wait_for_products(typingctx: Any, sums: Any, groups: Any) -> Any:
    """The sums, once at most the ``groups`` youngest groups are under way: a constant; 0 before they are read."""
    count = sums_of("wait_for_products", sums)
    most = getattr(groups, "literal_value", None)
    if not isinstance(most, int) or not 0 <= most <= MOST_GROUPS:
        raise TypingError(f"wait_for_products: groups are a constant from 0 to {MOST_GROUPS}; given {groups}")

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        text = f"wgmma.wait_group.sync.aligned {most};"
        return context.make_tuple(builder, called.return_type, _with_sums(builder, text, values[0], count))

    return typing.signature(sums, sums, groups), generate
