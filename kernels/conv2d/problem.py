"""conv2d: inputs, the float64 reference, what counts as right, and the baseline."""

import numpy as np

from gpuplay.bounds import Comparison, dot_bound, small_integers

from . import layout, taps

EVERYTHING = slice(None)


def inputs(p, rng):
    """Images of standard normal numbers, filters scaled so that outputs are standard normal too."""
    x, w = _shapes(p)
    scale = np.dtype(p.dtype).type(taps(p) ** -0.5)
    return {
        "X": rng.standard_normal(x, dtype=p.dtype),
        "W": rng.standard_normal(w, dtype=p.dtype) * scale,
    }


def integers(p, rng):
    """Whole numbers whose sums have no rounding."""
    x, w = _shapes(p)
    length = taps(p)
    return {"X": small_integers(rng, x, p.dtype, length), "W": small_integers(rng, w, p.dtype, length)}


def reference(p, X, W):
    """Sum over the positions in the kernel: a (filters, channels) matrix times one shifted image each."""
    return np.stack([_correlate(p, _padded(p, image), W) for image in X])


def tolerance(p, _expected, X, W):
    """Bound the error of an output by 8·u·‖patch‖·‖filter‖: it is their dot product (`gpuplay.bounds.dot_bound`).

    A patch's squared norm is the convolution of the squares, summed over channels, with ones.
    """
    norms = np.linalg.norm(W.reshape(len(W), -1), axis=1)
    patches = np.stack([_patch_norms(p, _padded(p, image)) for image in X])
    return dot_bound(p.dtype, patches[:, None], norms[:, None, None])


def check(p, outputs, inputs, rng):
    """Freivalds' check over the filters, image by image, then edges in full.

    With random weights r_k of either sign, Σ r_k·Y[b, k] must be the convolution of X[b] with the single
    filter Σ r_k·W[k]: 1/filters of the work. The errors of an output pixel's filters are independent,
    so their weighted sum is bounded by 8·u·‖patch‖·√(Σ r_k²·‖W_k‖²). Weights of many sizes,
    between ½ and 1, keep mistakes of opposite sign, such as two filters exchanged, from cancelling;
    as multiples of 1/1024 they leave exact what is exact for small integers.
    """
    Y, W = outputs["Y"], inputs["W"].astype(np.float64)
    weights = rng.choice([-1.0, 1.0], p.filters) * rng.integers(512, 1024, p.filters) / 1024
    mixed = np.tensordot(weights, W, axes=1)[None]
    norms = np.linalg.norm(W.reshape(len(W), -1), axis=1)
    for b, image in enumerate(inputs["X"]):
        padded = _padded(p, image.astype(np.float64))
        patches = _patch_norms(p, padded)
        expected = _correlate(p, padded, mixed)[0]
        bound = dot_bound(p.dtype, patches, np.linalg.norm(weights * norms))
        yield Comparison("Y", np.tensordot(weights, Y[b], axes=1), expected, bound, locate=_locate(locals()))
        yield from _edges(p, Y[b], padded, W, (b, patches, norms))


def _locate(scope):
    """From a pixel of image b, a comparison of this pixel in all filters."""
    p, b, Y, W = (scope[name] for name in ("p", "b", "Y", "W"))
    padded, patches, norms = (scope[name] for name in ("padded", "patches", "norms"))

    def locate(y, x):
        expected = _correlate(p, padded, W, slice(y, y + 1), slice(x, x + 1))[:, 0, 0]
        bound = dot_bound(p.dtype, patches[y, x], norms)
        return Comparison("Y", Y[b, :, y, x], expected, bound, index=lambda k: (b, k, y, x))

    return locate


def _edges(p, got, padded, W, known):
    """The last filter, the last row and the last column of one image."""
    b, patches, norms = known
    last = layout.out_side(p.n, p.kernel_size, p.stride, p.padding) - 1
    end = slice(last, None)
    for filters, rows, columns, index in (
        (slice(-1, None), EVERYTHING, EVERYTHING, lambda _k, y, x: (b, p.filters - 1, y, x)),
        (EVERYTHING, end, EVERYTHING, lambda k, _y, x: (b, k, last, x)),
        (EVERYTHING, EVERYTHING, end, lambda k, y, _x: (b, k, y, last)),
    ):
        expected = _correlate(p, padded, W[filters], rows, columns)
        bound = dot_bound(p.dtype, patches[rows, columns], norms[filters, None, None])
        yield Comparison("Y", got[filters, rows, columns], expected, bound, index=index)


def _shapes(p):
    return (p.batch, p.channels, p.n, p.n), (p.filters, p.channels, p.kernel_size, p.kernel_size)


def _padded(p, image):
    edge = (p.padding, p.padding)
    return np.pad(image, ((0, 0), edge, edge))


def _windows(p, padded):
    """The shifted images (…, side, side) that the positions (ki, kj) of the kernel meet."""
    side = layout.out_side(p.n, p.kernel_size, p.stride, p.padding)
    reach = (side - 1) * p.stride + 1
    for ki in range(p.kernel_size):
        for kj in range(p.kernel_size):
            window = padded[..., ki : ki + reach : p.stride, kj : kj + reach : p.stride]
            yield ki, kj, window


def _correlate(p, padded, W, rows=EVERYTHING, columns=EVERYTHING):
    """Chosen rows and columns of one image's output, (filters, rows, columns)."""
    return sum(
        np.tensordot(W[:, :, ki, kj], window[:, rows, columns], axes=1) for ki, kj, window in _windows(p, padded)
    )


def _patch_norms(p, padded):
    """Norms ‖patch‖ of all output pixels of one image, (side, side)."""
    squares = np.square(padded).sum(axis=0)
    return np.sqrt(sum(window for _, _, window in _windows(p, squares)))


def im2col(p):
    """Copy all patches of an image side by side, (channels·ks·ks, pixels), and multiply by the filters."""
    side = layout.out_side(p.n, p.kernel_size, p.stride, p.padding)
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
