"""The weights of a convolution as the matrices that the GPU's products read. NumPy only."""

import numpy as np

from .sizes import Geometry


def by_taps(p, W, **_knobs):
    """W (filters, channels, size, size) as (taps, filters): a row a tap, channels innermost, zeros around."""
    geometry = Geometry.of(p)
    packed = np.zeros((geometry.size, geometry.size, geometry.depth, geometry.row), W.dtype)
    packed[:, :, : geometry.channels, : geometry.filters] = W.transpose(2, 3, 1, 0)
    return packed.reshape(geometry.taps, geometry.row)
