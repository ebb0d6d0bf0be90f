"""Elementwise activation functions in NumPy, for any float dtype, and their float64 reference.

``apply`` is for timed code: ufuncs with ``out=`` throughout, and no allocation where ``work`` is given.
``reference`` is for checking: it allocates as it likes, and uses other forms than the kernels do.
Limits at infinity, NaN, the sign of zero: as in `activations`.
"""

import numpy as np

NAMES = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")
WORK_ARRAYS = {"relu": 0, "leaky_relu": 1, "sigmoid": 1, "tanh": 0, "gelu": 3, "silu": 2, "softplus": 1, "identity": 0}
ERF = "erf by a rational polynomial"

# e^(a²/2)·Φ(-a), Φ the normal distribution function, as a polynomial in t = (a - k)/(a + k), highest power
# first; weighted least squares with Lawson's weights in 50 digits. Float32 or less: k = 3, a <= 14.5,
# relative error 1.1e-8. Float64: k = 5, a <= 38.7, relative error 5.1e-16.
_TAIL_32 = (
    *(5.376664e-05, 0.00011556092, -0.00033974386, -0.0009838697, 0.0029047288),
    *(0.006132142, -0.046213336, 0.12322502, -0.20640261, 0.12151395),
)
_TAIL_64 = (
    *(-1.7267736681849218e-10, 1.1494199644154578e-09, 4.334628797007252e-09, -1.0168145915089257e-08),
    *(-3.71635889527162e-08, 7.655356628034235e-08, 2.41666290054196e-07, -6.748518442954143e-07),
    *(-1.269201646609727e-06, 6.64435840101675e-06, 9.61015944302811e-07, -6.042746911397771e-05),
    *(0.00013427690419883726, 0.00021955073508125346, -0.0023788443643842144, 0.008991370550931015),
    *(-0.023413900487157992, 0.04785535228414521, -0.08088387726414425, 0.11606881188600399),
    *(-0.14345755526401183, 0.07691930497500629),
)


def apply(name, x, out=None, work=None):
    """Compute the activation ``name`` of ``x`` with NumPy's ufuncs.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    x : ndarray
        Values, any shape and float dtype.
    out : ndarray, optional
        Where the result goes; may be ``x`` itself.
    work : sequence of ndarray, optional
        At least ``WORK_ARRAYS[name]`` arrays like ``x``, overwritten.

    Returns
    -------
    ndarray
        ``out``, or a new array.
    """
    out = np.empty_like(x) if out is None else out
    if work is None:
        work = [np.empty_like(x) for _ in range(WORK_ARRAYS[name])]
    _FUNCTIONS[name](x, out, *work[: WORK_ARRAYS[name]])
    return out


def _relu(x, out):
    np.maximum(x, 0, out=out)


def _leaky_relu(x, out, slope):
    np.multiply(x, 0.01, out=slope)
    np.maximum(x, slope, out=out)


def _sigmoid(x, out, e):
    """(1 if x >= 0 else e)/(1 + e) with e = exp(-|x|), which cannot overflow."""
    _exp_minus_abs(x, e)
    np.greater_equal(x, 0, out=out)
    np.maximum(out, e, out=out)
    np.add(e, 1, out=e)
    np.divide(out, e, out=out)


def _tanh(x, out):
    np.tanh(x, out=out)


def _silu(x, out, e, factor):
    _sigmoid(x, factor, e)
    np.maximum(x, -800, out=out)
    np.multiply(out, factor, out=out)


def _softplus(x, out, e):
    _exp_minus_abs(x, e)
    np.log1p(e, out=e)
    np.maximum(x, 0, out=out)
    np.add(out, e, out=out)


def _identity(x, out):
    """A copy; none where the result stays in place."""
    if out is not x:
        np.copyto(out, x)


def _gelu(x, out, a, t, tail):
    """x·Φ(x): the tail Φ(-|x|), from it Φ(x) = |[x >= 0] - tail|, and the product."""
    double = x.dtype.itemsize == 8
    k, last, coefficients = (5, 38.7, _TAIL_64) if double else (3, 14.5, _TAIL_32)
    np.abs(x, out=a)
    np.minimum(a, last, out=a)
    np.add(a, k, out=t)
    np.subtract(a, k, out=tail)
    np.divide(tail, t, out=t)
    tail.fill(coefficients[0])
    for coefficient in coefficients[1:]:
        np.multiply(tail, t, out=tail)
        np.add(tail, coefficient, out=tail)
    np.square(a, out=a)
    np.multiply(a, -0.5, out=a)
    np.exp(a, out=a)
    np.multiply(tail, a, out=tail)
    np.greater_equal(x, 0, out=a)
    np.subtract(a, tail, out=a)
    np.abs(a, out=a)
    np.maximum(x, -40, out=out)
    np.multiply(out, a, out=out)


def _exp_minus_abs(x, out):
    np.abs(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)


_FUNCTIONS = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "gelu": _gelu,
    "silu": _silu,
    "softplus": _softplus,
    "identity": _identity,
}


# ---- the float64 reference ----


def reference(name, x):
    """The activation ``name`` of ``x`` in float64, to a few units in the last place.

    gelu is x·erfc(-x/√2)/2 with `erfc` after Cody; relative accuracy in its far left tail, where
    erfc multiplies the rounding of its argument by x², is 1e-13.
    """
    return _REFERENCES[name](np.asarray(x, np.float64))


def _exact_sigmoid(x):
    e = np.exp(np.minimum(x, 0))
    return e / (e + np.exp(np.minimum(-x, 0)))


def _exact_gelu(x):
    limited = np.maximum(x, -40)
    return limited * (0.5 * erfc(limited * -(0.5**0.5)))


_REFERENCES = {
    "relu": lambda x: np.where(x <= 0, 0.0, x),
    "leaky_relu": lambda x: np.where(x < 0, 0.01 * x, x),
    "sigmoid": _exact_sigmoid,
    "tanh": np.tanh,
    "gelu": _exact_gelu,
    "silu": lambda x: np.maximum(x, -800) * _exact_sigmoid(x),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "identity": lambda x: x,
}


_A = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_C = (
    *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1),
    *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
    1.23033935479799725e3,
)
_D = (
    *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
    *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)
_P = (
    *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1),
    *(1.60837851487422766e-2, 6.58749161529837803e-4),
)
_Q = (
    *(1.0, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2),
    2.33520497626869185e-3,
)


def erfc(x):
    """The complementary error function in float64.

    W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969)
    631-637, with the coefficients of CALERF in SPECFUN (netlib.org/specfun/erf).
    """
    y = np.abs(x)
    small, middle = np.minimum(y, 0.46875), np.clip(y, 0.46875, 4.0)
    large = np.clip(y, 4.0, 30.0)
    square = small * small
    erf = small * np.polyval(_A, square) / np.polyval(_B, square)
    inverse = 1 / (large * large)
    series = inverse * np.polyval(_P, inverse) / np.polyval(_Q, inverse)
    tail = np.where(y <= 4, np.polyval(_C, middle) / np.polyval(_D, middle), (np.pi**-0.5 - series) / large)
    # exp(-y²) in two factors: the square of y cut to 1/16 is exact.
    finite = np.minimum(y, 30.0)
    cut = np.trunc(finite * 16) / 16
    tail = tail * (np.exp(-cut * cut) * np.exp(-(finite - cut) * (finite + cut)))
    positive = np.where(y <= 0.46875, 1 - erf, tail)
    return np.where(x < 0, np.where(y <= 0.46875, 1 + erf, 2 - tail), positive)
