"""Matrix units, a warp at a time: fragments of matrices in registers, and their products. Importing imports numba.

A *fragment* is a warp's share of a small matrix: every lane holds some elements in registers, in the order of
the PTX ISA, "Matrix Fragments for mma.m16n8k16" and "… mma.m16n8k8". With lane = 4·g + t:

========  ================  ====================================================================================
operand   shape             a lane holds
========  ================  ====================================================================================
a         16×16, 16 bits    4 pairs: rows g, g+8, g, g+8; columns 2t and 2t+1, in the last two 2t+8 and 2t+9
b         16×8, 16 bits     2 pairs: column g; rows 2t and 2t+1, then 2t+8 and 2t+9
a         16×8, tfloat32    4 numbers: rows g, g+8, g, g+8; column t, in the last two t+4
b         8×8, tfloat32     2 numbers: column g; row t, then t+4
sums      16×8, float32     4 numbers: row g, columns 2t and 2t+1; row g+8, the same columns
========  ================  ====================================================================================

All lanes of the warp must execute each of these together. They need compute capability 8.0.

Products of 16-bit and of tfloat32 numbers are exact in the unit. The PTX ISA leaves the rounding of its sums
open: on hardware they are cut towards zero (Fasi, Higham, Mikaitis and Pranesh, "Numerical behavior of NVIDIA
tensor cores", PeerJ Computer Science 2021), which is why `multiply_tiles_tf32x3` adds them up outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError
from numba.core.types.containers import UniTuple

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic

A_WORDS, B_WORDS, SUMS = 4, 2, 4  # registers of a fragment in every lane
WORD, FLOAT = ir.IntType(32), ir.FloatType()
HALF_UNIT, READ = 0x1000, 0xFFFFE000  # of a float32 on its way to tfloat32: half of its last bit, the bits kept


@dataclass(frozen=True)
class Format:
    """Factors of a product: their name in PTX, the depth of one instruction, the Numba type of a register."""

    name: str
    depth: int
    kind: Any


BF16, F16 = Format("bf16", 16, types.uint32), Format("f16", 16, types.uint32)
TF32 = Format("tf32", 8, types.float32)


def assembly(builder: Any, text: str, result: Any, operands: list[Any], constraints: str, *, together: bool) -> Any:
    """Inline PTX; ``together`` where the lanes of a warp execute it as one, so that no branch may divide it."""
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    code = ir.InlineAsm(kind, text, constraints, side_effect=together)
    return builder.call(code, operands, attrs=("convergent",) if together else ())


def items(builder: Any, value: Any, count: int) -> list[Any]:
    """The values of a tuple or a structure."""
    return [builder.extract_value(value, at) for at in range(count)]


def _words(builder: Any, values: list[Any]) -> list[Any]:
    """The bits of registers, as the instructions take them."""
    return [value if value.type == WORD else builder.bitcast(value, WORD) for value in values]


def _rounded(builder: Any, value: Any) -> Any:
    """A float32 whose upper 19 bits are the nearest tfloat32; infinities and NaNs as they are."""
    text = (
        "{ .reg .pred finite; .reg .f32 size; abs.f32 size, $1; setp.lt.f32 finite, size, 0f7F800000; "
        "mov.b32 $0, $1; @finite add.u32 $0, $0, 4096; }"
    )
    bits = assembly(builder, text, WORD, [value], "=&r,f", together=False)
    return builder.bitcast(bits, FLOAT)


def _split(builder: Any, values: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both parts of each float32: high, the nearest tfloat32, and what is left, whose upper bits the unit reads."""
    high = []
    for value in values:
        bits = builder.add(builder.bitcast(value, WORD), ir.Constant(WORD, HALF_UNIT))
        high.append(builder.bitcast(builder.and_(bits, ir.Constant(WORD, READ)), FLOAT))
    return high, [builder.fsub(value, upper) for value, upper in zip(values, high, strict=True)]


