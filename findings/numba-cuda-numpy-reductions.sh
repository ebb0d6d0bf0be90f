#!/usr/bin/env bash
# Inside a CUDA kernel of numba-cuda `np.sum(x)`, `np.var(x)` and `np.argmax(x)` of an array compile; `np.max(x)` does not.
#
# Expected: NumPy functions of arrays are not available in a CUDA kernel, and are refused when it is compiled.
# Happens: those reductions that Numba implements as a function to be compiled serve the CUDA target, too: sum, prod,
#   mean, var, argmax, any, all, nansum. Each thread goes over the whole array by itself, in one serial loop. Those that
#   are implemented otherwise are refused ("No implementation of function"): max, min, median, cumsum, dot.
# Matters: `x[i] / np.sum(x)` in a kernel is no error but n² work, each thread repeating the sum of all others; and
#   taking the largest element is refused while finding its index is not. A tool that calls them a mistake is wrong.
# Versions: numba-cuda 0.30.4, numba 0.68.1, numpy 2.4.6, libNVVM 13.5.37. Needs Python 3.11 or newer, x86-64 Linux, no
#   GPU: a device with a compute capability stands in while device functions are compiled.
#
# Seen:
#   compile, and are a loop: all any argmax mean nansum prod sum var
#   refused: cumsum dot max median min
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  'numba-cuda[cu13]==0.30.4' numba==0.68.1 numpy==2.4.6 nvidia-nvvm==13.5.37

cat > seen.py <<'PY'
import re
import warnings
from types import SimpleNamespace

import numba.cuda.dispatcher
import numpy as np
from numba import cuda, types

warnings.filterwarnings("ignore")
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))
VECTOR = types.float32[::1]
NAMES = "all any argmax cumsum dot max mean median min nansum prod sum var".split()


def kernel_with(function):
    def kernel(y, x):
        i = cuda.grid(1)
        if i < y.size:
            y[i] = function(x)

    return kernel


def outcome(name):
    """Whether a reduction compiles, and then whether its PTX jumps back: a loop."""
    try:
        ptx, _ = cuda.compile_ptx(kernel_with(getattr(np, name)), (VECTOR, VECTOR), cc=(8, 0))
    except Exception as error:
        return "refused" if "No implementation of function" in str(error) else f"{type(error).__name__}"
    lines = ptx.splitlines()
    labels = {line.rstrip(":"): number for number, line in enumerate(lines) if re.fullmatch(r"\$\w+:", line)}
    jumps = ((number, re.search(r"\bbra(?:\.uni)?\s+(\$\w+);", line)) for number, line in enumerate(lines))
    loops = any(found and labels[found[1]] < number for number, found in jumps)
    return "compile, and are a loop" if loops else "compile, without a loop"


found = {}
for name in NAMES:
    found.setdefault(outcome(name), []).append(name)
for said, names in sorted(found.items()):
    print(f"{said}: {' '.join(names)}")
PY

venv/bin/python seen.py | tee seen.txt
diff seen.txt - <<'TXT'
compile, and are a loop: all any argmax mean nansum prod sum var
refused: cumsum dot max median min
TXT
echo "As stated."
