"""How the register-tile GEMM divides a product: among blocks, warps, lanes, and along k. Imports no numba.

A *block* computes a tile of rows×columns elements. Its *warps* share the tile in rectangles; a warp's lanes stand
4 down and 8 across, and each has a tile of its own in registers, 8 or 16 rows by 4 or 8 columns. These lie in *quads*,
4 by 4 elements: the rows and columns between one lane's quads belong to the lanes beside it, so that lanes side by
side load quads side by side.
"""

from dataclasses import dataclass, replace

WARP = 32
QUAD = 4
LANES_DOWN, LANES_ACROSS = 4, 8
PADDING = 4
SMALL_WORTH = 0.75
REGISTERS = 65536  # of a multiprocessor, on every GPU of capability 5.0 and later


@dataclass(frozen=True)
class Tiling:
    """``rows``×``columns`` elements a block; each of ``stages`` in shared memory holds ``depth`` steps along k.

    ``rows`` is a multiple of 16·``quads_down``, ``columns`` of 32·``quads_across``: a thread has 2 or 4 quads one
    below the other, and 1 or 2 beside each other. Up to 64 elements a thread need 128 registers, 128 need 255.
    ``depth`` is a power of two, 8 or more: 8 threads then copy a whole sector of a row along k. One stage is
    read while the others fill. ValueError where the threads do not share a stage evenly.
    """

    rows: int = 128
    columns: int = 128
    quads_across: int = 2
    depth: int = 8
    stages: int = 4
    quads_down: int = 2

    def __post_init__(self) -> None:
        uneven = self.rows % self.warp_rows or self.columns % self.warp_columns or self.depth % QUAD or self.stages < 2
        if uneven or min(self.rows, self.columns) * self.depth % (QUAD * self.threads):
            raise ValueError(f"{self}: the threads do not share a stage evenly")

    @property
    def thread_rows(self) -> int:
        """Rows of a thread's tile."""
        return QUAD * self.quads_down

    @property
    def thread_columns(self) -> int:
        """Columns of a thread's tile."""
        return QUAD * self.quads_across

    @property
    def warp_rows(self) -> int:
        """Rows of a warp's tile."""
        return LANES_DOWN * self.thread_rows

    @property
    def warp_columns(self) -> int:
        """Columns of a warp's tile."""
        return LANES_ACROSS * self.thread_columns

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return WARP * (self.rows // self.warp_rows) * (self.columns // self.warp_columns)

    @property
    def launch_bounds(self) -> tuple[int, int]:
        """Threads of a block, and blocks that a multiprocessor has registers for."""
        registers = 128 if self.thread_rows * self.thread_columns <= 64 else 256
        return self.threads, REGISTERS // (registers * self.threads)

    @property
    def shared_words(self) -> int:
        """Elements of shared memory of a block: all stages of the strip of A, and behind them those of B."""
        return self.stages * self.depth * (pitch(self.rows) + pitch(self.columns))

    def grid(self, m: int, n: int) -> int:
        """Blocks for an m×n product, in one axis: `product.origin` lays them out."""
        return -(-m // self.rows) * -(-n // self.columns)


def pitch(span: int) -> int:
    """Elements from one step of k to the next in shared memory.

    It is 4 more than a multiple of 32: the 8 steps and 4 rows that a warp copies at once along k fall into 32
    different banks, and each step still begins at a multiple of 16 bytes.
    """
    return span + PADDING


def fitting(tiling: Tiling, m: int, n: int, multiprocessors: int) -> Tiling:
    """The tiling, or one of 64×64 where that keeps more of the multiprocessors busy for more of the time.

    The busiest multiprocessor says when all are done: it computes its blocks, whole ones. In that time a small
    tile does three quarters of the work of a large one: a judgement from the multiply-adds among its instructions
    and the loads from shared memory for each, which no GPU was asked.
    """
    small = replace(tiling, rows=min(tiling.rows, 64), columns=min(tiling.columns, 64), quads_across=1, quads_down=2)

    def busiest(one: Tiling) -> int:
        return -(-one.grid(m, n) // multiprocessors) * one.rows * one.columns

    return small if busiest(small) < SMALL_WORTH * busiest(tiling) else tiling
