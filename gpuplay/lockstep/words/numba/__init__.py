"""The words of `numba.cuda`, by the names that they have there."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Handler
from gpuplay.lockstep.words.numba import arrays, atomics, barriers, warps

VOCABULARY: dict[str, Handler] = {**arrays.HANDLERS, **barriers.HANDLERS, **atomics.HANDLERS, **warps.HANDLERS}
