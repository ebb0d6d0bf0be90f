#!/usr/bin/env bash
# numba-cuda compiles for another GPU than the one asked for, in silence.
#
# Expected: `compile_ptx(kernel, signature, cc=(8, 1))` refuses a compute capability that no GPU has, as it refuses 7.0,
#   or at least warns.
# Happens: it takes the nearest lower capability that it knows. What is too new gets the newest; what is too old raises.
# Matters: a table of registers by architecture can hold the same code under two names, and a mistyped or future
#   architecture looks supported. Read `.target` back from the PTX.
# Versions: numba-cuda 0.30.4, numba 0.68.1, libNVVM 13.5.37. Needs Python 3.11 or newer, x86-64 Linux, no GPU.
#
# Seen:
#   asked for 8.0: target sm_80, warnings: 0
#   asked for 8.1: target sm_80, warnings: 0
#   asked for 9.5: target sm_90, warnings: 0
#   asked for 20.0: target sm_121, warnings: 0
#   asked for 7.0: CCSupportError: GPU compute capability 7.0 is not supported(requires >=7.5)
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
import warnings
from importlib.metadata import version

from numba import cuda, float32


def one(x):
    x[0] = 1


def answer(capability):
    """What comes of asking for a compute capability: the target in the PTX with a count of warnings, or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ptx, _ = cuda.compile_ptx(one, (float32[::1],), cc=capability)
        except RuntimeError as error:
            return f"{type(error).__name__}: {error}"
    target = re.search(r"^\.target (\w+)", ptx, re.MULTILINE)[1]
    return f"target {target}, warnings: {len(caught)}"


print("numba-cuda", version("numba-cuda"))
asked = {capability: answer(capability) for capability in [(8, 0), (8, 1), (9, 5), (20, 0), (7, 0)]}
for (major, minor), text in asked.items():
    print(f"asked for {major}.{minor}: {text}")

if asked[8, 1] != asked[8, 0] or asked[9, 5] != "target sm_90, warnings: 0":
    sys.exit("No longer so: an unknown capability is not compiled as the nearest lower one without a word.")
if not asked[20, 0].startswith("target ") or not asked[20, 0].endswith("warnings: 0"):
    sys.exit("No longer so: a capability from the future is not compiled without a word.")
if not asked[7, 0].startswith("CCSupportError"):
    sys.exit("No longer so: a capability that is too old is not refused.")
PY
