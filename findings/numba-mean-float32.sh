#!/usr/bin/env bash
# In a compiled function, `np.mean` of float32 is a float32 running sum; `np.nanmean` is not.
#
# Expected: `np.mean` compiled by Numba agrees with NumPy to a few ulps, and `np.nanmean` without NaN agrees with it.
# Happens: NumPy sums pairwise, Numba's `np.mean` adds one float32 after another: past 2^24 an addend of 1 vanishes. The
#   mean of 2^25 ones is 0.5, and `np.var`, which returns float64, makes 0.25 of it. `np.nanmean` adds in float64: 1.
# Matters: a "reference" for a norm, softmax or loss that is the compiled `np.mean` is itself wrong, most at those sizes
#   at which bandwidth is measured; and the type of a result changes with the name of the function.
# Versions: numba 0.68.1, numpy 2.4.6. Needs Python 3.11 or newer, x86-64 Linux, 128 MiB for the array.
#
# Seen:
#   np.mean of 2^25 float32 ones: compiled 0.5 (float32), NumPy 1.0
#   np.nanmean of 2^25 float32 ones: compiled 1.0 (float64), NumPy 1.0
#   np.var of 2^25 float32 ones: compiled 0.25 (float64), NumPy 0.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numba==0.68.1 numpy==2.4.6

venv/bin/python - <<'PY'
import sys

import numba
import numpy as np


@numba.njit
def mean(x):
    return np.mean(x)


@numba.njit
def nanmean(x):
    return np.nanmean(x)


@numba.njit
def var(x):
    return np.var(x)


ones = np.ones(2**25, np.float32)
print("numba", numba.__version__, "numpy", np.__version__)
found = {}
for compiled in (mean, nanmean, var):
    name = compiled.__name__
    found[name] = compiled(ones)
    kind = compiled.nopython_signatures[0].return_type
    print(f"np.{name} of 2^25 float32 ones: compiled {found[name]} ({kind}), NumPy {getattr(np, name)(ones)}")

if found != {"mean": 0.5, "nanmean": 1.0, "var": 0.25}:
    sys.exit("No longer so: the compiled mean, nanmean or variance of many ones has changed.")
PY
