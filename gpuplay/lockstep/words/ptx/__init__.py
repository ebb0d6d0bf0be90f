"""The words of `gpuplay.intrinsics.ptx`: the file that handles one is named as its own in `intrinsics.device`."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words.ptx import (
    approximate,
    async_copies,
    hopper,
    matrix_loads,
    matrix_units,
    register_tiles,
    shared_addresses,
    vectors,
)

VOCABULARY: Vocabulary[object] = {
    **vectors.HANDLERS,
    **register_tiles.HANDLERS,
    **matrix_units.HANDLERS,
    **matrix_loads.HANDLERS,
    **async_copies.HANDLERS,
    **approximate.HANDLERS,
    **shared_addresses.HANDLERS,
    **hopper.VOCABULARY,
}
