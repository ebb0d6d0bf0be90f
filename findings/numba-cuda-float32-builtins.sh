#!/usr/bin/env bash
# On CUDA, `round(x)` and `max(x, 0)` of a float32 are float64 work.
#
# Expected: with x a float32 and the result stored as one, `round(x)` is one conversion and `max(x, 0)` one `max.f32`.
# Happens: numba-cuda widens x to float64. `round(x)` goes on through int64, `max(x, 0)` compares float64 values, and
#   `fastmath` changes nothing; `max(x, float32(0))` and `libdevice.rintf(x)` are one float32 instruction each.
# Matters: on GPUs that do float64 at 1/64 of the float32 rate (GeForce), a ReLU or a quantisation written in plain
#   Python measures the wrong unit. Nothing in the result's type shows it.
# Versions: numba-cuda 0.30.4, numba 0.68.1, libNVVM 13.5.37. Needs Python 3.11 or newer, x86-64 Linux, no GPU.
#
# Seen (PTX for sm_90, instructions that convert, compare or choose):
#   rounded: cvt.f64.f32 cvt.rni.s64.f64 cvt.rn.f32.s64
#   rounded fastmath: cvt.ftz.f64.f32 cvt.rni.s64.f64 cvt.rn.f32.s64
#   rounded_by_libdevice: cvt.rni.f32.f32
#   rounded_by_libdevice fastmath: cvt.rni.f32.f32
#   at_least_int_zero: cvt.f64.f32 setp.lt.f64 selp.f64 cvt.rn.f32.f64
#   at_least_int_zero fastmath: cvt.ftz.f64.f32 setp.lt.f64 selp.f64 cvt.rn.ftz.f32.f64
#   at_least_float32_zero: max.f32
#   at_least_float32_zero fastmath: max.ftz.f32
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  'numba-cuda[cu13]==0.30.4' numba==0.68.1 numpy==2.4.6 nvidia-nvvm==13.5.37

venv/bin/python - <<'PY'
import re
import sys
from importlib.metadata import version

import numpy as np
from numba import cuda, float32

ZERO = np.float32(0)


def rounded(x, out):
    out[0] = round(x[0])


def rounded_by_libdevice(x, out):
    out[0] = cuda.libdevice.rintf(x[0])


def at_least_int_zero(x, out):
    out[0] = max(x[0], 0)


def at_least_float32_zero(x, out):
    out[0] = max(x[0], ZERO)


def arithmetic(kernel, fastmath):
    """Instructions of a kernel's PTX that convert, compare or choose numbers, in order."""
    ptx, _ = cuda.compile_ptx(kernel, (float32[::1], float32[::1]), cc=(9, 0), fastmath=fastmath)
    return re.findall(r"^\s+((?:cvt|max|setp|selp)\.\S+)\s", ptx, re.MULTILINE)


print("numba-cuda", version("numba-cuda"))
for kernel in (rounded, rounded_by_libdevice, at_least_int_zero, at_least_float32_zero):
    for fastmath in (False, True):
        found = arithmetic(kernel, fastmath)
        print(f"{kernel.__name__}{' fastmath' * fastmath}: {' '.join(found)}")
        wide = any("f64" in name for name in found)
        if wide != (kernel in (rounded, at_least_int_zero)) or not (wide or len(found) == 1):
            sys.exit(f"No longer so: {kernel.__name__} is compiled otherwise.")
PY
