"""Matrix units of `gpuplay.intrinsics.device.matrix_units`: fragments become matrices, are multiplied, and dealt out.

Products are exact here, and a sum is cut towards zero once an instruction, as hardware was seen to do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device import matrix_units as intrinsics
from gpuplay.intrinsics.device.matrix_units import A_WORDS, SUMS
from gpuplay.lockstep.execution.faults.meetings import part_of_warp
from gpuplay.lockstep.record import Place
from gpuplay.precision import stored

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.values import Number

WARP, GROUPS, WITHIN = 32, 8, 4  # lane = 4·g + t
FLOAT32 = np.dtype(np.float32)
Matrices = NDArray[Any]  # (warps, rows, columns)
Unpack = Callable[[NDArray[Any]], NDArray[Any]]


def all_lanes(batch: Batch, place: Place, what: str) -> None:
    """A fault where some lanes of a warp come here without the others."""
    active = batch.mask.array.reshape(-1, WARP)
    part = active.any(axis=1) & ~active.all(axis=1)
    if part.any():
        warp = int(part.argmax())
        first, missing = int(active[warp].argmax()), int((~active[warp]).argmax())
        part_of_warp(batch, place, warp * WARP + first, missing, what)


def _registers(batch: Batch, values: Sequence[Number]) -> NDArray[Any]:
    """(registers, warps, g, t) of what the lanes hold."""
    spread = [np.broadcast_to(value, batch.lanes) for value in values]
    return np.stack(spread).reshape(len(spread), -1, GROUPS, WITHIN)


def _left(registers: NDArray[Any]) -> Matrices:
    """The factor ``a``, (warps, rows, depth), of registers (4·rows/16, warps, g, t, elements)."""
    _, warps, groups, within, elements = registers.shape
    parts = registers.reshape(-1, 2, 2, warps, groups, within, elements)  # tile, half of the depth, half of the rows
    return parts.transpose(3, 0, 2, 4, 1, 5, 6).reshape(warps, -1, 2 * within * elements)


def _right(registers: NDArray[Any]) -> Matrices:
    """The factor ``b``, (warps, depth, columns), of registers (2·columns/8, warps, g, t, elements)."""
    _, warps, groups, within, elements = registers.shape
    parts = registers.reshape(-1, 2, warps, groups, within, elements)  # tile, half of the depth
    return parts.transpose(2, 1, 4, 5, 0, 3).reshape(warps, 2 * within * elements, -1)


def _gathered(sums: NDArray[Any], rows: int) -> Matrices:
    """Sums (warps, 16·rows, 8·columns) of registers (4·rows·columns, warps, g, t)."""
    _, warps, groups, within = sums.shape
    parts = sums.reshape(rows, -1, 2, 2, warps, groups, within)  # tile down, tile across, half of the rows, column
    return parts.transpose(4, 0, 2, 5, 1, 6, 3).reshape(warps, rows * 2 * groups, -1)


def _dealt(total: Matrices, rows: int) -> tuple[NDArray[Any], ...]:
    """What each lane holds of the sums, register after register: the inverse of `_gathered`."""
    parts = total.reshape(len(total), rows, 2, GROUPS, -1, WITHIN, 2)
    return tuple(np.ascontiguousarray(parts.transpose(1, 4, 2, 6, 0, 3, 5)).reshape(-1, len(total) * WARP))


def _bfloat16(words: NDArray[Any]) -> NDArray[Any]:
    """Both numbers of a pair, lower half first."""
    pair = np.stack([words << np.uint32(16), words & np.uint32(0xFFFF0000)], axis=-1)
    return pair.view(np.float32).astype(np.float64)


def _float16(words: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(words)[..., None].view(np.float16).astype(np.float64)


def _tfloat32(values: NDArray[Any]) -> NDArray[Any]:
    """What the unit reads of a float32: sign, exponent and 10 bits of fraction."""
    bits = np.ascontiguousarray(values)[..., None].view(np.uint32) & np.uint32(intrinsics.READ)
    return bits.view(np.float32).astype(np.float64)


def cut(exact: NDArray[Any]) -> NDArray[Any]:
    """float32, rounded towards zero."""
    near = exact.astype(np.float32)
    beyond = np.abs(near.astype(np.float64)) > np.abs(exact)
    return np.where(beyond & np.isfinite(near), np.nextafter(near, np.float32(0)), near)


def _multiply_add(sums: NDArray[Any], left: Matrices, right: Matrices) -> NDArray[Any]:
    return cut(np.matmul(left, right) + sums)


def _once(unpack: Unpack, sums: Matrices, a: NDArray[Any], b: NDArray[Any]) -> Matrices:
    return _multiply_add(sums, _left(unpack(a)), _right(unpack(b)))


def _thrice(sums: Matrices, a: NDArray[Any], b: NDArray[Any]) -> Matrices:
    """The small products first, then the large one; their sum is added as float32 are."""
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    product = np.zeros_like(sums)
    for left, right in ((a_low, b_high), (a_high, b_low), (a_high, b_high)):
        product = _once(_tfloat32, product, left, right)
    return sums + product


def _split(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    bits = values.view(np.uint32) + np.uint32(intrinsics.HALF_UNIT)
    high = (bits & np.uint32(intrinsics.READ)).view(np.float32)
    return high, values - high


def _rounded(value: Any) -> Any:
    """A float32 whose upper 19 bits are the nearest tfloat32, ties away from zero; infinities and NaNs as they are."""
    whole = np.ascontiguousarray(value)
    bits = whole.view(np.uint32) + np.uint32(intrinsics.HALF_UNIT)
    return np.where(np.isfinite(whole), bits.view(np.float32), whole).reshape(np.shape(value))[()]


def _product(multiply: Callable[..., Matrices], factors: intrinsics.Format, *, thrice: bool = False) -> Handler:
    """A product of tiles: one instruction each, or three."""

    def handler(emit: Emitter, made: Call) -> None:
        sums, a, b = (emit.slot(name) for name in made.arguments)
        tiles = len(emit.kind(made.arguments[0])) // SUMS
        rows, place = len(emit.kind(made.arguments[1])) // A_WORDS, emit.place
        many, more = (3, SUMS) if thrice else (1, 0)
        flops = many * SUMS * 2 * factors.depth  # of a lane and a tile
        emit.count(instructions=(many + more) * tiles, float32=(flops + more) * tiles)

        def product(batch: Batch) -> Any:
            all_lanes(batch, place, f"a product of {factors.name} matrices")
            left, right = (_registers(batch, batch.v[slot]) for slot in (a, b))
            return _dealt(multiply(_gathered(_registers(batch, batch.v[sums]), rows), left, right), rows)

        emit.define(made.target, None, product, (sums, a, b))

    return handler


def _round(emit: Emitter, made: Call) -> None:
    value, kind = emit.slot(made.arguments[0]), emit.dtype(made.arguments[0])
    many = 1 if kind is not None else len(emit.kind(made.arguments[0]))
    emit.count(instructions=many)
    if kind is not None:
        emit.define(made.target, kind, lambda batch: _rounded(batch.v[value]), (value,))
    else:
        emit.define(made.target, None, lambda batch: tuple(_rounded(item) for item in batch.v[value]), (value,))


def _pack(dtype: str) -> Handler:
    """Two numbers of 16 bits as one of 32."""

    def handler(emit: Emitter, made: Call) -> None:
        low, high = (emit.number(name, FLOAT32) for name in made.arguments)
        emit.count()

        def pack(batch: Batch) -> Any:
            lower, upper = (_sixteen_bits(batch.v[slot], dtype) for slot in (low, high))
            return lower | upper << np.uint32(16)

        emit.define(made.target, np.dtype(np.uint32), pack, (low, high))

    return handler


def _sixteen_bits(value: Any, dtype: str) -> Any:
    """The bits of a float32 rounded to 16, as uint32."""
    if dtype == "bfloat16":
        return stored(value, dtype).reshape(np.shape(value)).astype(np.uint32)[()]
    with np.errstate(over="ignore"):
        return np.asarray(value).astype(np.float16).view(np.uint16).astype(np.uint32)[()]


HANDLERS: Vocabulary[object] = {
    intrinsics.multiply_add_bf16: _product(partial(_once, _bfloat16), intrinsics.BF16),
    intrinsics.multiply_add_f16: _product(partial(_once, _float16), intrinsics.F16),
    intrinsics.multiply_add_tf32: _product(partial(_once, _tfloat32), intrinsics.TF32),
    intrinsics.multiply_tiles_bf16: _product(partial(_once, _bfloat16), intrinsics.BF16),
    intrinsics.multiply_tiles_f16: _product(partial(_once, _float16), intrinsics.F16),
    intrinsics.multiply_tiles_tf32: _product(partial(_once, _tfloat32), intrinsics.TF32),
    intrinsics.multiply_tiles_tf32x3: _product(_thrice, intrinsics.TF32, thrice=True),
    intrinsics.round_to_tf32: _round,
    intrinsics.pack_bf16: _pack("bfloat16"),
    intrinsics.pack_f16: _pack("float16"),
}
