"""What GPU functions may use below Numba's own vocabulary: the one door to PTX. Importing this module imports numba.

Each of these compiles to the instruction named, has its meaning and its counters on the lockstep machine,
and refuses arguments of a wrong type with a TypingError in words.

=================  =========================================================  ====================================
name               does                                                       PTX
=================  =========================================================  ====================================
load4, store4      four adjacent 32-bit elements as a tuple, by one access;   ld.v4, st.v4 (global and shared)
                   the index is a multiple of 4
add_outer          tile + a⊗b, a tile being a tuple, row after row            fma.rn, one an element
=================  =========================================================  ====================================
"""

from __future__ import annotations

from gpuplay.intrinsics.register_tiles import add_outer
from gpuplay.intrinsics.vectors import load4, store4

__all__ = ["add_outer", "load4", "store4"]
