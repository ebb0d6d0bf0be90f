"""Explicit SIMD for kernels on the CPU: vectors as values, as wide as the host's registers.

``x = load(X, i)`` reads `lanes` adjacent elements into one register, ``x * y + 1`` works on all of them,
``store(Y, i, x)`` writes them back. Vectors know ``+ - * /``, comparisons, and for whole numbers
``& | ^ << >>``; a scalar beside a vector is taken in the vector's own dtype, so that a bare ``0.5`` does
not turn float32 into float64. Comparisons give a mask, which `select` takes.

Indices are flat: they count elements over all dimensions of a C-contiguous array, and nothing is
bounds-checked. Arrays that are not C-contiguous are refused when a kernel is compiled. The number of
lanes is a fact of the host (`gpuplay.intrinsics.host.width`): ask `lanes` for it and write down none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_operators import as_vectors
from gpuplay.intrinsics.host.vector_types import Mask, Vector, vector_of

LINE = 64  # bytes of a cache line


# ---- memory ----


@intrinsic
def lanes(typingctx: Any, array: Any) -> Any:
    """Elements of the array's dtype in a vector of this host: a compile-time constant."""
    lowering.check_array("lanes", array)
    count = vector_of(array.dtype).lanes

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic
def load(typingctx: Any, array: Any, index: Any) -> Any:
    """The vector ``array[index]``, ``array[index + 1]``, …; any ``index`` will do."""
    vector = _of("load", array, index)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place, kind, align = _place(context, builder, called, arguments, vector)
        return lowering.load(builder, place, kind, align)

    return vector(array, types.intp), generate


@intrinsic
def load_first(typingctx: Any, array: Any, index: Any, count: Any) -> Any:
    """The first ``count`` lanes of `load`, zero in the others, whose memory is not touched."""
    vector = _of("load_first", array, index, count)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place, kind, align = _place(context, builder, called, arguments, vector)
        mask = lowering.lower_lanes(builder, arguments[2], vector.lanes)
        return lowering.load_masked(builder, place, kind, mask, align)

    return vector(array, types.intp, types.intp), generate


