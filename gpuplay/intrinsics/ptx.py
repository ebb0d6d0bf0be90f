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
from gpuplay.intrinsics.register_tiles import add_outer
from gpuplay.intrinsics.vectors import load4, store4

__all__ = [
    "add_outer",
    "commit_copies",
    "copy1_async",
    "copy4_async",
    "copy8_async",
    "load4",
    "store4",
    "wait_for_copies",
]
