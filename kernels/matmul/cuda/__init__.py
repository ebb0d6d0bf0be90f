"""The CUDA ladder of matmul, declared: each rung is one idea more than the one that it improves on.

The rungs stand in the order in which they are read: `shared_memory` has the first three and `registers` the next two,
each whole; `vectors` begins to share its strips and stores, with `pipelines`. An idea is the first sentence of its
builder, too, which goes on with how it is done and what it moves; `docs/ladder-cuda.md` tells what each gains, and the
limit that it meets.
"""

from dataclasses import dataclass

from gpuplay.kernel import Knob, Variant

from ..._shared import limits
from . import matrix_sizes, warpgroups

NAIVE_BLOCK = (32, 8)
COALESCED_BLOCK = (32, 8)
BLOCK_TILES = (128, 64)
THREAD_ROWS = (8, 16)
TILE_COLUMNS = (128, 256)


def fits_naive(p, _knobs, _machine):
    """The grid has at most 65535 blocks in its second axis, which goes across C."""
    return limits.grid_height("a width", p.n, NAIVE_BLOCK[1])


@dataclass(frozen=True)
class Limit:
    """What a rung asks for: blocks of ``rows`` of C, few enough for a grid's height, and the rest where it is set."""

    rows: int
    float32: bool = False
    asynchronous: bool = False  # copies to shared memory past the registers

    def __call__(self, p, _knobs, machine):
        """None, or the first thing that is lacking."""
        return (
            (limits.asynchronous_copies(machine) if self.asynchronous else None)
            or (limits.float32_only(p) if self.float32 else None)
            or limits.grid_height("a height", p.m, self.rows)
        )


def fits_warps(p, knobs, machine):
    """Float32, asynchronous copies, and tiles of these sides alone, in quads of 4 rows; its grid has one axis."""
    even = "warps share a tile evenly"
    return (
        limits.one_of("block_tile", knobs["block_tile"], BLOCK_TILES, even)
        or limits.one_of("thread_rows", knobs["thread_rows"], THREAD_ROWS, even)
        or limits.asynchronous_copies(machine)
        or limits.float32_only(p)
    )


def fits_tile(p, knobs, machine):
    """A tile is a block of threads, two of them lie in shared memory."""
    tile = knobs["tile"]
    return (
        limits.tile_threads(tile, machine)
        or limits.shared_memory(f"tile {tile}: two tiles", 2 * tile * tile * p.itemsize, machine)
        or limits.grid_height("a height", p.m, tile)
    )


def fits_matrix_units(p, knobs, machine):
    """A GPU whose matrix units take these formats, with three stages in shared memory."""
    columns = knobs["columns"]
    taken, most = matrix_sizes.shared_bytes(columns), machine.gpu.shared_bytes_opt_in
    if taken > most:
        return f"columns {columns}: strips for three stages take {taken} bytes of shared memory, the limit is {most}"
    uneven = limits.one_of("columns", columns, TILE_COLUMNS, "threads share a strip evenly")
    return uneven or limits.matrix_units(p, knobs, machine)


def widest_columns(machine):
    """A wide tile loads fewer strips, where its own find room in shared memory."""
    return 256 if matrix_sizes.shared_bytes(256) <= machine.gpu.shared_bytes_opt_in else 128


def wide_words(p, _knobs):
    """A and B as float32, in rows of a multiple of 4."""
    return matrix_sizes.widened(p, 4, "")


def wide_halves(p, _knobs):
    """A and B as bfloat16, in rows of a multiple of 8."""
    return matrix_sizes.widened(p, 8, "uint16")


COLUMNS = Knob(
    TILE_COLUMNS,
    default=256,
    help="columns of the tile of C that a block computes, 128 rows high",
    choose="cuda:widest_columns",
)

VARIANTS = (
    Variant(
        "cuda:naive",
        "SIMT",
        "one thread an element of C, adjacent threads along a column: 32 of them read 32 rows of A",
        "cuda.shared_memory:naive",
        applies=fits_naive,
    ),
    Variant(
        "cuda:coalesced",
        "SIMT",
        "the same loop, adjacent threads along a row of C: they load adjacent numbers of B",
        "cuda.shared_memory:coalesced",
        improves_on="cuda:naive",
        applies=Limit(rows=COALESCED_BLOCK[1]),
    ),
    Variant(
        "cuda:tiled",
        "SIMT",
        "a block loads a tile of A and of B into shared memory and uses each number tile times",
        "cuda.shared_memory:tiled",
        knobs={"tile": Knob((8, 16, 32), default=16, help="side of the square tile of C that a block computes")},
        improves_on="cuda:coalesced",
        applies=fits_tile,
    ),
    Variant(
        "cuda:column",
        "SIMT",
        "a thread computes 8 rows of a column: a number of B in a register is used 8 times",
        "cuda.registers:column",
        improves_on="cuda:tiled",
        applies=Limit(rows=64),
    ),
    Variant(
        "cuda:register",
        "SIMT",
        "a thread computes 8×8 elements in registers: 16 loads from shared memory for 64 multiply-adds",
        "cuda.registers:register",
        improves_on="cuda:column",
        applies=Limit(rows=128),
    ),
    Variant(
        "cuda:vectorised",
        "SIMT",
        "the same tiles by 128-bit accesses: 4 loads from shared memory for 64 multiply-adds, and no bank conflicts",
        "cuda.vectors:vectorised",
        improves_on="cuda:register",
        applies=Limit(rows=128, float32=True),
    ),
    Variant(
        "cuda:pipelined",
        "SIMT",
        "two strips of A and of B: copies fill one past the registers while the threads multiply the other",
        "cuda.pipelines:pipelined",
        improves_on="cuda:vectorised",
        applies=Limit(rows=128, float32=True, asynchronous=True),
    ),
    Variant(
        "cuda:warps",
        "SIMT",
        "square tiles for warps, several strips on their way, and an order of blocks that the L2 cache likes",
        "cuda.pipelines:warps",
        knobs={
            "block_tile": Knob(
                BLOCK_TILES,
                help="side of the tile of C that a block computes; 64 where 128 leaves multiprocessors idle",
            ),
            "thread_rows": Knob(THREAD_ROWS, help="rows of C that a thread computes; 16 take up to 255 registers"),
        },
        improves_on="cuda:pipelined",
        applies=fits_warps,
    ),
    Variant(
        "cuda:tf32",
        "SIMT",
        "warps multiply 64×64 tiles on their matrix unit: 16×8×8 products an instruction, factors rounded to 11 bits",
        "cuda.tensor_cores:tf32",
        knobs={"columns": COLUMNS},
        improves_on="cuda:warps",
        applies=fits_matrix_units,
        workspace=wide_words,
        compute="tfloat32",
        accumulate="float32",
    ),
    Variant(
        "cuda:tf32x3",
        "SIMT",
        "each number is the sum of two TF32 ones: three products on the matrix unit are as exact as one in float32",
        "cuda.tensor_cores:tf32x3",
        knobs={"columns": COLUMNS},
        improves_on="cuda:tf32",
        applies=fits_matrix_units,
        workspace=wide_words,
        compute="tfloat32x3",
        accumulate="float32",
    ),
    Variant(
        "cuda:bf16",
        "SIMT",
        "A and B in 16 bits: half the bytes, and twice the products an instruction",
        "cuda.tensor_cores:bf16",
        knobs={"columns": COLUMNS},
        improves_on="cuda:tf32",
        applies=fits_matrix_units,
        workspace=wide_halves,
        work=matrix_sizes.halves_work,
        storage="bfloat16",
        accumulate="float32",
    ),
    *warpgroups.VARIANTS,
)