def _multiply_add(builder: Any, factors: Format, sums: list[Any], a: list[Any], b: list[Any]) -> list[Any]:
    """One instruction: a 16×8 tile of sums, plus a·b."""
    shape = f"m16n8k{factors.depth}.row.col.f32.{factors.name}.{factors.name}.f32"
    text = f"mma.sync.aligned.{shape} {{$0,$1,$2,$3}}, {{$4,$5,$6,$7}}, {{$8,$9}}, {{$10,$11,$12,$13}};"
    operands = [*_words(builder, a), *_words(builder, b), *sums]
    constraints = ",".join(["=f"] * SUMS + ["r"] * (A_WORDS + B_WORDS) + ["f"] * SUMS)
    kind = ir.LiteralStructType([FLOAT] * SUMS)
    return items(builder, assembly(builder, text, kind, operands, constraints, together=True), SUMS)


def _refuse(what: str, factors: Format, sums: Any, a: Any, b: Any) -> None:
    """TypingError unless a has 4 registers for each 16 rows, b 2 for each 8 columns, sums 4 for each of both."""
    shown = f"given {sums}, {a} and {b}"
    for name, value, kind in (("sums", sums, types.float32), ("a", a, factors.kind), ("b", b, factors.kind)):
        if not isinstance(value, UniTuple) or value.dtype != kind:
            raise TypingError(f"{what}: {name} is a tuple of {kind}; {shown}")
    if a.count % A_WORDS or b.count % B_WORDS or sums.count * A_WORDS * B_WORDS != a.count * b.count * SUMS:
        raise TypingError(
            f"{what}: a has 4 registers for each 16 rows, b 2 for each 8 columns, sums 4 for each 16 by 8; {shown}"
        )


