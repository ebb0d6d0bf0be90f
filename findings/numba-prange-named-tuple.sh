#!/usr/bin/env bash
# A named tuple goes into the body of a Numba `prange` only where its class stands under its own name beside the function.
#
# Expected: a tuple made before a parallel loop can be used inside of it, named or not, wherever its class comes from.
# Happens: a plain tuple always can. Of a named one Numba writes the constructor's name into the source of the function
#   that it makes of the loop's body, and looks it up among the globals of the function around it. A class of another
#   module (`shapes.Pair`), one under another name, or one that a helper returns without its being a global here ends
#   in "NameError: name 'Pair' is not defined", from a line that does not have that name.
# Matters: without parallel=True all of these compile, so that the error comes when a working function is made parallel.
#   Pass the items, or a plain tuple, and make the named one inside of the loop.
# Versions: numba 0.68.1, llvmlite 0.50.0, numpy 2.4.6. Needs Python 3.11 or newer on x86-64 Linux, no GPU.
#
# Seen:
#   serial, another module's class: 3.0
#   parallel, plain tuple: 3.0
#   parallel, a global of this module: 3.0
#   parallel, another module's class: TypingError, NameError: name 'Pair' is not defined
#   parallel, made inside of the loop: 3.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6

cat > shapes.py <<'PY'
from typing import Any, NamedTuple


class Pair(NamedTuple):
    first: Any
    second: Any
PY

cat > here.py <<'PY'
import numpy as np
from numba import njit, prange

from shapes import Pair


@njit(parallel=True)
def added(out, a, b):
    pair = Pair(a, b)
    for i in prange(out.size):
        out[i] = pair.first[i] + pair.second[i]
PY

cat > seen.py <<'PY'
import numpy as np
from numba import njit, prange

import here
import shapes


def there(out, a, b):
    pair = shapes.Pair(a, b)
    for i in prange(out.size):
        out[i] = pair.first[i] + pair.second[i]


@njit(parallel=True)
def plain(out, a, b):
    pair = (a, b)
    for i in prange(out.size):
        out[i] = pair[0][i] + pair[1][i]


@njit(parallel=True)
def inside(out, a, b):
    for i in prange(out.size):
        pair = shapes.Pair(a, b)
        out[i] = pair.first[i] + pair.second[i]


def said(function):
    out = np.zeros(4)
    try:
        function(out, np.ones(4), np.full(4, 2.0))
    except Exception as error:
        cause = next(line.strip() for line in str(error).splitlines() if "is not defined" in line)
        return f"{type(error).__name__}, {cause}"
    return f"{out[0]}"


print("serial, another module's class:", said(njit(there)))
print("parallel, plain tuple:", said(plain))
print("parallel, a global of this module:", said(here.added))
print("parallel, another module's class:", said(njit(parallel=True)(there)))
print("parallel, made inside of the loop:", said(inside))
PY

venv/bin/python seen.py | tee seen.txt
diff seen.txt - <<'TXT'
serial, another module's class: 3.0
parallel, plain tuple: 3.0
parallel, a global of this module: 3.0
parallel, another module's class: TypingError, NameError: name 'Pair' is not defined
parallel, made inside of the loop: 3.0
TXT
echo "As stated."
