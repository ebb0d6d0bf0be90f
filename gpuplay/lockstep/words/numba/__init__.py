"""The words of `numba.cuda`, by the names that they have there."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words.numba import arrays, atomics, barriers, warps

VOCABULARY: Vocabulary[str] = {**arrays.HANDLERS, **barriers.HANDLERS, **atomics.HANDLERS, **warps.HANDLERS}
