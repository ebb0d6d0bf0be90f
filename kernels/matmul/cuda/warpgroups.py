"""The rungs of matmul for capability 9.0, declared: warpgroups multiply what the tensor memory accelerator brings.

cuda:wgmma_tf32  a producer and two consumers around a ring of tiles, in TF32, B transposed first
cuda:wgmma       the same in bfloat16, of A and B as they are
cuda:clusters    two blocks share tiles of B: each orders half of them for both
"""

from gpuplay.kernel import Array, Knob, Variant

from ..._shared import limits
from ..._shared.blocking import round_up
from .matrix_sizes import halves_work

CAPABILITY = (9, 0)
ROWS = 128  # of C's tile: 64 for each of two warpgroups
DEPTH = 64  # columns of A's tile, rows of B's: 128 bytes of bfloat16
WORD_DEPTH = 32  # the same of float32
TILE_COLUMNS = (256, 128)
STAGES = 4
ALIGNED, WORDS_ALIGNED = 8, 4  # elements: TMA steps over rows of a multiple of 16 bytes
PATTERN = 1024  # bytes: eight rows of 128, after which the order of their pieces repeats


def shared_bytes(columns):
    """Dynamic shared memory: a ring of tiles of A and B, and what it takes to begin at a multiple of ``PATTERN``."""
    return STAGES * 2 * DEPTH * (ROWS + columns) + PATTERN


def fits(p, knobs, machine):
    """GPUs of capability 9.0, whose instructions these are: later ones have others in their place."""
    has, taken, limit = machine.gpu.capability, shared_bytes(knobs["columns"]), machine.gpu.shared_bytes_opt_in
    if tuple(has) != CAPABILITY:
        return f"wgmma is of compute capability 9.0 alone (sm_90a); this GPU has {has[0]}.{has[1]}"
    if taken > limit:
        return f"{STAGES} stages take {taken} bytes of shared memory, the limit is {limit}"
    uneven = limits.one_of("columns", knobs["columns"], TILE_COLUMNS, "warpgroups divide a tile evenly")
    return uneven or limits.float32_only(p)


def wide_rows(p, _knobs):
    """Copies of A and B with rows that TMA can step over, whole rows of boxes, where theirs are others."""
    a = Array("wide_A", (p.m, round_up(p.k, DEPTH)), dtype="uint16")
    b = Array("wide_B", (p.k, round_up(p.n, DEPTH)), dtype="uint16")
    return tuple(space for space, width in ((a, p.k), (b, p.n)) if width % ALIGNED)


def transposed(p, _knobs):
    """A copy of A with rows that TMA can step over, where its own are others; B transposed, with such rows."""
    width = round_up(p.k, WORD_DEPTH)
    a, b = Array("wide_A", (p.m, width)), Array("transposed_B", (p.n, width))
    return (a, b) if p.k % WORDS_ALIGNED else (b,)


COLUMNS = Knob(TILE_COLUMNS, help="columns of the tile of C that a block computes, 128 rows high")

VARIANTS = (
    Variant(
        "cuda:wgmma_tf32",
        "SIMT",
        "one thread keeps a ring of tiles filled by TMA, two warpgroups multiply them from shared memory, in TF32",
        "cuda.hopper:wgmma_tf32",
        knobs={"columns": COLUMNS},
        improves_on="cuda:tf32",
        applies=fits,
        workspace=transposed,
        compute="tfloat32",
        accumulate="float32",
    ),
    Variant(
        "cuda:wgmma",
        "SIMT",
        "one thread keeps a ring of tiles filled by TMA, two warpgroups multiply them from shared memory",
        "cuda.hopper:wgmma",
        knobs={"columns": COLUMNS},
        improves_on="cuda:bf16",
        applies=fits,
        workspace=wide_rows,
        work=halves_work,
        storage="bfloat16",
        accumulate="float32",
    ),
    Variant(
        "cuda:clusters",
        "SIMT",
        "two blocks on neighbouring multiprocessors share tiles of B: each orders half of them, and both receive it",
        "cuda.clusters:clusters",
        knobs={"columns": COLUMNS},
        improves_on="cuda:wgmma",
        applies=fits,
        workspace=wide_rows,
        work=halves_work,
        storage="bfloat16",
        accumulate="float32",
    ),
)
