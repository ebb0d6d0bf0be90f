"""How the CUDA variants that multiply matrices see a convolution, in plain integers.

Declarations read this file for limits and workspaces, packing and GPU functions for their shapes, so that
all agree. Filters are the rows of a product, pixels of all images its columns. What is summed over are *taps*:
a position (ki, kj) in the filter and a channel, with channels running fastest and in whole groups.
"""

from dataclasses import dataclass

from ..._shared.blocking import round_up
from ..._shared.gpu_gemm.tiling import Tiling
from ..layout import out_side, tiles_of

SMALL = Tiling(rows=64, columns=64, quads_across=1)
MEDIUM = Tiling(rows=64, columns=128)
LARGE = Tiling(rows=128, columns=128)
# With the share of fma in the instructions of a step, compiled for capability 9.0; less for the small tile, whose
# threads ask shared memory for 1.5 times as much. These are judgements: no GPU was asked.
TILINGS = ((LARGE, 0.84), (MEDIUM, 0.8), (SMALL, 0.64))

GROUP = 4  # channels of one position whose pixels a thread copies together
SECTOR = 8  # float32 in a sector of 32 bytes


@dataclass(frozen=True)
class Geometry:
    """A convolution as a product: ``filters``×``taps`` times ``taps``×``pixels``, float32."""

    n: int
    size: int
    stride: int
    padding: int
    channels: int
    filters: int
    batch: int

    @classmethod
    def of(cls, p):
        """The geometry of a problem."""
        return cls(p.n, p.kernel_size, p.stride, p.padding, p.channels, p.filters, p.batch)

    @property
    def side(self):
        """Rows and columns of an output image."""
        return out_side(self.n, self.size, self.stride, self.padding)

    @property
    def image(self):
        """Pixels of an output image."""
        return self.side**2

    @property
    def pixels(self):
        """Pixels of all output images of one filter."""
        return self.batch * self.image

    @property
    def depth(self):
        """Channels in whole groups: the weights of those that are not there are zero."""
        return round_up(self.channels, GROUP)

    @property
    def taps(self):
        """Rows of the packed weights."""
        return self.size**2 * self.depth

    @property
    def row(self):
        """Length of a row of packed weights: filters in whole 128-bit accesses."""
        return round_up(self.filters, 4)


def tilings_up_to(tile_filters):
    """The tiles of fma with at most so many filters, and their worth."""
    return tuple(candidate for candidate in TILINGS if candidate[0].rows <= tile_filters)


@dataclass(frozen=True)
class MatrixTile:
    """What a block computes by matrix units, with the names of `Tiling`: warps have 64 rows, threads no tile."""

    rows: int
    columns: int
    warp_columns: int

    @property
    def depth(self):
        """Taps of a stage."""
        return MATRIX_DEPTH

    @property
    def threads(self):
        """Threads of a block."""
        return 32 * (self.rows // 64) * (self.columns // self.warp_columns)

    @property
    def shared_bytes(self):
        """Shared memory of a block."""
        return 4 * MATRIX_STAGES * MATRIX_DEPTH * (self.rows + self.columns)

    @property
    def launch_bounds(self):
        """Threads of a block, and blocks for which a multiprocessor of capability 9.0 has shared memory."""
        return self.threads, MATRIX_SHARED_BYTES // self.shared_bytes

    def grid(self, filters, pixels):
        """Blocks of a product."""
        return -(-filters // self.rows) * -(-pixels // self.columns)


MATRIX_STAGES, MATRIX_DEPTH = 3, 32
MATRIX_SHARED_BYTES = 228 * 1024
# Worth as above: a wide warp loads a third less for a product.
MATRIX_TILES = ((MatrixTile(128, 128, 64), 1.0), (MatrixTile(64, 128, 32), 0.7))


def tiling_for(filters, columns, products, tilings, multiprocessors):
    """The tile of the blocks of so many products, filters by columns: the one that keeps a GPU busiest.

    What counts is the part of all blocks' tiles that lies inside the matrices, the time that multiprocessors
    spend on their blocks and not waiting for one that has a block more, and the worth of the tile.
    """

    def busy(candidate):
        tiling, worth = candidate
        blocks = products * tiling.grid(filters, columns)
        rounds = -(-blocks // multiprocessors)
        return worth * products * filters * columns / (rounds * multiprocessors * tiling.rows * tiling.columns)

    return max(tilings, key=busy)[0]


def tile_row_of(p):
    """Tiles of Winograd's transforms in a row of their matrices: whole sectors."""
    return round_up(tiles_of(p), SECTOR)
