"""The words of `gpuplay.intrinsics.ptx`; each file bears the name that it has in `gpuplay.intrinsics.device`."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words.ptx import approximate, async_copies, hopper, matrix_units, register_tiles, vectors

VOCABULARY: Vocabulary[object] = {
    **vectors.HANDLERS,
    **register_tiles.HANDLERS,
    **matrix_units.HANDLERS,
    **async_copies.HANDLERS,
    **approximate.HANDLERS,
    **hopper.VOCABULARY,
}
