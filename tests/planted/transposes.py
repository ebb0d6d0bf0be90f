"""out = A.T / 2 + 1, n×n, on CUDA alone: right, slow in known ways, and wrong in known ways."""

import numpy as np
from numba import cuda, float32

from gpuplay.kernel import Kernel, Variant


def inputs(p, rng):
    return {"A": rng.standard_normal((p.n, p.n), dtype=p.dtype)}


def reference(p, A):
    return A.T * 0.5 + 1


@cuda.jit(device=True)
def scaled(value):
    return value * np.float32(0.5) + np.float32(1)


def column(p):
    @cuda.jit
    def down_a_column(out, A):
        i, j = cuda.grid(2)
        if i < A.shape[0] and j < A.shape[1]:
            out[j, i] = scaled(A[i, j])  # planted: column

    def run(gpu, out, A):
        gpu.launch(down_a_column, (-(-p.n // 32), -(-p.n // 8)), (32, 8), out, A)

    return run


def through_a_tile(p, width, *, barrier=True, offset=1):
    @cuda.jit
    def by_tiles(out, A):
        tile = cuda.shared.array((32, width), float32)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        i, j = cuda.blockIdx.y * 32, cuda.blockIdx.x * 32
        if i + y < A.shape[0] and j + x < A.shape[1]:
            tile[y, x] = A[i + y, j + x]  # planted: written
        if barrier:
            cuda.syncthreads()
        if j + y < A.shape[1] and i + x < A.shape[0]:
            out[j + y, i + x] = tile[x, y] * float32(0.5) + float32(offset)  # planted: read

    def run(gpu, out, A):
        blocks = -(-p.n // 32)
        gpu.launch(by_tiles, (blocks, blocks), (32, 32), out, A)

    return run


def tiled(p):
    return through_a_tile(p, 32)


def padded(p):
    return through_a_tile(p, 33)


def racy(p):
    return through_a_tile(p, 33, barrier=False)


def off_by_one(p):
    return through_a_tile(p, 33, offset=2)


def with_a_set(p):
    @cuda.jit
    def refused(out, A):
        i, j = cuda.grid(2)
        if i in {1, 2}:  # planted: refused
            out[j, i] = A[i, j]

    def run(gpu, out, A):
        gpu.launch(refused, (1, 1), (32, 8), out, A)

    return run


def in_float64(p):
    @cuda.jit
    def promoted(out, A):
        j, i = cuda.grid(2)
        if i < A.shape[0] and j < A.shape[1]:
            out[i, j] = A[j, i] * 0.5 + 1  # planted: float64

    def run(gpu, out, A):
        gpu.launch(promoted, (-(-p.n // 32), -(-p.n // 8)), (32, 8), out, A)

    return run


KERNEL = Kernel(
    name="transposes",
    summary="out = A.T / 2 + 1, n×n",
    size="64..512",
    inputs=inputs,
    reference=reference,
    output=lambda p: (p.n, p.n),
    dtypes=("float32",),
    variants=(
        Variant("cuda:column", "SIMT", "reads down a column", column),
        Variant("cuda:tiled", "SIMT", "a tile with bank conflicts", tiled),
        Variant("cuda:racy", "SIMT", "no barrier", racy),
        Variant("cuda:wrong", "SIMT", "adds too much", off_by_one),
        Variant("cuda:refused", "SIMT", "a construct that Numba refuses", with_a_set),
        Variant("cuda:promoted", "SIMT", "computes in float64", in_float64),
        Variant("cuda:padded", "SIMT", "a tile without bank conflicts", padded),
    ),
)
