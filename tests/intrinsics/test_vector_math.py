"""exp, log, tanh, sigmoid and erf of vectors: ulps on dense grids, special values, every width of vectors."""

import json
import os
import subprocess
import sys

import pytest

WIDTHS = ("0", pytest.param("128", marks=pytest.mark.product), "256", "host")
DTYPES = ("float32", "float64")
# Largest errors in units in the last place of a normal result, of the smallest normal number below.
ULPS = {"exp": 2, "log": 2, "erf": 2, "sigmoid": 3, "tanh": 3, "log1p_unit": 2}
SPECIAL = {
    "exp": ["inf", "0.0", "nan", "1.0", "1.0"],
    "log": ["inf", "nan", "nan", "-inf", "-inf"],
    "erf": ["1.0", "-1.0", "nan", "0.0", "-0.0"],
    "sigmoid": ["1.0", "0.0", "nan", "0.5", "0.5"],
    "tanh": ["1.0", "-1.0", "nan", "0.0", "-0.0"],
}


@pytest.fixture(scope="module", params=WIDTHS)
def measured(request, tmp_path_factory):
    """What this file prints as a program of its own, for vectors of one width."""
    given = {} if request.param == "host" else {"GPUPLAY_VECTOR_BITS": request.param}
    given["NUMBA_CACHE_DIR"] = str(tmp_path_factory.mktemp("numba"))
    done = subprocess.run(
        [sys.executable, __file__], check=False, env=os.environ | given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ULPS)
def test_a_result_is_right_to_the_stated_ulps(measured, function, dtype):
    assert measured[dtype][function]["ulps"] <= ULPS[function] + (dtype == "float64" and not measured["long"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", SPECIAL)
def test_infinities_nan_and_zeros_give_the_limits(measured, function, dtype):
    assert measured[dtype][function]["special"] == SPECIAL[function]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ["exp", "log"])
def test_what_overflows_or_has_no_logarithm_is_infinite_or_nan(measured, function, dtype):
    assert measured[dtype][function]["beyond"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_denormal_arguments_and_results_are_rounded_once(measured, dtype):
    found = measured[dtype]
    assert found["exp"]["denormals"] > 100
    assert found["exp"]["steps"] <= 1
    assert found["log"]["denormals"] > 100
    assert {found[name]["small"] for name in ("erf", "tanh")} <= {0, 1}


def _grid(np, dtype):
    """Both signs: dense over the bends and the range of exp, and every exponent, denormals too."""
    info = np.finfo(dtype)
    exponents = np.random.default_rng(0).uniform(info.minexp - info.nmant, info.maxexp - 0.01, 20_000)
    parts = np.linspace(0, 2, 40_001), np.linspace(2, 110, 40_001), np.linspace(80, 750, 20_001), np.exp2(exponents)
    positive = np.concatenate(parts).astype(dtype)
    return np.concatenate([positive, -positive])


def _references(np):
    """The functions in a format longer than the one tested: longdouble, where it is longer, and math's erf."""
    import math

    def erf(x):
        return np.array([math.erf(v) for v in x], np.longdouble)

    def sigmoid(x):
        e = np.exp(-np.abs(x))
        return np.where(x < 0, e, 1) / (1 + e)

    return {"exp": np.exp, "log": np.log, "erf": erf, "sigmoid": sigmoid, "tanh": np.tanh, "log1p_unit": np.log1p}


def _measure(np, name, run, reference, dtype):
    info = np.finfo(dtype)
    x = _grid(np, dtype)
    if name == "log1p_unit":
        x = x[(x >= 0) & (x <= 1)]
    y = run(x)
    with np.errstate(all="ignore"):
        expected = reference(x.astype(np.longdouble))
        rounded = expected.astype(dtype)
        fair = np.isfinite(rounded)
        error = np.abs(y[fair].astype(np.longdouble) - expected[fair])
    ulps = error / np.spacing(np.maximum(np.abs(rounded[fair]), info.tiny)).astype(np.longdouble)
    denormal = fair & (np.abs(rounded if name == "exp" else x) < info.tiny) & (rounded != 0)
    tiny = np.abs(x) < info.tiny
    steps = np.abs(y - rounded)[denormal if name == "exp" else fair & tiny] / info.smallest_subnormal
    special = run(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], dtype))
    return {
        "ulps": ulps.max(),
        "special": [str(float(value)) for value in special],
        "beyond": np.array_equal(y[~fair], rounded[~fair], equal_nan=True) and not fair.all(),
        "denormals": int(np.count_nonzero(denormal)),
        "steps": steps.max() if steps.size else 0,
        "small": round(float(steps.max())) if name in ("erf", "tanh") else 0,
    }


def main():
    import numpy as np
    from numba import njit

    from gpuplay.intrinsics import simd, vector_math

    def compiled(function):
        @njit
        def loop(y, x):
            for i in range(0, x.size, simd.lanes(x)):
                simd.store_first(y, i, function(simd.load_first(x, i, x.size - i)), x.size - i)

        def run(x):
            y = np.empty_like(x)
            loop(y, x)
            return y

        return run

    references = _references(np)
    runs = {name: compiled(getattr(vector_math, name)) for name in ULPS}
    found = {d: {n: _measure(np, n, run, references[n], np.dtype(d)) for n, run in runs.items()} for d in DTYPES}
    found["long"] = bool(np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant)
    json.dump(found, sys.stdout, default=float)


if __name__ == "__main__":
    main()
