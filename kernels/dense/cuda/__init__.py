"""The CUDA ladder of dense, declared: each rung is one idea more than the one that it improves on.

The rungs stand in the order in which they are read. An idea is the first sentence of its builder, too, which goes on
with how it is done and what it moves; `docs/ladder-cuda.md` tells what each gains, and the limit that it meets.
"""

from gpuplay.kernel import Knob, Variant

from ..._shared import limits
from .parts import workspace

NAIVE_BLOCK = (32, 8)


def fits_naive(p, _knobs, _machine):
    """The grid has at most 65535 blocks downwards."""
    return limits.grid_height("a batch", p.batch, NAIVE_BLOCK[1])


def fits_warp_rows(p, _knobs, _machine):
    """A warp knows its output by a number of 32 bits."""
    outputs = p.batch * p.n
    return f"{outputs} outputs; their numbers have 32 bits" if outputs >= 1 << 32 else None


def fits_tile(p, knobs, machine):
    """A tile is a block of threads, two of them, one padded by a column, lie in shared memory."""
    tile = knobs["tile"]
    return (
        limits.tile_threads(tile, machine)
        or limits.shared_memory(f"tile {tile}: two tiles", tile * (2 * tile + 1) * p.itemsize, machine)
        or limits.grid_height("a batch", p.batch, tile)
    )


def fits_gemm(p, _knobs, machine):
    """In float32, on a GPU that copies to shared memory past the registers."""
    return limits.asynchronous_copies(machine) or limits.float32_only(p)


VARIANTS = (
    Variant(
        "cuda:naive",
        "SIMT",
        "one thread an output; adjacent threads read adjacent rows of W, whose words lie far apart",
        "cuda.rows:naive",
        applies=fits_naive,
    ),
    Variant(
        "cuda:warp_rows",
        "SIMT",
        "one warp an output: lanes read a row of W side by side, 128 bits each; shuffles add them up",
        "cuda.rows:warp_rows",
        improves_on="cuda:naive",
        applies=fits_warp_rows,
    ),
    Variant(
        "cuda:tiled",
        "SIMT",
        "tiles of X and W in shared memory, loaded along rows; bias and σ before the only store",
        "cuda.tiles:tiled",
        knobs={"tile": Knob((8, 16, 32), default=16, help="side of the square tile of Y that a block computes")},
        improves_on="cuda:warp_rows",
        applies=fits_tile,
    ),
    Variant(
        "cuda:gemm",
        "SIMT",
        "tiles of Y in registers while copies fill the next strips; bias and σ on the way out",
        "cuda.gemm:gemm",
        improves_on="cuda:tiled",
        applies=fits_gemm,
    ),
    Variant(
        "cuda:split_k",
        "SIMT",
        "where there are few tiles, blocks share the sums of one, and a second launch adds the parts",
        "cuda.split_k:split_k",
        improves_on="cuda:gemm",
        applies=fits_gemm,
        workspace=workspace,
    ),
)
