"""The weights of a convolution as the matrix that the GPU's products read. NumPy only."""

import numpy as np

from .sizes import channels_of, depth_of, round_up


def by_taps(p, W, tile_filters, **_knobs):
    """W (filters, channels, size, size) as (depth, filters): a row a tap, channels innermost, zeros around.

    Channels come in whole groups, taps in whole steps and filters in whole tiles, so that a block reads
    rows of its tile by 128-bit accesses and never asks where the weights end.
    """
    filters, channels, size, _ = W.shape
    packed = np.zeros((depth_of(p), round_up(filters, tile_filters)), W.dtype)
    taps = packed[: size * size * channels_of(p)].reshape(size, size, channels_of(p), -1)
    taps[:, :, :channels, :filters] = W.transpose(2, 3, 1, 0)
    return packed
