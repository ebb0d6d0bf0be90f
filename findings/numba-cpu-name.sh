#!/usr/bin/env bash
# `NUMBA_CPU_NAME` alone does not make code for that CPU.
#
# Expected: `NUMBA_CPU_NAME=nehalem`, a CPU from before AVX, yields code that such a CPU can run.
# Happens: the name is taken and the features stay those of the host, so the code is full of AVX and fused
#   multiply-adds. Only with `NUMBA_CPU_FEATURES` beside it, an empty one will do, is it SSE. The one name that drops
#   the host's features by itself is `generic`.
# Matters: whoever compares instruction sets on one machine by the name alone measures AVX under the label SSE, and
#   code made "for an older node" is not for it.
# Versions: numba 0.68.1, llvmlite 0.50.0, numpy 2.4.6. Needs Python 3.11 or newer and x86-64 Linux on a CPU with AVX2
#   and FMA; elsewhere it says so and stops.
#
# Seen:
#   NUMBA_CPU_NAME=nehalem: AVX
#   NUMBA_CPU_NAME=nehalem NUMBA_CPU_FEATURES=: SSE
#   NUMBA_CPU_NAME=generic: SSE
set -euo pipefail

if ! grep -qw avx2 /proc/cpuinfo || ! grep -qw fma /proc/cpuinfo; then
  echo "Skipped: this CPU has no AVX2 or no FMA, so that there is nothing of the host's to keep."
  exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6

cat >instructions.py <<'PY'
import re
from numba import float32, njit


@njit((float32[::1], float32[::1]), fastmath=True)
def multiply_add(x, y):
    for i in range(x.size):
        y[i] = x[i] * y[i] + x[i]


(assembly,) = multiply_add.inspect_asm().values()
found = re.findall(r"^\s+(vfmadd|mulps|addps)", assembly, re.MULTILINE)
print("AVX" if "vfmadd" in found else "SSE" if "mulps" in found else "neither")
PY

# Say which instructions come of the settings in the arguments, and fail unless they are the ones named first.
expect() {
  local wanted=$1 found
  shift
  found=$(env "$@" venv/bin/python instructions.py)
  echo "$*: $found"
  if [[ $found != "$wanted" ]]; then
    echo "No longer so: expected $wanted." >&2
    exit 1
  fi
}

venv/bin/python -c 'import numba, llvmlite; print("numba", numba.__version__, "llvmlite", llvmlite.__version__)'
expect AVX NUMBA_CPU_NAME=nehalem
expect SSE NUMBA_CPU_NAME=nehalem NUMBA_CPU_FEATURES=
expect SSE NUMBA_CPU_NAME=generic
