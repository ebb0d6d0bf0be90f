"""Images copied with zeros around them, so that no read has to ask whether it lies inside.

For a stride s, rows and columns of equal remainder modulo s are put together (s² *phase planes*), which
makes neighbours of the pixels that a tap reads: a *tap*, one channel with one row and one column of the
kernel, is then nothing but an offset. Output pixel (y, x) reads it at y·side + x + offset.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.host.strided import load_every

from . import layout

out_side = internal(layout.out_side)
phase_side = internal(layout.phase_side)
image_elements = internal(layout.image_elements)


@internal
def pad_share(padded, X, side, stride, padding, share, shares):
    """Copy one worker's share of the channels of all images X (batch, channels, n, n) to planes of ``side`` squared."""
    batch, channels, n = X.shape[0], X.shape[1], X.shape[2]
    planes, pixels = batch * channels, X.reshape(X.size)
    for plane in range(share * planes // shares, (share + 1) * planes // shares):
        at = plane * stride * stride * side * side
        for phase in range(stride * stride):
            _pad_plane(padded, at + phase * side * side, pixels, plane * n * n, n, phase, side, stride, padding)


@internal
def _pad_plane(padded, at, X, x, n, phase, side, stride, padding):
    """One phase plane, side×side, of the channel that begins at ``X[x]``, to ``padded[at]`` and on."""
    above, left = phase // stride - padding, phase % stride - padding
    first = min(side, max(0, (-left + stride - 1) // stride))
    last = max(first, min(side, (n - left + stride - 1) // stride))
    nothing = simd.broadcast(padded, 0.0)
    for j in range(0, side * side, simd.lanes(padded)):
        simd.store_first(padded, at + j, nothing, side * side - j)
    for r in range(max(0, (-above + stride - 1) // stride), min(side, (n - above + stride - 1) // stride)):
        source = x + (r * stride + above) * n + first * stride + left
        _copy_every(padded, at + r * side + first, X, source, stride, last - first)


@internal
def _copy_every(target, to, source, at, step, count):
    """Copy ``count`` elements of ``source``, ``step`` apart, side by side to ``target``."""
    lanes = simd.lanes(source)
    for j in range(0, count, lanes):
        here, rest = at + j * step, min(lanes, count - j)
        if step == 1:
            simd.store_first(target, to + j, simd.load_first(source, here, rest), rest)
        elif step == 2:
            simd.store_first(target, to + j, load_every(source, here, 2, rest), rest)
        elif step == 4:
            simd.store_first(target, to + j, load_every(source, here, 4, rest), rest)
        else:
            for k in range(rest):
                target[to + j + k] = source[here + k * step]


@internal
def tap_offsets(offsets, channels, kernel_size, side, stride):
    """Where each tap of output pixel (0, 0) is read, from the start of its padded image."""
    tap = 0
    for c in range(channels):
        for ki in range(kernel_size):
            for kj in range(kernel_size):
                plane = (c * stride + ki % stride) * stride + kj % stride
                offsets[tap] = (plane * side + ki // stride) * side + kj // stride
                tap += 1
