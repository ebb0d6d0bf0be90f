"""Four simulated threads, interrupted while one of them makes their shared array; prints what the block gives."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numba import cuda
from numba.cuda.simulator import kernelapi
from simulated_gpu import SimulatorTarget


class Slow:
    """NumPy, in which new arrays take a while."""

    def __getattr__(self, name):
        return getattr(np, name)

    def empty(self, *args, **more):
        time.sleep(0.05)
        return np.empty(*args, **more)


@cuda.jit
def reverse(out):
    shared = cuda.shared.array(4, np.float32)
    lane = cuda.threadIdx.x
    shared[lane] = lane
    cuda.syncthreads()
    out[lane] = shared[3 - lane]


if "unguarded" not in sys.argv:
    SimulatorTarget()
kernelapi.np = Slow()
found = np.zeros(4, np.float32)
reverse[1, 4](found)
print(found.astype(int).tolist())
