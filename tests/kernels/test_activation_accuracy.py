"""How accurate the CPU's activation functions are: ulps on dense grids, and special values."""

import json
import math
import os
import subprocess
import sys

import pytest

FUNCTIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus")
DTYPES = ("float32", "float64")

# Largest errors in units in the last place of a normal result, against a float64 reference that
# is itself good to 1 unit (hence one more for float64). gelu for x >= -5: its float32 form rounds the
# exponent of its left tail, which the bound below on the scaled error allows for.
ULPS = {"relu": 0, "leaky_relu": 1, "sigmoid": 3, "tanh": 3, "gelu": 64, "silu": 4, "softplus": 3}

SPECIAL = {
    "relu": {"inf": "inf", "-inf": "0.0", "nan": "nan"},
    "leaky_relu": {"inf": "inf", "-inf": "-inf", "nan": "nan", "0.0": "0.0", "-0.0": "-0.0"},
    "sigmoid": {"inf": "1.0", "-inf": "0.0", "nan": "nan", "0.0": "0.5", "-0.0": "0.5"},
    "tanh": {"inf": "1.0", "-inf": "-1.0", "nan": "nan", "0.0": "0.0", "-0.0": "-0.0"},
    "gelu": {"inf": "inf", "-inf": "-0.0", "nan": "nan", "0.0": "0.0", "-0.0": "-0.0"},
    "silu": {"inf": "inf", "-inf": "-0.0", "nan": "nan", "0.0": "0.0", "-0.0": "-0.0"},
    "softplus": {"inf": "inf", "-inf": "0.0", "nan": "nan"},
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What this file prints as a program of its own, so that numba stays out of pytest's process."""
    cache = str(tmp_path_factory.mktemp("numba"))
    done = subprocess.run(
        [sys.executable, __file__],
        check=False,
        env=os.environ | {"NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_normal_results_are_right_to_a_few_ulps(measured, function, dtype):
    assert measured[dtype][function]["ulps"] <= ULPS[function] + (dtype == "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_result_is_right_to_four_roundings_of_its_argument_or_of_one(measured, function, dtype):
    assert measured[dtype][function]["scaled"] <= 4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_infinities_nan_and_signed_zeros_give_the_limits(measured, function, dtype):
    got = measured[dtype][function]["special"]
    assert {x: got[x] for x in SPECIAL[function]} == SPECIAL[function]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_is_kept(measured, dtype):
    assert {values["dtype"] for values in measured[dtype].values()} == {dtype}


def test_gelu_agrees_with_the_c_library(measured):
    assert measured["reference_gelu"] < 1e-13


def _grid(np, dtype):
    """Dense around zero, over the bend, over the range of exp, and on all exponents, of both signs."""
    rng = np.random.default_rng(0)
    exponents = np.exp2(rng.uniform(np.finfo(dtype).minexp, np.finfo(dtype).maxexp - 1, 100_000))
    positive = np.concatenate([np.linspace(0, 2, 200_001), np.linspace(2, 110, 200_001), exponents]).astype(dtype)
    return np.concatenate([positive, -positive, np.linspace(-750, 750, 100_001).astype(dtype)])


def _measure(np, name, run, reference, dtype):
    x = _grid(np, dtype)
    y = run(x)
    expected = reference(name, x)
    info = np.finfo(dtype)
    error = np.abs(y.astype(np.float64) - expected)
    scaled = error / (info.eps / 2 * np.maximum(np.abs(x.astype(np.float64)), 1))
    from_where = -5 if name == "gelu" else np.log(float(info.tiny)) + 10
    fair = (np.abs(expected) >= info.tiny) & (x >= from_where if name in ("gelu", "silu") else True)
    ulps = error[fair] / np.spacing(np.abs(expected[fair].astype(dtype))).astype(np.float64)
    special = np.array([math.inf, -math.inf, math.nan, 0.0, -0.0], dtype)
    answers = {str(float(a)): str(float(b)) for a, b in zip(special, run(special), strict=True)}
    return {"ulps": ulps.max(), "scaled": scaled.max(), "special": answers, "dtype": str(y.dtype)}


def main():
    import numpy as np
    from numba import njit

    from gpuplay.catalog.find import find_kernel
    from gpuplay.catalog.load import load_kernel
    from gpuplay.intrinsics import simd

    load_kernel(find_kernel("activation"))
    from gpuplay_kernels._shared.activations import CODE, apply
    from gpuplay_kernels._shared.numpy_activations import reference

    def compiled(code):
        @njit
        def loop(y, x):
            for i in range(0, x.size, simd.lanes(x)):
                simd.store_first(y, i, apply(code, simd.load_first(x, i, x.size - i)), x.size - i)

        def run(x):
            y = np.empty_like(x)
            loop(y, x)
            return y

        return run

    runs = {name: compiled(CODE[name]) for name in FUNCTIONS}
    found = {d: {n: _measure(np, n, run, reference, np.dtype(d)) for n, run in runs.items()} for d in DTYPES}
    x = np.linspace(-10, 10, 2001)
    library = np.array([0.5 * v * math.erfc(-v * math.sqrt(0.5)) for v in x])
    found["reference_gelu"] = np.max(np.abs(reference("gelu", x) - library) / np.maximum(np.abs(library), 1e-300))
    json.dump(found, sys.stdout, default=float)


if __name__ == "__main__":
    main()
