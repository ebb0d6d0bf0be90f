"""The CUDA ladder of matmul, declared: each rung is one idea more than the one below.

cuda:naive  one thread an element, everything from global memory
cuda:tiled  tiles of A and B in shared memory, each number loaded once a tile
"""

from gpuplay.kernel import Knob, Variant

from ..._shared import limits

NAIVE_BLOCK = (32, 8)


def fits_naive(p, _knobs, _machine):
    """The grid has at most 65535 blocks downwards."""
    return limits.grid_height("a height", p.m, NAIVE_BLOCK[1])


def fits_tile(p, knobs, machine):
    """A tile is a block of threads, two of them lie in shared memory."""
    tile = knobs["tile"]
    return (
        limits.tile_threads(tile, machine)
        or limits.shared_memory(f"tile {tile}: two tiles", 2 * tile * tile * p.itemsize, machine)
        or limits.grid_height("a height", p.m, tile)
    )


VARIANTS = (
    Variant(
        "cuda:naive",
        "SIMT",
        "one thread an element of C; adjacent threads load adjacent columns of B",
        "cuda.tiles:naive",
        applies=fits_naive,
    ),
    Variant(
        "cuda:tiled",
        "SIMT",
        "a block loads a tile of A and of B into shared memory and uses each number tile times",
        "cuda.tiles:tiled",
        knobs={"tile": Knob((8, 16, 32), default=16, help="side of the square tile of C that a block computes")},
        improves_on="cuda:naive",
        applies=fits_tile,
    ),
)
