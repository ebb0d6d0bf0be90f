"""activation: inputs, the float64 reference, what counts as right, and the baseline."""

import numpy as np

from gpuplay.bounds import Comparison, unit_roundoff

from .._shared import numpy_activations as exact

BLOCK = 1 << 16
RELATIVE = ("relu", "leaky_relu", "sigmoid", "tanh")
ULPS = 8


def inputs(p, rng):
    """X uniform on [-8, 8), where every function bends."""
    return {"X": rng.random(p.n, dtype=p.dtype) * np.dtype(p.dtype).type(16) - 8}


def reference(p, X):
    """f(X) in float64, block by block: temporaries stay in the cache."""
    Y = np.empty_like(X, dtype=np.float64)
    for start in range(0, p.n, BLOCK):
        part = slice(start, start + BLOCK)
        Y[part] = exact.reference(p.function, X[part])
    return Y


def tolerance(p, expected, X):
    """Bound every element's error by 16·u·scale + 2 of the smallest denormals; a copy must be exact.

    A variant takes at most four elementary functions and rounded operations in a row, each within
    2 units in the last place (the limit that CUDA and C libraries state for exp, tanh, erfc and
    log1p). Together 8 units, 8·2·u·|f|. What falls below the normal numbers is rounded to a multiple
    of the smallest denormal, twice at most.

    The scale is |f(x)| for relu, leaky_relu, sigmoid, tanh. The common forms of gelu, silu and
    softplus cancel for negative x (1 + erf) or add to a number of size 1 (ln(1 + e^x)), so that
    their error is a fraction of max(|x|, 1) rather than of the result; at -10 the factor beside x
    has vanished in these forms, hence min(|x|, 10).
    """
    (expected,) = expected if isinstance(expected, tuple) else (expected,)
    scale = np.abs(np.nan_to_num(expected, nan=0.0, posinf=0.0, neginf=0.0))
    if p.function == "identity":
        return np.zeros_like(scale)
    if p.function not in RELATIVE:
        scale = np.maximum(scale, np.clip(np.nan_to_num(np.abs(X)), 1, 10))
    smallest = float(np.finfo(p.dtype).smallest_subnormal)
    return 2 * ULPS * unit_roundoff(p.dtype) * scale + 2 * smallest


def check(p, outputs, inputs, rng):
    """Every element in float64, block by block, so that the memory of a full reference is not needed.

    gelu's erfc after Cody would take 50 ns an element: it judges the first, the last and 14 random
    blocks; the blocks between are judged by the polynomial of `numpy_activations.apply` in float64.
    """
    X, Y = inputs["X"], outputs["Y"]
    starts = range(0, p.n, BLOCK)
    slow = {0, starts[-1], *(starts[i] for i in rng.integers(len(starts), size=14))}
    for start in starts:
        part = slice(start, start + BLOCK)
        x = X[part].astype(np.float64)
        function = exact.apply if p.function == "gelu" and start not in slow else exact.reference
        expected = function(p.function, x)
        yield Comparison("Y", Y[part], expected, tolerance(p, expected, x), index=lambda i, start=start: (start + i,))


def whole_range(p, rng):
    """Every kind of number that a float can be; None for relu, whose zero may have either sign."""
    return None if p.function == "relu" else {"X": _whole_range(p, rng)}


def whole_range_relu(p, rng):
    """The same for relu alone."""
    return {"X": _whole_range(p, rng)} if p.function == "relu" else None


def _whole_range(p, rng):
    """Zeros, denormals, infinities, NaN, extremes, thresholds of the methods, then random bit patterns."""
    dtype = np.dtype(p.dtype)
    info = np.finfo(dtype)
    tiny = (0.0, info.smallest_subnormal, 3 * info.smallest_subnormal, info.tiny, info.eps, 1 / 64)
    thresholds = (0.25, np.log(2) / 2, 0.46875, 1, 5, 6, 8, 9, 10, 14, 14.5, 16, 17, 20, 26, 38.7, 40)
    huge = (87, 88.8, 104, 120, 500, 708, 709.9, 746, 800, 1e4, 1e30, info.max, np.inf)
    edges = np.array([*tiny, *thresholds, *huge], dtype)
    near = np.concatenate([edges, np.nextafter(edges, dtype.type(0)), np.nextafter(edges[:-2], dtype.type(np.inf))])
    special = np.concatenate([near, -near, np.array([np.nan], dtype)])
    bits = np.dtype(f"u{dtype.itemsize}")
    values = rng.integers(0, np.iinfo(bits).max, p.n, dtype=bits, endpoint=True).view(dtype)
    values[np.isnan(values)] = np.nan  # quiet: converting a signalling NaN warns
    count = min(special.size, p.n)
    values[:count] = rng.permutation(special)[:count]
    return values


def ufunc(p):
    """Ufuncs with out= on blocks short enough that temporaries stay in the cache."""
    name = p.function

    def run(Y, X, *work):
        block = work[0].size
        for start in range(0, X.size, block):
            x = X[start : start + block]
            exact.apply(name, x, out=Y[start : start + block], work=[w[: x.size] for w in work])

    return run
