"""The weights of a convolution as the matrices that the GPU's products read. NumPy only."""

import numpy as np

from .sizes import Geometry


def by_taps(p, W, **_knobs):
    """W (filters, channels, size, size) as (taps, filters): a row a tap, channels innermost, zeros around."""
    geometry = Geometry.of(p)
    packed = np.zeros((geometry.size, geometry.size, geometry.depth, geometry.row), W.dtype)
    packed[:, :, : geometry.channels, : geometry.filters] = W.transpose(2, 3, 1, 0)
    return packed.reshape(geometry.taps, geometry.row)


def by_filters(p, W, **_knobs):
    """The same as (filters, taps), a row a filter, rounded to TF32: to nearest, ties away from 0."""
    return rounded_to_tf32(np.ascontiguousarray(by_taps(p, W)[:, : p.filters].T))


def rounded_to_tf32(values):
    """float32 whose last 13 of 23 bits of fraction are 0, as after ``cvt.rna.tf32.f32``; NaN and ∞ as they are."""
    bits = values.view(np.uint32)
    nearest = (bits + np.uint32(1 << 12)) & np.uint32(0xFFFFFFFF << 13 & 0xFFFFFFFF)
    return np.where(np.isfinite(values), nearest, bits).view(np.float32)


# Winograd's G of F(4×4, 3×3), from the points 0, ±1, ±2 and infinity, as in `kernels.conv2d.transforms`.
G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


def by_elements(p, W, **_knobs):
    """W (filters, channels, 3, 3) as (36, channels, filters): G·g·Gᵀ of every filter g, rounded once."""
    geometry = Geometry.of(p)
    packed = np.zeros((len(G) ** 2, geometry.channels, geometry.row), W.dtype)
    transformed = G @ W.astype(np.float64) @ G.T
    packed[:, :, : geometry.filters] = transformed.transpose(2, 3, 1, 0).reshape(len(packed), geometry.channels, -1)
    return packed
