"""What GPU functions may use below Numba's own vocabulary: the one door to PTX. Importing this module imports numba.

Each of these compiles to the instruction named, has its meaning and its counters on the lockstep machine,
and refuses arguments of a wrong type with a TypingError in words.

=================  =========================================================  ====================================
name               does                                                       PTX
=================  =========================================================  ====================================
load4, store4      four adjacent 32-bit elements as a tuple, by one access;   ld.v4, st.v4 (global and shared)
                   the index is a multiple of 4
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
round_to_tf32      a float32, or a tuple of them, to nearest                  cvt.rna.tf32 but for the last bits
pack_bf16          two float32 as a pair of 16-bit numbers; also ``_f16``     cvt.rn.bf16x2, cvt.rn.f16x2
=================  =========================================================  ====================================
"""

from __future__ import annotations

from gpuplay.intrinsics.async_copies import (
    commit_copies,
    copy1_async,
    copy4_async,
    copy8_async,
    wait_for_copies,
)
from gpuplay.intrinsics.matrix_units import (
    ldmatrix4,
    ldmatrix4_transposed,
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
from gpuplay.intrinsics.register_tiles import add_outer
from gpuplay.intrinsics.vectors import load4, store4

__all__ = [
    "add_outer",
    "commit_copies",
    "copy1_async",
    "copy4_async",
    "copy8_async",
    "ldmatrix4",
    "ldmatrix4_transposed",
    "load4",
    "multiply_add_bf16",
    "multiply_add_f16",
    "multiply_add_tf32",
    "multiply_tiles_bf16",
    "multiply_tiles_f16",
    "multiply_tiles_tf32",
    "multiply_tiles_tf32x3",
    "pack_bf16",
    "pack_f16",
    "round_to_tf32",
    "store4",
    "wait_for_copies",
]
