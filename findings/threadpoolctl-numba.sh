#!/usr/bin/env bash
# threadpoolctl reports that OpenMP is limited to one thread, and Numba runs on four.
#
# Expected: under `threadpool_limits(1)` a `parallel=True` function on the OpenMP layer runs on one thread, for
#   threadpoolctl lists that very libgomp and then says `num_threads: 1` of it.
# Happens: Numba states its own number of threads at each call, which wins over OpenMP's default; threadpoolctl changes
#   and reports the default alone. In the other direction, `numba.set_num_threads(1)` limits Numba, and threadpoolctl
#   goes on reporting four.
# Matters: a "single-threaded" comparison with BLAS under `threadpool_limits(1)` is one BLAS thread against all of
#   Numba's. Set both, and count the threads that ran.
# Versions: numba 0.68.1, threadpoolctl 3.8.0, numpy 2.4.6. Needs Python 3.11 or newer and x86-64 Linux with libgomp
#   (GCC's OpenMP, which Numba's wheel does not bring); without it, it says so and stops.
#
# Seen:
#   threading layer: omp
#   no limit: ran on 4, reported 4
#   threadpool_limits(1): ran on 4, reported 1
#   numba.set_num_threads(1): ran on 1, reported 4
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}" "${!OMP_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numba==0.68.1 threadpoolctl==3.8.0 numpy==2.4.6

NUMBA_NUM_THREADS=4 NUMBA_THREADING_LAYER=omp venv/bin/python - <<'PY'
import ctypes
import sys

try:
    ctypes.CDLL("libgomp.so.1")
except OSError:
    print("Skipped: there is no libgomp.so.1, which Numba's OpenMP layer needs.")
    sys.exit(0)

import numba
import numpy as np
import threadpoolctl


@numba.njit(parallel=True)
def fill_with_thread(out):
    for i in numba.prange(out.size):
        out[i] = numba.get_thread_id()


def threads():
    """How many threads a parallel loop ran on."""
    out = np.empty(100_000, np.int64)
    fill_with_thread(out)
    return np.unique(out).size


def reported():
    """What threadpoolctl says of OpenMP."""
    (pool,) = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "openmp"]
    return pool["num_threads"]


print("numba", numba.__version__, "threadpoolctl", threadpoolctl.__version__)
free = threads(), reported()
with threadpoolctl.threadpool_limits(1):
    limited = threads(), reported()
numba.set_num_threads(1)
masked = threads(), reported()
print("threading layer:", numba.threading_layer())
print("no limit: ran on {}, reported {}".format(*free))
print("threadpool_limits(1): ran on {}, reported {}".format(*limited))
print("numba.set_num_threads(1): ran on {}, reported {}".format(*masked))
if (limited, masked) != ((4, 1), (1, 4)):
    sys.exit("No longer so: threadpoolctl and Numba agree on the threads.")
PY
