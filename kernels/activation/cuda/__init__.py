"""The CUDA ladder of activation, declared: each rung is one idea more than the one below.

cuda:map          one thread an element; adjacent threads touch adjacent words
cuda:grid_stride  a grid that just fills the GPU, each thread striding over the array
cuda:vectorised   four elements to a load, four loads under way in every thread
cuda:streaming    the same with hints to the caches: what is touched once need not stay
"""

from gpuplay.kernel import Knob, Variant

from ..._shared import limits

BLOCKS = Knob((64, 128, 256, 512, 1024), default=256, help="threads of a block")
BLOCKS_OF_QUADS = Knob((128, 256, 512), default=256, help="threads of a block, which computes 16 elements for each")


def fits_block(_p, knobs, machine):
    """A block has so many threads."""
    return limits.block_threads(knobs["block"], machine)


def fits_quads(p, knobs, machine):
    """As `fits_block`; and 128 bits are four float32."""
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
