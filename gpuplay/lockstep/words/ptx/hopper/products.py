"""Products of warpgroups: `gpuplay.intrinsics.device.hopper.products`.

Descriptors are read as the matrix units read them.

The sums are exact before they are cut to float32, as in `gpuplay.lockstep.words.ptx.matrix_units`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device.hopper import products
from gpuplay.intrinsics.device.hopper.products import ROWS, SWIZZLE_128, WARPGROUP
from gpuplay.intrinsics.device.matrix_units import READ
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import PIECE, bulk_of
from gpuplay.lockstep.execution.faults.meetings import part_of_warpgroup
from gpuplay.lockstep.execution.faults.units import tile_unset, wrong_descriptor
from gpuplay.lockstep.record import Place
from gpuplay.lockstep.words.ptx.hopper.copies import swizzled
from gpuplay.lockstep.words.ptx.matrix_units import cut

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64, UINT32, UINT64 = np.dtype(np.int64), np.dtype(np.uint32), np.dtype(np.uint64)
BF16_DEPTH, PIECE_ITEMS = 16, 8  # steps of k of a product; bfloat16 in a piece of 16 bytes
TF32_DEPTH = 8
ROW = 128  # bytes of a row in a swizzled tile
THREAD = np.arange(WARPGROUP)


def warpgroups(batch: Batch, place: Place, what: str) -> NDArray[np.int64]:
    """The first lanes of the warpgroups that are here; a fault where a thread is here without the 127 others."""
    whole = batch.width // WARPGROUP
    firsts = (np.arange(batch.blocks)[:, None] * batch.width + np.arange(whole) * WARPGROUP).reshape(-1)
    here = batch.mask.array[firsts[:, None] + THREAD].sum(axis=1) if whole else np.zeros(0, np.int64)
    if int(here[here == WARPGROUP].sum()) != batch.mask.lanes:
        part_of_warpgroup(batch, place, what)
    complete: NDArray[np.int64] = firsts[here == WARPGROUP]
    return complete


def _describe(emit: Emitter, made: Call) -> None:
    base, at, leading, stride = made.arguments
    source, index, site = emit.slot(base), emit.number(at, INT64), emit.site(base, "load", PIECE)
    fields = tuple(emit.number(name, UINT32) for name in (leading, stride))

    def describe(batch: Batch) -> Any:
        view = batch.v[source]
        offset, _ = access.locate(batch, view, (batch.v[index],), site)
        word = _field(bulk_of(batch).address(view.memory, offset), 0) | UINT64.type(SWIZZLE_128)
        for bit, slot in zip((16, 32), fields, strict=True):
            word = word | _field(batch.v[slot], bit)
        return word

    emit.define(made.target, UINT64, describe, (source, index, *fields))


def _field(number: Any, bit: int) -> Any:
    """An address or a distance in bytes in its place of a descriptor: in 16 bytes, 14 bits wide."""
    return (np.asarray(number).astype(np.uint64) >> np.uint64(4) & np.uint64(0x3FFF)) << np.uint64(bit)


def _bytes(word: int, bit: int) -> int:
    """The number of bytes in a field of a descriptor."""
    return (word >> bit & 0x3FFF) << 4


def _rows_along_k(word: int, rows: int) -> NDArray[np.int64]:
    """Addresses of the pieces (rows, 2) of a tile: rows of 128 bytes, the distance of eight rows is stated."""
    row, half = np.arange(rows)[:, None], np.arange(2)
    flat = _bytes(word, 0) + row // 8 * _bytes(word, 32) + row % 8 * ROW + half * PIECE
    return np.asarray(swizzled(flat))


def _rows_along_columns(word: int, columns: int) -> NDArray[np.int64]:
    """Addresses of the pieces (16, columns / 8) of B's tile: 64 columns a row, the distance to the next 64 stated."""
    step, piece = np.arange(BF16_DEPTH)[:, None], np.arange(columns // PIECE_ITEMS)
    flat = _bytes(word, 0) + step // 8 * _bytes(word, 32) + step % 8 * ROW
    return np.asarray(swizzled(flat + piece // 8 * _bytes(word, 16) + piece % 8 * PIECE))


def _multiply(depth: int, read: Callable[..., tuple[Any, Any]]) -> Handler:
    """A product of ``depth`` steps of k; ``read(batch, first lane, descriptors, columns, place)`` gives both tiles."""

    def handler(emit: Emitter, made: Call) -> None:
        sums, a, b = (emit.slot(name) for name in made.arguments)
        count, place = len(emit.kind(made.arguments[0])), emit.place
        emit.count(float32=2 * depth * count)  # of a thread: 2·64·depth·(2·count) FLOPs among 128 threads

        def multiply(batch: Batch) -> Any:
            held = np.stack([np.broadcast_to(value, batch.lanes) for value in batch.v[sums]])
            words = np.stack([np.broadcast_to(batch.v[slot], batch.lanes) for slot in (a, b)])
            for first in warpgroups(batch, place, "a product of matrices").tolist():
                lanes = slice(first, first + WARPGROUP)
                if _described(batch, first, words[:, lanes], place):
                    left, right = read(batch, first, words[:, first].tolist(), 2 * count, place)
                    if left is not None and right is not None:
                        held[:, lanes] = _summed(held[:, lanes], left, right)
            return tuple(held)

        emit.define(made.target, None, multiply, (sums, a, b))

    return handler


def _described(batch: Batch, first: int, words: NDArray[Any], place: Place) -> bool:
    """Whether all threads of a warpgroup have the same two descriptors (2, 128), as `describe_tile` makes them."""
    if (words != words[:, :1]).any():
        wrong_descriptor(batch, place, first, "other descriptors than another thread of its warpgroup")
        return False
    if (words[:, 0] >> np.uint64(62) != SWIZZLE_128 >> 62).any():
        wrong_descriptor(batch, place, first, "a descriptor that describe_tile has not made")
        return False
    return True


def _bf16_tiles(batch: Batch, first: int, words: list[int], columns: int, place: Place) -> tuple[Any, Any]:
    """A (64, 16) and B (16, columns)."""
    a = _fetched(batch, first, _rows_along_k(words[0], ROWS), place, _bfloat16)
    return a, _fetched(batch, first, _rows_along_columns(words[1], columns), place, _bfloat16)


def _tf32_tiles(batch: Batch, first: int, words: list[int], columns: int, place: Place) -> tuple[Any, Any]:
    """A (64, 8) and B (8, columns), which lies transposed."""
    a = _fetched(batch, first, _rows_along_k(words[0], ROWS), place, _tfloat32)
    b = _fetched(batch, first, _rows_along_k(words[1], columns), place, _tfloat32)
    return a, b if b is None else b.T


def _bfloat16(halves: NDArray[np.uint8]) -> NDArray[np.float64]:
    bits = halves.view(np.uint16).astype(np.uint32) << np.uint32(16)
    return bits.view(np.float32).astype(np.float64)


def _tfloat32(words: NDArray[np.uint8]) -> NDArray[np.float64]:
    bits = words.view(np.uint32) & np.uint32(READ)
    return bits.view(np.float32).astype(np.float64)


def _fetched(
    batch: Batch, first: int, addresses: NDArray[np.int64], place: Place, unpack: Callable[[Any], NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """The numbers of pieces (rows, pieces), a row each; None after a fault. The read is remembered."""
    bulk, block = bulk_of(batch), first // batch.width
    memory = bulk.holding(int(addresses.min()))
    if memory is None or memory is not bulk.holding(int(addresses.max())):
        wrong_descriptor(batch, place, first, "a tile that reaches beyond its shared array")
        return None
    places = bulk.offset(memory, block, addresses) // PIECE
    if not memory.written.reshape(-1, PIECE >> memory.shift)[places].all():
        tile_unset(batch, place, first, memory.name)
    pieces = bulk.pieces(block, addresses).reshape(-1)
    bulk.expect(batch, first + THREAD, pieces, place, memory.name)
    bulk.begin_read(first, pieces, place)
    return unpack(memory.data.reshape(-1, PIECE)[places].reshape(len(addresses), -1))


def _summed(held: NDArray[Any], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[Any]:
    """``held`` (items, 128) and a·b, dealt out as the accumulator D of wgmma."""
    item = np.arange(len(held))[:, None]
    row = THREAD // 32 * 16 + THREAD % 32 // 4 + item // 2 % 2 * 8
    column = item // 4 * 8 + THREAD % 4 * 2 + item % 2
    return cut((a @ b)[row, column] + held)


def _commit(emit: Emitter, _made: Call) -> None:
    place = emit.place
    emit.count()

    def commit(batch: Batch) -> None:
        for first in warpgroups(batch, place, "a group of products").tolist():
            bulk_of(batch).commit(first)

    emit.operation(commit)


def _wait(emit: Emitter, made: Call) -> None:
    sums, place = emit.slot(made.arguments[0]), emit.place
    most = made.signature.args[1].literal_value
    emit.count()

    def wait(batch: Batch) -> Any:
        batch.order.tick(place)
        batch.changes += 1
        for first in warpgroups(batch, place, "a wait for products").tolist():
            bulk_of(batch).wait(first, most)
        return batch.v[sums]

    emit.define(made.target, None, wait, (sums,))


def _fence(emit: Emitter, _made: Call) -> None:
    emit.count()


HANDLERS: Vocabulary[object] = {
    products.describe_tile: _describe,
    products.fence_products: _fence,
    products.multiply_async_bf16: _multiply(BF16_DEPTH, _bf16_tiles),
    products.multiply_async_tf32: _multiply(TF32_DEPTH, _tf32_tiles),
    products.commit_products: _commit,
    products.wait_for_products: _wait,
}