@intrinsic
def store(typingctx: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector to ``array[index]``, ``array[index + 1]``, …; any ``index`` will do."""
    _stored("store", array, index, vector)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place, _, align = _place(context, builder, called, arguments, vector)
        lowering.store(builder, place, arguments[2], align)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def store_first(typingctx: Any, array: Any, index: Any, vector: Any, count: Any) -> Any:
    """Write the first ``count`` lanes of a vector; the memory of the others is not touched."""
    _stored("store_first", array, index, vector)
    lowering.check_index("store_first", count)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place, _, align = _place(context, builder, called, arguments, vector)
        mask = lowering.lower_lanes(builder, arguments[3], vector.lanes)
        lowering.store_masked(builder, place, arguments[2], mask, align)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector, types.intp), generate


@intrinsic
def stream(typingctx: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector past the caches; ``array[index]`` lies on a boundary of its register's size.

    An ordinary store first reads the line that it writes into. A streaming store of whole lines does not:
    it pays where the output is larger than the last cache, and costs where it would have fitted. Call
    `gpuplay.intrinsics.host.streaming.stream_fence` once after the last one of a thread.
    """
    _stored("stream", array, index, vector)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place, _, align = _place(context, builder, called, arguments, vector)
        written = lowering.store(builder, place, arguments[2], min(align * vector.lanes, LINE))
        written.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(lowering.INDEX, 1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def to_boundary(typingctx: Any, array: Any, index: Any) -> Any:
    """How many elements after ``array[index]`` the next boundary of a cache line (64 bytes) is, 0 to a line."""
    _of("to_boundary", array, index)
    size = array.dtype.bitwidth // 8

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = lowering.address(context, builder, called.args[0], *arguments)
        number = builder.ptrtoint(place, arguments[1].type)
        rest = builder.and_(builder.neg(number), ir.Constant(number.type, LINE - 1))
        return builder.udiv(rest, ir.Constant(number.type, size))

    return types.intp(array, types.intp), generate


@intrinsic
def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``; nothing waits for it, and any address is harmless."""
    _of("prefetch", array, index)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        place = lowering.address(context, builder, called.args[0], *arguments)
        lowering.prefetch(builder, place)
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


# ---- making vectors, and what is left of them ----


@intrinsic
def broadcast(typingctx: Any, like: Any, value: Any) -> Any:
    """A vector with ``value`` in every lane; ``like`` is a vector or an array that gives the dtype."""
    vector = like if isinstance(like, Vector) else _of("broadcast", like)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        number = context.cast(builder, arguments[1], called.args[1], vector.dtype)
        return lowering.splat(builder, number, vector.lanes)

    return vector(like, value), generate


@intrinsic
def total(typingctx: Any, vector: Any) -> Any:
    """The sum of all lanes, a scalar; halves are added to halves."""
    return _folded("total", vector, lambda builder, a, b: builder.fadd(a, b))


@intrinsic
def largest(typingctx: Any, vector: Any) -> Any:
    """The largest of all lanes, a scalar; which of both counts where one is NaN is not said."""
    return _folded("largest", vector, lambda b, x, y: b.select(b.fcmp_ordered(">", x, y), x, y))


# ---- arithmetic ----


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a·b + c``, in one rounding where the machine has a fused multiply-add, else in two."""
    vector = _same("fma", a, b, c)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        x, y, z = as_vectors(context, builder, called, arguments, vector)
        return builder.fadd(builder.fmul(x, y, flags=lowering.CONTRACT), z, flags=lowering.CONTRACT)

    return vector(a, b, c), generate


@intrinsic
def minimum(typingctx: Any, a: Any, b: Any) -> Any:
    """The smaller of both, lane by lane; ``b`` where either is NaN."""
    return _chosen("minimum", a, b, "<")


@intrinsic
def maximum(typingctx: Any, a: Any, b: Any) -> Any:
    """The larger of both, lane by lane; ``b`` where either is NaN."""
    return _chosen("maximum", a, b, ">")


@intrinsic
def select(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """``a`` where the mask is true, else ``b``."""
    vector = _same("select", a, b)
    if not isinstance(mask, Mask) or mask.lanes != vector.lanes:
        raise TypingError(f"select: a mask of {vector.lanes} lanes; given {mask}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        x, y = as_vectors(context, builder, called, arguments[1:], vector, first=1)
        return builder.select(arguments[0], x, y)

    return vector(mask, a, b), generate


@intrinsic
def absolute(typingctx: Any, a: Any) -> Any:
    """The value without its sign."""
    vector = _same("absolute", a)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        return lowering.call(builder, "llvm.fabs", arguments[0].type, arguments[0])

    return vector(a), generate


@intrinsic
def with_sign(typingctx: Any, a: Any, b: Any) -> Any:
    """The magnitude of ``a`` with the sign of ``b``."""
    vector = _same("with_sign", a, b)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        x, y = as_vectors(context, builder, called, arguments, vector)
        return lowering.call(builder, "llvm.copysign", x.type, x, y)

    return vector(a, b), generate


@intrinsic
def bits(typingctx: Any, a: Any) -> Any:
    """The bits of floating-point lanes as whole numbers of the same size."""
    vector = _same("bits", a)
    whole = Vector(types.Integer.from_bitwidth(vector.dtype.bitwidth, signed=True), vector.lanes)
    return whole(a), _recast


@intrinsic
def from_bits(typingctx: Any, a: Any) -> Any:
    """The floating-point numbers that have these bits."""
    vector = _same("from_bits", a)
    real = Vector(types.float32 if vector.dtype.bitwidth == 32 else types.float64, vector.lanes)
    return real(a), _recast


def _recast(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
    return builder.bitcast(arguments[0], context.get_value_type(called.return_type))


# ---- what they share ----


def _of(what: str, array: Any, *indices: Any) -> Vector:
    """The vector type of an array's dtype; TypingError where the array or an index will not do."""
    lowering.check_array(what, array)
    for index in indices:
        lowering.check_index(what, index)
    return vector_of(array.dtype)


def _stored(what: str, array: Any, index: Any, vector: Any) -> None:
    _of(what, array, index)
    if not isinstance(vector, Vector) or vector.dtype != array.dtype:
        raise TypingError(f"{what}: a vector of {array.dtype} goes into {array}; given {vector}")


def _same(what: str, *values: Any) -> Vector:
    """The vector type that the values share; scalars may stand among them, if one is a vector."""
    vectors = {value for value in values if isinstance(value, Vector)}
    if len(vectors) != 1 or not all(isinstance(value, Vector | types.Number) for value in values):
        raise TypingError(f"{what}: vectors of one dtype, or a vector and scalars; given {', '.join(map(str, values))}")
    return vectors.pop()


def _place(context: Any, builder: Any, called: Any, arguments: Any, vector: Vector) -> tuple[Any, Any, int]:
    """Where a load or store goes, LLVM's type of the vector, and the bytes of an element."""
    place = lowering.address(context, builder, called.args[0], arguments[0], arguments[1])
    return place, context.get_value_type(vector), vector.dtype.bitwidth // 8


def _chosen(what: str, a: Any, b: Any, sign: str) -> Any:
    vector = _same(what, a, b)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        x, y = as_vectors(context, builder, called, arguments, vector)
        real = isinstance(vector.dtype, types.Float)
        compared = builder.fcmp_ordered(sign, x, y) if real else builder.icmp_signed(sign, x, y)
        return builder.select(compared, x, y)

    return vector(a, b), generate


def _folded(what: str, vector: Any, combine: Callable[..., Any]) -> Any:
    """Reduce the lanes of a floating-point vector by halves."""
    _same(what, vector)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        value, width = arguments[0], vector.lanes
        while width > 1:
            width //= 2
            halves = []
            for begin in (0, width):
                order = [ir.Constant(lowering.INDEX, begin + lane) for lane in range(width)]
                mask = ir.Constant(ir.VectorType(lowering.INDEX, width), order)
                halves.append(builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask))
            value = combine(builder, *halves)
        return builder.extract_element(value, ir.Constant(lowering.INDEX, 0))

    return vector.dtype(vector), generate
