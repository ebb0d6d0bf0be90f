"""conv2d on the host.

numpy:im2col   every patch becomes a column of a matrix, then one BLAS product an image
python:loop    seven interpreted loops over nested lists
cpu:naive      seven compiled loops, in the order of the definition
cpu:scalar     the source of cpu:simd with the vectorisers off
cpu:simd       direct convolution over strips of pixels, four filters and four taps at a time
cpu:parallel   the same, images × strips × filters shared out over all cores

cpu:simd first copies the images into a workspace, with zeros around them. There a *tap* (one channel,
one row and one column of the kernel) is nothing but an offset: output pixel (y, x) of every tap t is
read at y·side + x + offset(t). A *strip* of adjacent output rows is thus one long run of pixels for
every tap, only that the last columns of each row are computed in vain. For a stride s, rows and
columns of equal remainder modulo s are put together first (s² *phase planes*), which makes neighbours
of the pixels that a tap reads. The sums of four filters over one strip stay in the first cache,
chunks of 16 pixels of the four filters side by side; for 16 fma there are 4 loads of pixels, and
4 loads and 4 stores of sums.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from . import layout
from .layout import FILTERS, LANES, TAPS, out_side

FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
# Below some ten microseconds of work, starting threads costs more than they save.
LEAST_PRODUCTS_A_WORKER = 1 << 17

_out_side = njit(cache=True)(layout.out_side)
_phase_side = njit(cache=True)(layout.phase_side)
_image_elements = njit(cache=True)(layout.image_elements)
_strip_rows = njit(cache=True)(layout.strip_rows)
_strip_width = njit(cache=True)(layout.strip_width)


# ---- numpy:im2col ----


def im2col(problem):
    """Copy all patches of an image side by side, (channels·ks·ks, pixels), and multiply by the filters."""
    p, side = problem, out_side(problem.n, problem.kernel_size, problem.stride, problem.padding)
    taps, pixels = p.channels * p.kernel_size**2, side * side
    inner = slice(p.padding, p.padding + p.n)

    def run(Y, X, W, padded, columns):
        filters = W.reshape(p.filters, taps)
        patches = np.lib.stride_tricks.sliding_window_view(padded, (p.kernel_size, p.kernel_size), axis=(1, 2))
        patches = patches[:, :: p.stride, :: p.stride].transpose(0, 3, 4, 1, 2)
        padded.fill(0)
        for image, out in zip(X, Y, strict=True):
            padded[:, inner, inner] = image
            np.copyto(columns.reshape(patches.shape), patches)
            np.matmul(filters, columns, out=out.reshape(p.filters, pixels))

    return run


# ---- python:loop ----


def loop(problem):
    """The definition, over nested lists."""
    stride, padding, n = problem.stride, problem.padding, problem.n

    def pixel(image, weights, y, x):
        total = 0.0
        for plane, kernel in zip(image, weights, strict=True):
            for i, row in enumerate(kernel, y * stride - padding):
                if 0 <= i < n:
                    for j, weight in enumerate(row, x * stride - padding):
                        if 0 <= j < n:
                            total += weight * plane[i][j]
        return total

    def run(Y, X, W):
        for image, out in zip(X, Y, strict=True):
            for weights, plane in zip(W, out, strict=True):
                for y, row in enumerate(plane):
                    for x in range(len(row)):
                        row[x] = pixel(image, weights, y, x)

    return run


# ---- cpu:naive ----


def naive(problem):
    """Seven loops; every output is one long sum, and every read asks whether it lies inside the image."""
    stride, padding = problem.stride, problem.padding

    @njit(cache=True, fastmath=FASTMATH)
    def run(Y, X, W):
        n = X.shape[2]
        for b, f, y, x in np.ndindex(Y.shape):
            total = Y.dtype.type(0)
            for c in range(W.shape[1]):
                for ki in range(W.shape[2]):
                    i = y * stride + ki - padding
                    if 0 <= i < n:
                        for kj in range(W.shape[3]):
                            j = x * stride + kj - padding
                            if 0 <= j < n:
                                total += W[f, c, ki, kj] * X[b, c, i, j]
            Y[b, f, y, x] = total

    return run


# ---- cpu:scalar, cpu:simd, cpu:parallel ----


@njit(cache=True)
def _pad_plane(plane, X, stride, padding):
    """One channel X (n, n) into its phase planes (stride², side, side), zeros around it."""
    n, side = len(X), plane.shape[1]
    for phase in range(stride * stride):
        above, left = phase // stride - padding, phase % stride - padding
        first = max(0, (-left + stride - 1) // stride)
        last = max(first, min(side, (n - left + stride - 1) // stride))
        for r in range(side):
            i = r * stride + above
            row = plane[phase, r]
            if 0 <= i < n:
                row[:first] = 0
                row[last:] = 0
                source, target = X[i, first * stride + left :], row[first:last]
                for j in range(len(target)):
                    target[j] = source[j * stride]
            else:
                row[:] = 0


@njit(cache=True)
def _pad(padded, X, stride, padding, worker, workers):
    """One worker's share of the channels of all images."""
    batch, channels, n = X.shape[0], X.shape[1], X.shape[2]
    side = _phase_side(n, stride, padding)
    size = stride * stride * side * side
    planes = batch * channels
    for p in range(worker * planes // workers, (worker + 1) * planes // workers):
        plane = padded[p * size : (p + 1) * size].reshape(stride * stride, side, side)
        _pad_plane(plane, X[p // channels, p % channels], stride, padding)


@njit(cache=True, fastmath=FASTMATH)
def _add_four_taps(sums, p0, p1, p2, p3, w0, w1, w2, w3):
    """Add four taps p (width,) times their weights to the sums of four filters; w0 … w3 hold a filter each."""
    w00, w01, w02, w03 = w0[0], w0[1], w0[2], w0[3]
    w10, w11, w12, w13 = w1[0], w1[1], w1[2], w1[3]
    w20, w21, w22, w23 = w2[0], w2[1], w2[2], w2[3]
    w30, w31, w32, w33 = w3[0], w3[1], w3[2], w3[3]
    for chunk in range(len(p0) // LANES):
        x = chunk * LANES
        s0, s1, s2, s3 = x * FILTERS, x * FILTERS + LANES, x * FILTERS + 2 * LANES, x * FILTERS + 3 * LANES
        for j in range(LANES):
            a, b, c, d = p0[x + j], p1[x + j], p2[x + j], p3[x + j]
            sums[s0 + j] += w00 * a + w01 * b + w02 * c + w03 * d
            sums[s1 + j] += w10 * a + w11 * b + w12 * c + w13 * d
            sums[s2 + j] += w20 * a + w21 * b + w22 * c + w23 * d
            sums[s3 + j] += w30 * a + w31 * b + w32 * c + w33 * d


@njit(cache=True, fastmath=FASTMATH)
def _add_tap(sums, p, w0, w1, w2, w3):
    """Add one tap p (width,) times its weight to the sums of four filters."""
    for chunk in range(len(p) // LANES):
        x = chunk * LANES
        s0, s1, s2, s3 = x * FILTERS, x * FILTERS + LANES, x * FILTERS + 2 * LANES, x * FILTERS + 3 * LANES
        for j in range(LANES):
            a = p[x + j]
            sums[s0 + j] += w0 * a
            sums[s1 + j] += w1 * a
            sums[s2 + j] += w2 * a
            sums[s3 + j] += w3 * a


@njit(cache=True)
def _tap_offsets(offsets, W, n, stride, padding):
    """Where each tap of output pixel (0, 0) is read, from the start of its image."""
    side = _phase_side(n, stride, padding)
    tap = 0
    for c in range(W.shape[1]):
        for ki in range(W.shape[2]):
            for kj in range(W.shape[3]):
                plane = (c * stride + ki % stride) * stride + kj % stride
                offsets[tap] = (plane * side + ki // stride) * side + kj // stride
                tap += 1


@njit(cache=True)
def _sum_strip(sums, image, offsets, W, first, width):
    """All taps of four filters, from filter ``first`` on, over a strip; ``image`` begins at its first pixel."""
    filters, taps = W.shape
    w0, w1 = W[first], W[min(first + 1, filters - 1)]
    w2, w3 = W[min(first + 2, filters - 1)], W[min(first + 3, filters - 1)]
    sums[:] = 0
    whole = taps // TAPS * TAPS
    for t in range(0, whole, TAPS):
        o0, o1, o2, o3 = offsets[t], offsets[t + 1], offsets[t + 2], offsets[t + 3]
        p0, p1 = image[o0 : o0 + width], image[o1 : o1 + width]
        p2, p3 = image[o2 : o2 + width], image[o3 : o3 + width]
        _add_four_taps(sums, p0, p1, p2, p3, w0[t:], w1[t:], w2[t:], w3[t:])
    for t in range(whole, taps):
        o = offsets[t]
        _add_tap(sums, image[o : o + width], w0[t], w1[t], w2[t], w3[t])


@njit(cache=True)
def _store(Y, sums, first, top, rows, side):
    """Four filters' sums to output rows ``top`` to ``top + rows`` of Y (filters, ho, wo)."""
    columns = Y.shape[2]
    for f in range(first, min(first + FILTERS, len(Y))):
        for y in range(rows):
            target = Y[f, top + y]
            for x in range(columns):
                pixel = y * side + x
                target[x] = sums[(pixel // LANES * FILTERS + f - first) * LANES + pixel % LANES]


@njit(cache=True)
def _convolve(Y, W, padded, offsets, sums, n, stride, padding, strip, worker, workers):
    """One worker's share of (image, strip, four filters), in that order: a strip stays in the second cache."""
    batch, filters, ho = Y.shape[0], Y.shape[1], Y.shape[2]
    channels = W.shape[1]
    side = _phase_side(n, stride, padding)
    size = _image_elements(side, channels, stride)
    flat = W.reshape(filters, len(offsets))
    most = _strip_rows(side, ho, strip)
    quads, strips = (filters + FILTERS - 1) // FILTERS, (ho + most - 1) // most
    units = batch * strips * quads
    for unit in range(worker * units // workers, (worker + 1) * units // workers):
        b, s, first = unit // (strips * quads), unit // quads % strips, unit % quads * FILTERS
        top = s * most
        rows = min(most, ho - top)
        width = _strip_width(side, rows)
        image = padded[b * size + top * side :]
        _sum_strip(sums[: width * FILTERS], image, offsets, flat, first, width)
        _store(Y[b], sums, first, top, rows, side)


def simd(problem, strip=layout.STRIP):
    """One thread does every share; with the vectorisers off it is cpu:scalar."""
    stride, padding = problem.stride, problem.padding

    @njit(cache=True)
    def run(Y, X, W, padded, offsets, sums):
        n = X.shape[2]
        _tap_offsets(offsets, W, n, stride, padding)
        _pad(padded, X, stride, padding, 0, 1)
        _convolve(Y, W, padded, offsets, sums[0], n, stride, padding, strip, 0, 1)

    return run


def parallel(problem, strip):
    """First all threads pad, then all convolve; each has a row of ``sums`` of its own."""
    stride, padding = problem.stride, problem.padding

    @njit(cache=True, parallel=True)
    def shares(Y, X, W, padded, offsets, sums, workers):
        n = X.shape[2]
        _tap_offsets(offsets, W, n, stride, padding)
        if workers == 1:
            _pad(padded, X, stride, padding, 0, 1)
            _convolve(Y, W, padded, offsets, sums[0], n, stride, padding, strip, 0, 1)
        else:
            for worker in prange(workers):
                _pad(padded, X, stride, padding, worker, workers)
            for worker in prange(workers):
                _convolve(Y, W, padded, offsets, sums[worker], n, stride, padding, strip, worker, workers)

    def run(Y, X, W, padded, offsets, sums):
        # Asked for outside: a compiled function that asks for the number of threads cannot be cached.
        worth = Y.size * W[0].size // LEAST_PRODUCTS_A_WORKER
        shares(Y, X, W, padded, offsets, sums, max(1, min(get_num_threads(), len(sums), worth)))

    return run
