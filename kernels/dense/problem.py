"""dense: inputs, the float64 reference, error bounds, and the baseline."""

import numpy as np

from gpuplay.bounds import SAFETY, dot_bound, small_integers, unit_roundoff

from .._shared import numpy_activations

# The largest slope of each function, rounded up: gelu's is at √2, silu's at 2.4.
LIPSCHITZ = {"sigmoid": 0.25, "gelu": 1.13, "silu": 1.1} | dict.fromkeys(
    ("relu", "leaky_relu", "tanh", "softplus", "identity"), 1
)
WHOLE = ("relu", "identity")


def inputs(p, rng):
    """X and b standard normal, W normal with variance 1/n, so that sums stay of size 1."""
    W = rng.standard_normal((p.n, p.n), dtype=p.dtype)
    W *= W.dtype.type(p.n**-0.5)
    return {
        "X": rng.standard_normal((p.batch, p.n), dtype=p.dtype),
        "W": W,
        "b": rng.standard_normal(p.n, dtype=p.dtype),
    }


def integers(p, rng):
    """Whole numbers so small that every sum is exact; for relu and identity, which keep them whole."""
    if p.function not in WHOLE:
        return None
    terms = p.n + 1
    return {
        "X": small_integers(rng, (p.batch, p.n), p.dtype, terms),
        "W": small_integers(rng, (p.n, p.n), p.dtype, terms),
        "b": small_integers(rng, (p.n,), p.dtype, terms),
    }


def reference(p, X, W, b):
    """The layer in float64; its product costs no more than the timed work, whatever the size."""
    return numpy_activations.reference(p.function, X @ W.T + b)


def tolerance(p, expected, X, W, b):
    """Error of the sums times the slope of σ, and a few ulps of σ itself.

    A sum z of a row's products and the bias is a dot product of (x, 1) and (w, b): `dot_bound`.
    σ changes an error by no more than its Lipschitz constant. The function adds some ulps of its
    result; of gelu, silu and softplus, whose results may cancel, ulps of their argument, which is
    close to the result where that is large, and of 1 where it is not: 8·u·(1 + |y|).
    """
    rows = np.sqrt(np.sum(np.square(X), axis=1) + 1)[:, None]
    columns = np.sqrt(np.sum(np.square(W), axis=1) + np.square(b))[None, :]
    sums = dot_bound(p.dtype, rows, columns)
    function = 0.0 if p.function in WHOLE else SAFETY * unit_roundoff(p.dtype) * (1 + np.abs(expected[0]))
    return LIPSCHITZ[p.function] * sums + function


def blas(p):
    """Y = X·Wᵀ by np.matmul, which hands the transpose to BLAS as a flag; then bias and σ in place."""
    name = p.function

    def run(Y, X, W, b, *work):
        np.matmul(X, W.T, out=Y)
        np.add(Y, b, out=Y)
        flat = Y.reshape(-1)
        block = len(work[0])
        for start in range(0, len(flat), block):
            y = flat[start : start + block]
            numpy_activations.apply(name, y, out=y, work=[w[: len(y)] for w in work])

    return run
