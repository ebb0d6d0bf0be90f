"""Compile 128-bit accesses without a GPU, and print the PTX.

python tests/proofs/vectors.py
"""

import numpy as np
from numba import cuda, float32

from gpuplay.intrinsics.vectors import load4, store4
from gpuplay.targets import offline


@cuda.jit
def turned(y, x):
    tile = cuda.shared.array(128, float32)
    i = cuda.threadIdx.x
    a, b, c, d = load4(x, 4 * i)
    store4(tile, 4 * i, a, b, c, d)
    cuda.syncthreads()
    a, b, c, d = load4(tile, 4 * (31 - i))
    store4(y, 4 * i, d, c, b, a)


if __name__ == "__main__":
    arrays = [offline.hollow((128,), np.float32), offline.hollow((128,), np.float32)]
    for found in offline.inspect(lambda gpu, y, x: gpu.launch(turned, 1, 32, y, x), arrays, (9, 0)):
        print(found.ptx)
