"""The CUDA ladder of conv2d, declared: each rung is one idea more than the one below.

cuda:naive  one thread an output, everything from global memory
cuda:tiled  a tile of the image with its halo, and four filters, in shared memory
"""

from gpuplay.kernel import Knob, Variant

from ..._shared import limits

FILTERS = 4  # filters that one thread of cuda:tiled computes


def fits_tile(p, knobs, machine):
    """A tile is a block of threads, its input with halo and four filters lie in shared memory."""
    tile = knobs["tile"]
    inputs = (tile - 1) * p.stride + p.kernel_size
    shared = (inputs**2 + FILTERS * p.kernel_size**2) * p.itemsize
    what = f"tile {tile}: {inputs}×{inputs} inputs and four filters"
    return limits.tile_threads(tile, machine) or limits.shared_memory(what, shared, machine)


VARIANTS = (
    Variant(
        "cuda:naive",
        "SIMT",
        "one thread an output; adjacent threads read adjacent pixels",
        "cuda.direct:naive",
        knobs={"block": Knob((64, 128, 256, 512), default=256, help="threads of a block")},
    ),
    Variant(
        "cuda:tiled",
        "SIMT",
        "each input is loaded once a tile and serves four filters from shared memory",
        "cuda.direct:tiled",
        improves_on="cuda:naive",
        knobs={"tile": Knob((8, 16, 32), default=16, help="rows and columns of a tile of outputs")},
        applies=fits_tile,
    ),
)
