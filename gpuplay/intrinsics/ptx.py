"""What GPU functions may use below Numba's own vocabulary: the one door to PTX. Importing this module imports numba.

Each of these compiles to the instruction named, has its meaning and its counters on the lockstep machine,
and refuses arguments of a wrong type with a TypingError in words.

=================  =========================================================  ====================================
name               does                                                       PTX
=================  =========================================================  ====================================
load4, store4      four adjacent 32-bit elements as a tuple, by one access;   ld.v4, st.v4 (global and shared)
                   the index is a multiple of 4
load4_streaming    as load4, of what is read once; also ``store4_streaming``  ld.global.cs, st.global.cs
load4_readonly     as load4, of what the launch does not write; also          ld.global.nc
                   ``load_readonly`` for one element
copy4_async        up to four 32-bit elements from global to shared memory,   cp.async.cg, 16 bytes
                   zeros behind them, without waiting
copy8_async        the same for eight elements of 16 bits                     cp.async.cg, 16 bytes
copy1_async        the same for one element at any place                      cp.async.ca, 4 bytes
commit_copies      make a group of the copies begun since the last            cp.async.commit_group
wait_for_copies    wait for all groups but the youngest few                   cp.async.wait_group
add_outer          tile + a⊗b, a tile being a tuple, row after row            fma.rn, one an element
ldmatrix4          a register of each of four 8×8 matrices in shared memory,  ldmatrix.m8n8.x4, .trans
                   also ``ldmatrix4_transposed``
multiply_add_bf16  one product of a warp, 16×8 float32 sums; also ``_f16``,   mma.sync.m16n8k16, m16n8k8 (tf32)
                   ``_tf32``
multiply_tiles_…   as many of them as the tuples have tiles: ``bf16``,        the same, once or three times a tile
                   ``f16``, ``tf32``, ``tf32x3`` (float32 by three products)
fast_tanh          tanh, relative error up to 2⁻¹¹                            tanh.approx.f32
fast_exp2          2ˣ, relative error up to 2⁻²²                              ex2.approx.ftz.f32
fast_reciprocal    1/x, to a unit in the last place; of a float64 exact       rcp.approx.ftz.f32
round_to_tf32      a float32, or a tuple of them, to nearest                  cvt.rna.tf32 but for the last bits
pack_bf16          two float32 as a pair of 16-bit numbers; also ``_f16``     cvt.rn.bf16x2, cvt.rn.f16x2
=================  =========================================================  ====================================

What else a fast GPU function needs is Numba's own:

- **Unrolling.** ``for k in cuda.literal_unroll((0, 1, 2, 3))`` is laid out flat, also where the body replaces a
  tuple that it adds to; the compiler unrolls ``range(4)`` only around short bodies. Longer tuples are named
  outside the function.
- **Registers.** Tuples stay in registers where every index is a constant; a tuple of zeros for a tile is a
  global or a captured variable, ``(np.float32(0),) * 64``. A tuple or local array indexed at run time lies in
  memory. Indices of 32 bits (``np.uint32(…)``) take half the registers of Numba's usual 64.
- **Launch bounds.** ``@cuda.jit(launch_bounds=(256, 2))``: blocks have at most 256 threads, and two of them shall
  fit on a multiprocessor, so 128 registers a thread (CUDA C++ Programming Guide, "Launch Bounds").
- **Shared memory.** A static array is aligned to its element: where 16 bytes are moved at once, declare it as
  ``cuda.shared.array(size, dtype, alignment=16)``. More than 48 KB are dynamic:
  ``cuda.shared.array(0, dtype)`` and ``gpu.launch(…, shared=bytes)``.

For compute capability 9.0 alone, which is compiled as sm_90a:

====================  ======================================================  ====================================
init_barrier          set up a barrier in shared memory that counts           mbarrier.init
                      arrivals and bytes
publish_barriers      make new barriers known to copies                       fence.mbarrier_init, fence.proxy.async
arrive                arrive at a barrier and go on                           mbarrier.arrive
arrive_expecting      arrive, and announce bytes that are to be copied        mbarrier.arrive.expect_tx
phase_is_over         ask, wait_for_phase waits, for a phase of a barrier     mbarrier.try_wait.parity
acquire_tensor_map    see the description of a matrix as the host wrote it    fence.proxy.tensormap
copy_box_async        a box of a matrix to shared memory, swizzled            cp.async.bulk.tensor.2d
elements_to_boundary  how far it is in a shared array to a boundary
describe_tile         a matrix descriptor of a swizzled tile
fence_products        hand the registers of the sums to the matrix units
multiply_async_bf16   64×16 times 16×columns by a warpgroup, sums in float32  wgmma.mma_async.m64nNk16
multiply_async_tf32   64×8 times 8×columns, B transposed                      wgmma.mma_async.m64nNk8
commit_products       make a group of the products begun since the last       wgmma.commit_group
wait_for_products     wait for all groups but the youngest few                wgmma.wait_group
cluster_of            declare that so many blocks are a cluster               .reqnctapercluster
cluster_rank          the number of a block in its cluster                    %cluster_ctarank
cluster_sync          a barrier of the threads of a cluster                   barrier.cluster
arrive_at_block       arrive at a barrier of another block of the cluster     mapa, mbarrier.arrive
copy_box_to_blocks    a box to the same place in several blocks               … .multicast::cluster
====================  ======================================================  ====================================
"""

