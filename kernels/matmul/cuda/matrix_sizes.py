"""How the products on matrix units are divided among blocks and warps, in plain integers. Imports no numba."""

from typing import NamedTuple

from gpuplay.kernel import Array, Cost

from ..._shared.blocking import round_up

ROWS = 128  # of C that a block computes
STAGES = 3  # of the strips in shared memory
WARP_TILE = 64  # rows and columns that a warp computes
CHUNK_BYTES, CHUNKS = 16, 8  # of a row of A in a strip


class BlockTile(NamedTuple):
    """The part of C that a block computes."""

    columns: int
    rows: int = ROWS


def threads_of(columns):
    """Threads of a block."""
    return 32 * (ROWS // WARP_TILE) * (columns // WARP_TILE)


def stage_elements(columns, each):
    """Elements of a stage: strips of A and B, of chunks of ``each`` elements."""
    return CHUNKS * each * (ROWS + columns)


def shared_bytes(columns):
    """Shared memory of a block, whatever the elements are."""
    return STAGES * CHUNKS * CHUNK_BYTES * (ROWS + columns)


def widened(p, each, dtype):
    """A and B with rows of whole chunks, of those that have others."""
    a, b = round_up(p.k, each), round_up(p.n, each)
    return (
        Array("wide_A", (p.m, a) if a > p.k else (0, 0), dtype=dtype),
        Array("wide_B", (p.k, b) if b > p.n else (0, 0), dtype=dtype),
    )


def blocks(p, columns):
    """Blocks that cover C."""
    return -(-p.m // ROWS) * -(-p.n // columns)


def halves_work(p, _knobs):
    """A and B have two bytes an element. Copies to wider rows are left out: sizes at which speed matters need none."""
    return Cost(2.0 * p.m * p.n * p.k, 2.0 * (p.m * p.k + p.k * p.n) + p.itemsize * float(p.m * p.n))