def _tiles(what: str, factors: Format, sums: Any, a: Any, b: Any, *, single: bool = False, thrice: bool = False) -> Any:
    """Signature and code of a product: of one instruction, or of as many as the tuples have tiles."""
    _refuse(what, factors, sums, a, b)
    if single and sums.count != SUMS:
        raise TypingError(f"{what}: one tile, 4 sums; given {sums}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        counts = (sums.count, a.count, b.count)
        total, left, right = (items(builder, v, n) for v, n in zip(arguments, counts, strict=True))
        one = _thrice if thrice else _once
        tile = one(builder, factors, left, right)
        columns = b.count // B_WORDS
        for at in range(0, sums.count, SUMS):
            row, column = divmod(at // SUMS, columns)
            total[at : at + SUMS] = tile(total[at : at + SUMS], row, column)
        return context.make_tuple(builder, called.return_type, total)

    return typing.signature(sums, sums, a, b), generate


def _once(builder: Any, factors: Format, a: list[Any], b: list[Any]) -> Any:
    """A tile's sums by one instruction."""

    def tile(sums: list[Any], row: int, column: int) -> list[Any]:
        return _multiply_add(builder, factors, sums, _part(a, row, A_WORDS), _part(b, column, B_WORDS))

    return tile


def _thrice(builder: Any, factors: Format, a: list[Any], b: list[Any]) -> Any:
    """A tile's sums by three instructions, the small products first, and four additions that round to nearest."""
    zeros = [ir.Constant(FLOAT, 0.0)] * SUMS
    rights = [_split(builder, _part(b, column, B_WORDS)) for column in range(len(b) // B_WORDS)]
    lefts: dict[int, Any] = {}

    def tile(sums: list[Any], row: int, column: int) -> list[Any]:
        if row not in lefts:  # just before its first use, so that few halves are alive at a time
            lefts[row] = _split(builder, _part(a, row, A_WORDS))
        (a_high, a_low), (b_high, b_low) = lefts[row], rights[column]
        product = zeros
        for left, right in ((a_low, b_high), (a_high, b_low), (a_high, b_high)):
            product = _multiply_add(builder, factors, product, left, right)
        return [builder.fadd(old, new) for old, new in zip(sums, product, strict=True)]

    return tile


def _part(registers: list[Any], number: int, count: int) -> list[Any]:
    return registers[number * count : (number + 1) * count]


# ---- products ----


@intrinsic
def multiply_add_bf16(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """The sums + a·b of a 16×8 tile, over a depth of 16: 4 float32; 4 and 2 pairs of bfloat16, as uint32.

    The lower half of a pair comes first. ``mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32``
    """
    return _tiles("multiply_add_bf16", BF16, sums, a, b, single=True)


@intrinsic
def multiply_add_f16(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """`multiply_add_bf16` with pairs of float16: ``mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32``."""
    return _tiles("multiply_add_f16", F16, sums, a, b, single=True)


@intrinsic
def multiply_add_tf32(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """The sums + a·b of a 16×8 tile, over a depth of 8: 4, 4 and 2 float32, of which the unit reads the upper 19 bits.

    The other 13 bits are cut off: `round_to_tf32` rounds to nearest before.
    ``mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32``
    """
    return _tiles("multiply_add_tf32", TF32, sums, a, b, single=True)


@intrinsic
def multiply_tiles_bf16(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """`multiply_add_bf16` for a whole tile of a warp: as many 16×8 tiles as ``a`` has 16 rows and ``b`` 8 columns.

    ``a`` has 4 registers for each 16 rows, ``b`` 2 for each 8 columns, ``sums`` 4 for each tile, row of tiles
    after row of tiles.
    """
    return _tiles("multiply_tiles_bf16", BF16, sums, a, b)


@intrinsic
def multiply_tiles_f16(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """`multiply_tiles_bf16` with pairs of float16."""
    return _tiles("multiply_tiles_f16", F16, sums, a, b)


@intrinsic
def multiply_tiles_tf32(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """`multiply_add_tf32` for a whole tile of a warp, laid out as in `multiply_tiles_bf16`."""
    return _tiles("multiply_tiles_tf32", TF32, sums, a, b)


@intrinsic
def multiply_tiles_tf32x3(typingctx: Any, sums: Any, a: Any, b: Any) -> Any:
    """`multiply_tiles_tf32` with the accuracy of float32, for finite numbers: three products in the place of one.

    Each factor is high + low, two tfloat32, and a·b is low·high + high·low + high·high. What is left out is low·low,
    at most 2^-22 of the product, and what the unit cuts off a low, at most 2^-21 each. The sum of a depth of 8 is
    added to ``sums`` by ordinary additions. After Ootomo and Yokota, "Recovering single precision accuracy from
    Tensor Cores while surpassing the FP32 theoretical peak performance", IJHPCA 2022. An infinity makes NaN.
    """
    return _tiles("multiply_tiles_tf32x3", TF32, sums, a, b, thrice=True)


# ---- conversions ----


@intrinsic
def round_to_tf32(typingctx: Any, value: Any) -> Any:
    """A float32, or each of a tuple of them, rounded to tfloat32: to nearest, ties away from 0.

    ``cvt.rna.tf32.f32``, but for the 13 lowest bits: the unit does not read them, so they are left as they come.
    """
    many = isinstance(value, UniTuple)
    if (value.dtype if many else value) != types.float32:
        raise TypingError(f"round_to_tf32: a float32 or a tuple of them; given {value}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        if not many:
            return _rounded(builder, arguments[0])
        rounded = [_rounded(builder, item) for item in items(builder, arguments[0], value.count)]
        return context.make_tuple(builder, called.return_type, rounded)

    return typing.signature(value, value), generate


def _pack(what: str, low: Any, high: Any) -> Any:
    """Two float32 as a pair of 16-bit numbers."""
    if low != types.float32 or high != types.float32:
        raise TypingError(f"pack_{what}: two float32; given {low} and {high}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        upper_first = [arguments[1], arguments[0]]
        return assembly(builder, f"cvt.rn.{what}x2.f32 $0, $1, $2;", WORD, upper_first, "=r,f,f", together=False)

    return typing.signature(types.uint32, low, high), generate


@intrinsic
def pack_bf16(typingctx: Any, low: Any, high: Any) -> Any:
    """Two float32 rounded to a pair of bfloat16, ``low`` in the lower half (``cvt.rn.bf16x2.f32``)."""
    return _pack("bf16", low, high)


@intrinsic
def pack_f16(typingctx: Any, low: Any, high: Any) -> Any:
    """Two float32 rounded to a pair of float16, ``low`` in the lower half (``cvt.rn.f16x2.f32``)."""
    return _pack("f16", low, high)
