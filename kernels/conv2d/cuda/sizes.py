"""How the CUDA variants that multiply matrices lay out weights and cut their work, in plain integers.

Declarations read this file for limits and workspaces, packing and GPU functions for their shapes, so that
all agree. Filters are the rows of a product, pixels of all images its columns; what is summed over, its
*depth*, is walked through eight at a time.
"""

from ..layout import out_side

DEPTH = 8  # taps that a block holds in shared memory at a time
GROUP = 4  # channels of one position in the filter whose pixels one thread copies together
TILE = 8  # rows and columns of the tile of outputs that a thread sums up in registers
WARP_FILTERS, WARP_PIXELS = 32, 64  # the tile of a warp: four by eight threads


def round_up(count, step):
    """The next multiple of ``step``."""
    return -(-count // step) * step


def channels_of(p):
    """Channels in whole groups; the weights of those that are not there are zero."""
    return round_up(p.channels, GROUP)


def depth_of(p):
    """Rows of the packed weights: position by position, channel by channel, then zeros to a whole step."""
    return round_up(p.kernel_size**2 * channels_of(p), DEPTH)


def pixels_of(p):
    """Pixels of one output image."""
    return out_side(p.n, p.kernel_size, p.stride, p.padding) ** 2


def threads_of(tile_filters, tile_pixels):
    """Threads of a block: each has a tile of eight by eight outputs."""
    return tile_filters * tile_pixels // TILE**2


def blocks_of(p, tile_filters, tile_pixels):
    """The grid: tiles of pixels, then tiles of filters."""
    return -(-p.batch * pixels_of(p) // tile_pixels), -(-p.filters // tile_filters)
