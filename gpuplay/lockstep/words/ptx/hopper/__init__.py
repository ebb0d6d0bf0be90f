"""The words of compute capability 9.0."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words.ptx.hopper import barriers, clusters, copies, products

VOCABULARY: Vocabulary[object] = {
    **barriers.HANDLERS,
    **clusters.HANDLERS,
    **copies.HANDLERS,
    **products.HANDLERS,
}
