"""Copies of boxes of a matrix into shared memory by the tensor memory accelerator (TMA): one thread, one instruction.

The matrix is described on the host, ``gpu.tensor_map(array, box)``; the description says where it lies, its
extents, and the box. What lies outside of the matrix comes as zeros. The bytes of a box count at a barrier
(`gpuplay.intrinsics.device.hopper.barriers`); they are there for those who waited for its phase.

A box lies in shared memory row after row, a row in 128 bytes, with the 16-byte pieces of a row in an order of its
own: bits 4 to 6 of an address are combined with bits 7 to 9 by exclusive or, so that reading down a column
meets all banks (PTX ISA, "Tensors: Swizzling Modes", 128-byte). Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic
from gpuplay.intrinsics.device.hopper.barriers import check_barriers
from gpuplay.intrinsics.device.shared_addresses import LONG, emit, one_dimensional, shared_address, whole_number

COPY = "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [$0], [$1, {$2, $3}], [$4];"


def _check_map(what: str, tensor_map: Any) -> None:
    """TypingError unless it is what ``gpu.tensor_map`` returns."""
    if getattr(tensor_map, "ndim", 0) != 1 or getattr(tensor_map, "dtype", None) != types.uint64:
        raise TypingError(f"{what}: a map is what gpu.tensor_map(array, box) returns; given {tensor_map}")


def _map_address(context: Any, builder: Any, kind: Any, tensor_map: Any) -> Any:
    """The generic address of a tensor map, which lies in global memory."""
    return builder.ptrtoint(context.make_array(kind)(context, builder, tensor_map).data, LONG)


def box_copy(what: str, text: str, constraints: str, arguments: tuple[Any, ...], *more: Any) -> Any:
    """The signature and the code of a copy of a box, with operands of the types ``more`` behind the barrier."""
    shared, at, tensor_map, row, column, barriers, index = arguments
    one_dimensional(what, shared)
    _check_map(what, tensor_map)
    check_barriers(what, barriers, index)
    for name, kind in (("at", at), ("row", row), ("column", column)):
        whole_number(what, name, kind)

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        target, to, described, down, across, array, number, *rest = values
        place = shared_address(context, builder, called.args[0], target, to)
        source = _map_address(context, builder, called.args[2], described)
        barrier = shared_address(context, builder, called.args[5], array, number)
        emit(builder, text, constraints, place, source, across, down, barrier, *rest)
        return context.get_dummy_value()

    kinds = shared, types.intp, tensor_map, types.int32, types.int32, barriers, types.intp, *more
    return typing.signature(types.void, *kinds), generate


@intrinsic
def copy_box_async(
    typingctx: Any, shared: Any, at: Any, tensor_map: Any, row: Any, column: Any, barriers: Any, index: Any
) -> Any:
    """Begin to copy the box whose first element is ``[row, column]`` to ``shared[at:]``; one thread does.

    Its bytes, zeros among them, count at ``barriers[index]``. The address of ``shared[at]`` is a multiple of 128.
    """
    arguments = shared, at, tensor_map, row, column, barriers, index
    return box_copy("copy_box_async", COPY, "r,l,r,r,r", arguments)


@intrinsic
def acquire_tensor_map(typingctx: Any, tensor_map: Any) -> Any:
    """Before the first copy by a map: see it as the host has written it. By the thread that begins the copies.

    A map in global memory is read by another path than data; the CUDA C++ Programming Guide ("Tensor Memory
    Access") asks every block for this fence, in the scope of the system.
    """
    _check_map("acquire_tensor_map", tensor_map)

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        place = _map_address(context, builder, called.args[0], values[0])
        emit(builder, "fence.proxy.tensormap::generic.acquire.sys [$0], 128;", "l", place)
        return context.get_dummy_value()

    return typing.signature(types.void, tensor_map), generate
