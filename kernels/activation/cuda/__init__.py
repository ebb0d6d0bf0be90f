"""The CUDA ladder of activation, declared: each rung is one idea more than the one that it improves on.

The rungs stand in the order in which they are read. An idea is the first sentence of its builder, too, which goes on
with how it is done and what it moves; `docs/ladder-cuda.md` tells what each gains, and the limit that it meets.
"""

from gpuplay.kernel import Knob, Variant

from ..._shared import limits

BLOCKS = Knob((64, 128, 256, 512, 1024), default=256, help="threads of a block")
BLOCKS_OF_QUADS = Knob((128, 256, 512), default=256, help="threads of a block, which computes 16 elements for each")


def fits_block(_p, knobs, machine):
    """No block has more threads than the GPU allows."""
    return limits.block_threads(knobs["block"], machine)


def fits_quads(p, knobs, machine):
    """128 bits are four float32."""
    return limits.float32_only(p) or fits_block(p, knobs, machine)


VARIANTS = (
    Variant(
        "cuda:map",
        "SIMT",
        "one thread an element; adjacent threads touch adjacent words",
        "cuda.elements:map_",
        knobs={"block": BLOCKS},
        applies=fits_block,
    ),
    Variant(
        "cuda:grid_stride",
        "SIMT",
        "a grid that just fills the GPU, each thread striding over the array",
        "cuda.elements:grid_stride",
        improves_on="cuda:map",
        knobs={"block": BLOCKS},
        applies=fits_block,
    ),
    Variant(
        "cuda:vectorised",
        "SIMT",
        "128 bits to a load: a quarter of the instructions, and four loads under way in every thread",
        "cuda.vectors:vectorised",
        improves_on="cuda:grid_stride",
        applies=fits_quads,
        knobs={"block": BLOCKS_OF_QUADS},
    ),
    Variant(
        "cuda:streaming",
        "SIMT",
        "the same with hints to the caches: what is read and written once makes way for what comes",
        "cuda.vectors:streaming",
        improves_on="cuda:vectorised",
        applies=fits_quads,
        knobs={"block": BLOCKS_OF_QUADS},
    ),
)
