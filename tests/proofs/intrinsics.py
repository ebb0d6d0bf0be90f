"""Compile one small GPU function for each intrinsic without a GPU, and print the PTX by name as JSON.

python tests/proofs/intrinsics.py
"""

import json
import sys
from pathlib import Path

import numpy as np
from numba import cuda, float32

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gpuplay.intrinsics import ptx
from gpuplay.targets.stand_ins import offline

NOTHING = (np.float32(0),) * 16
STEPS = (0, 1, 2, 3)


@cuda.jit
def load4_and_store4(y, x):
    ptx.store4(y, 4 * cuda.grid(1), ptx.load4(x, 4 * cuda.grid(1)))


@cuda.jit
def load4_and_store4_of_shared_memory(y, x):
    tile = cuda.shared.array(128, float32, alignment=16)
    t = cuda.threadIdx.x
    ptx.store4(tile, 4 * t, (x[t], x[t], x[t], x[t]))
    cuda.syncthreads()
    a, b, c, d = ptx.load4(tile, 4 * (31 - t))
    y[t] = a + b + c + d


@cuda.jit
def streaming(y, x):
    ptx.store4_streaming(y, 4 * cuda.grid(1), ptx.load4_streaming(x, 4 * cuda.grid(1)))


@cuda.jit
def readonly(y, x):
    i = cuda.grid(1)
    a, b, c, d = ptx.load4_readonly(x, 4 * i)
    y[i] = a + b + c + d + ptx.load_readonly(x, i + 1)


@cuda.jit
def approximate(y, x):
    i = cuda.grid(1)
    y[i] = ptx.fast_tanh(x[i]) + ptx.fast_exp2(x[i])


@cuda.jit
def copies(y, x):
    tile = cuda.shared.array(128, float32, alignment=16)
    t = cuda.threadIdx.x
    ptx.copy4_async(tile, 4 * t, x, 4 * t, 3)
    ptx.commit_copies()
    ptx.copy1_async(tile, 127 - t, x, t, t < 5)
    ptx.commit_copies()
    ptx.wait_for_copies(1)
    ptx.wait_for_copies(0)
    cuda.syncthreads()
    y[t] = tile[127 - t]


@cuda.jit(launch_bounds=(256, 2))
def add_outer(y, x):
    i = cuda.grid(1)
    tile = NOTHING
    for k in cuda.literal_unroll(STEPS):
        tile = ptx.add_outer(tile, ptx.load4(x, 4 * k), ptx.load4(y, 4 * k))
    for k in cuda.literal_unroll(STEPS):
        ptx.store4(y, 16 * i + 4 * k, tile[:4])
        tile = tile[4:] + tile[:4]


FUNCTIONS = (
    *(load4_and_store4, load4_and_store4_of_shared_memory, streaming, readonly, approximate, copies, add_outer),
)

if __name__ == "__main__":
    arrays = [offline.hollow((4096,), "float32")] * 2
    found = {}
    for function in FUNCTIONS:
        run = [lambda gpu, y, x, function=function: gpu.launch(function, 1, 32, y, x)][0]
        (compiled,) = offline.inspect(run, arrays, (8, 0), disassemble=False)
        found[function.__name__] = {"ptx": compiled.ptx, "stack": compiled.code.stack_bytes}
    print(json.dumps(found))