from __future__ import annotations

from gpuplay.intrinsics.device.approximate import fast_exp2, fast_reciprocal, fast_tanh
from gpuplay.intrinsics.device.async_copies import commit_copies, copy1_async, copy4_async, copy8_async, wait_for_copies
from gpuplay.intrinsics.device.hopper.barriers import (
    arrive,
    arrive_expecting,
    init_barrier,
    phase_is_over,
    publish_barriers,
    wait_for_phase,
)
from gpuplay.intrinsics.device.hopper.clusters import (
    arrive_at_block,
    cluster_of,
    cluster_rank,
    cluster_sync,
    copy_box_to_blocks,
)
from gpuplay.intrinsics.device.hopper.copies import acquire_tensor_map, copy_box_async
from gpuplay.intrinsics.device.hopper.products import (
    commit_products,
    describe_tile,
    fence_products,
    multiply_async_bf16,
    multiply_async_tf32,
    wait_for_products,
)
from gpuplay.intrinsics.device.matrix_loads import ldmatrix4, ldmatrix4_transposed
from gpuplay.intrinsics.device.matrix_units import (
    multiply_add_bf16,
    multiply_add_f16,
    multiply_add_tf32,
    multiply_tiles_bf16,
    multiply_tiles_f16,
    multiply_tiles_tf32,
    multiply_tiles_tf32x3,
    pack_bf16,
    pack_f16,
    round_to_tf32,
)
from gpuplay.intrinsics.device.register_tiles import add_outer
from gpuplay.intrinsics.device.shared_addresses import elements_to_boundary
from gpuplay.intrinsics.device.vectors import (
    load4,
    load4_readonly,
    load4_streaming,
    load_readonly,
    store4,
    store4_streaming,
)

__all__ = [
    "acquire_tensor_map",
    "add_outer",
    "arrive",
    "arrive_at_block",
    "arrive_expecting",
    "cluster_of",
    "cluster_rank",
    "cluster_sync",
    "commit_copies",
    "commit_products",
    "copy1_async",
    "copy4_async",
    "copy8_async",
    "copy_box_async",
    "copy_box_to_blocks",
    "describe_tile",
    "elements_to_boundary",
    "fast_exp2",
    "fast_reciprocal",
    "fast_tanh",
    "fence_products",
    "init_barrier",
    "ldmatrix4",
    "ldmatrix4_transposed",
    "load4",
    "load4_readonly",
    "load4_streaming",
    "load_readonly",
    "multiply_add_bf16",
    "multiply_add_f16",
    "multiply_add_tf32",
    "multiply_async_bf16",
    "multiply_async_tf32",
    "multiply_tiles_bf16",
    "multiply_tiles_f16",
    "multiply_tiles_tf32",
    "multiply_tiles_tf32x3",
    "pack_bf16",
    "pack_f16",
    "phase_is_over",
    "publish_barriers",
    "round_to_tf32",
    "store4",
    "store4_streaming",
    "wait_for_copies",
    "wait_for_phase",
    "wait_for_products",
]
