"""matmul: C = A·B, the product of two matrices.

cpu:naive       three nested loops in textbook order: every step of the inner loop jumps a row of B
cpu:scalar      cache blocks and 16 numbers of A in registers, one number at a time
cpu:simd        the same loops, vectorised
cpu:parallel    the same loops, rows and strips of C shared among the cores
torch:mm        PyTorch's matrix product, a peer
cuda:naive      one thread an element, everything from global memory
cuda:tiled      tiles of A and B in shared memory, each number loaded once a tile
"""

from gpuplay.kernel import Array, Cost, Kernel, Knob, Param, Probe, Variant

from .._shared import limits
from .._shared.blocking import BLOCKS, DEFAULTS, panel_elements, sums_shape

NAIVE_BLOCK = (32, 8)


def arrays(p):
    """C is m×n, A is m×k, B is k×n."""
    return (Array("C", (p.m, p.n), "out"), Array("A", (p.m, p.k)), Array("B", (p.k, p.n)))


def cost(p):
    """2·m·n·k operations; each matrix moved once."""
    return Cost(2.0 * p.m * p.n * p.k, p.itemsize * float(p.m * p.k + p.k * p.n + p.m * p.n))


def one_worker(p, knobs):
    """Packed panels of B, and the partial sums of one worker."""
    return _workspace(p, DEFAULTS | knobs, workers=1)


def all_workers(p, knobs):
    """Packed panels of B, and partial sums for every worker."""
    return _workspace(p, knobs)


def _workspace(p, blocks, **workers):
    sums = sums_shape(p.m, p.n, blocks["block_m"], blocks["block_n"], **workers)
    return (Array("panels", (panel_elements(p.k, p.n),)), Array("sums", sums))


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


KERNEL = Kernel(
    name="matmul",
    summary="C = A·B, n×n",
    size="256..2048",
    size_help="columns of B and C; A and B are n×n unless --m or --k say otherwise",
    params=(
        Param("m", "rows of A and C"),
        Param("k", "columns of A, rows of B"),
    ),
    arrays=arrays,
    inputs="problem:inputs",
    reference="problem:reference",
    tolerance="problem:tolerance",
    check="problem:check",
    probes=(Probe("small integers", "problem:integers", exact=True),),
    odd_shapes=({"m": 33, "k": 7}, {"m": 1, "k": 129}),
    cost=cost,
    baseline="numpy:blas",
    story=("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:tiled"),
    variants=(
        Variant("numpy:blas", "library", "the BLAS that NumPy brings", "problem:blas", library="BLAS"),
        Variant(
            "torch:mm", "library", "the BLAS that PyTorch brings, into a given C", "torch:mm", library="PyTorch, BLAS"
        ),
        Variant("python:loop", "SISD", "interpreted: every number is an object", "cpu:loop"),
        Variant(
            "cpu:naive", "SISD", "textbook order: the inner loop jumps a whole row of B at every step", "cpu:naive"
        ),
        Variant(
            "cpu:scalar",
            "SISD",
            "blocks that stay in the caches, 16 numbers of A in registers, one product at a time",
            "cpu:simd",
            improves_on="cpu:naive",
            workspace=one_worker,
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "the same loops: one instruction multiplies a whole vector of a row of B",
            "cpu:simd",
            knobs=BLOCKS,
            improves_on="cpu:scalar",
            workspace=one_worker,
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "the same loops: every core takes its share of C",
            "cpu:parallel",
            knobs=BLOCKS,
            improves_on="cpu:simd",
            workspace=all_workers,
        ),
        Variant(
            "cuda:naive",
            "SIMT",
            "one thread an element of C; adjacent threads load adjacent columns of B",
            "cuda:naive",
            applies=fits_naive,
        ),
        Variant(
            "cuda:tiled",
            "SIMT",
            "a block loads a tile of A and of B into shared memory and uses each number tile times",
            "cuda:tiled",
            knobs={"tile": Knob((8, 16, 32), default=16, help="side of the square tile of C that a block computes")},
            improves_on="cuda:naive",
            applies=fits_tile,
        ),
    ),
)
