"""Clusters: blocks that run at once on neighbouring multiprocessors, and reach into each other's shared memory.

The blocks of a cluster have consecutive numbers in x. A box may be copied to the shared memory of several of them at
once, to the same place in each, and count at the same barrier of each: it crosses the second cache once. A thread
may arrive at a barrier of another block. PTX ISA, "Cluster of Cooperative Thread Arrays"; compute capability 9.0.
Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic
from gpuplay.intrinsics.device.hopper.barriers import check_barriers
from gpuplay.intrinsics.device.hopper.copies import box_copy
from gpuplay.intrinsics.device.shared_addresses import INT, emit, shared_address, whole_number

MOST_BLOCKS = 8  # of a cluster that every GPU can place
TO_BLOCKS = (
    "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
    "[$0], [$1, {$2, $3}], [$4], $5;"
)


@intrinsic
def cluster_of(typingctx: Any, blocks: Any) -> Any:
    """Declare that every ``blocks`` blocks in x are a cluster, a constant; in the launched function itself.

    The grid's first extent is a multiple of it. Property "cluster_dim_x" of the NVVM IR specification.
    """
    count = getattr(blocks, "literal_value", None)
    if not isinstance(count, int) or not 1 <= count <= MOST_BLOCKS:
        raise TypingError(f"cluster_of: a constant from 1 to {MOST_BLOCKS}; given {blocks}")

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        module = builder.module
        annotations = cgutils.get_or_insert_named_metadata(module, "nvvm.annotations")
        for axis, extent in zip("xyz", (count, 1, 1), strict=True):
            name = ir.MetaDataString(module, f"cluster_dim_{axis}")
            annotations.add(module.add_metadata((builder.function, name, ir.Constant(INT, extent))))
        return context.get_dummy_value()

    return typing.signature(types.void, blocks), generate


@intrinsic
def cluster_rank(typingctx: Any) -> Any:
    """The number of this block within its cluster, from 0."""

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        code = ir.InlineAsm(ir.FunctionType(INT, []), "mov.u32 $0, %cluster_ctarank;", "=r", side_effect=False)
        return builder.call(code, [])

    return typing.signature(types.uint32), generate


@intrinsic
def cluster_sync(typingctx: Any) -> Any:
    """A barrier of all threads of a cluster that have not returned; what they did before is visible to all."""

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        emit(builder, "barrier.cluster.arrive.release; barrier.cluster.wait.acquire;", "")
        return context.get_dummy_value()

    return typing.signature(types.void), generate


@intrinsic
def arrive_at_block(typingctx: Any, barriers: Any, index: Any, rank: Any) -> Any:
    """Arrive at ``barriers[index]`` of the block of this rank in the cluster, and go on."""
    check_barriers("arrive_at_block", barriers, index)
    whole_number("arrive_at_block", "rank", rank)
    text = (
        "{ .reg .b32 there; mapa.shared::cluster.u32 there, $0, $1; "
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [there]; }"
    )

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        array, at, block = values
        emit(builder, text, "r,r", shared_address(context, builder, called.args[0], array, at), block)
        return context.get_dummy_value()

    return typing.signature(types.void, barriers, types.intp, types.uint32), generate


@intrinsic
def copy_box_to_blocks(
    typingctx: Any,
    shared: Any,
    at: Any,
    tensor_map: Any,
    row: Any,
    column: Any,
    barriers: Any,
    index: Any,
    blocks: Any,
) -> Any:
    """As `copy_box_async`, to all blocks of the cluster whose bit is set in ``blocks``, each at its own barrier."""
    arguments = shared, at, tensor_map, row, column, barriers, index
    whole_number("copy_box_to_blocks", "blocks", blocks)
    return box_copy("copy_box_to_blocks", TO_BLOCKS, "r,l,r,r,r,h", arguments, types.uint16)
