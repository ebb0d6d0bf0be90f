"""GPU functions whose sectors, wavefronts, divergence and operations can be told by hand."""

from __future__ import annotations

from typing import Any

from numba import cuda, float32, int32

from gpuplay.intrinsics.ptx import load4, store4

TILE = 16


@cuda.jit
def strided(y, x, stride):
    i = cuda.grid(1)
    y[i] = x[i * stride]


@cuda.jit
def shifted(y, x, by):
    i = cuda.grid(1)
    y[i] = x[i + by]


@cuda.jit
def shared_by_all(y, x):
    y[cuda.grid(1)] = x[3]


@cuda.jit
def backwards(y, x):
    i = cuda.grid(1)
    y[i] = x[x.size - 1 - i]


@cuda.jit
def every_second_lane(y, x):
    i = cuda.grid(1)
    if i % 2 == 0:
        y[i] = x[i]


@cuda.jit
def first_half_warp(y, x):
    i = cuda.grid(1)
    if i % 32 < 16:
        y[i] = x[i]


@cuda.jit
def transposed(y, x):
    column, row = cuda.grid(2)
    y[column, row] = x[row, column]


def through_a_tile(pad: int) -> Any:
    width = 32 + pad

    @cuda.jit
    def transpose(y, x):
        tile = cuda.shared.array((32, width), float32)
        i, j = cuda.threadIdx.x, cuda.threadIdx.y
        left, top = cuda.blockIdx.x * 32, cuda.blockIdx.y * 32
        tile[j, i] = x[top + j, left + i]
        cuda.syncthreads()
        y[left + j, top + i] = tile[i, j]

    return transpose


def strided_tile(dtype: Any, stride: int) -> Any:
    length = 64 * stride

    @cuda.jit
    def read(y):
        tile = cuda.shared.array(length, dtype)
        i = cuda.threadIdx.x
        tile[i * stride] = i
        cuda.syncthreads()
        y[i] = tile[i * stride]

    return read


@cuda.jit
def tree(y, x):
    part = cuda.shared.array(256, float32)
    i = cuda.threadIdx.x
    part[i] = x[cuda.blockIdx.x * 256 + i]
    cuda.syncthreads()
    step = 128
    while step > 0:
        if i < step:
            part[i] += part[i + step]
        cuda.syncthreads()
        step //= 2
    if i == 0:
        y[cuda.blockIdx.x] = part[0]


@cuda.jit
def interleaved(y, x):
    part = cuda.shared.array(256, float32)
    i = cuda.threadIdx.x
    part[i] = x[cuda.blockIdx.x * 256 + i]
    cuda.syncthreads()
    step = 1
    while step < 256:
        if i % (2 * step) == 0:
            part[i] += part[i + step]
        cuda.syncthreads()
        step *= 2
    if i == 0:
        y[cuda.blockIdx.x] = part[0]


@cuda.jit
def one_step(y, step):
    i = cuda.threadIdx.x
    if i < step:
        y[i] += 1.0


def histogram_of(bins: int) -> Any:
    @cuda.jit
    def histogram(counts, x):
        i = cuda.grid(1)
        if i < x.size:
            cuda.atomic.add(counts, x[i] % bins, 1)

    return histogram


@cuda.jit
def tiled(c, a, b):
    row, column = cuda.grid(2)[1], cuda.grid(2)[0]
    i, j = cuda.threadIdx.x, cuda.threadIdx.y
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    total = float32(0)
    for first in range(0, a.shape[1], TILE):
        left[j, i] = a[row, first + i]
        right[j, i] = b[first + j, column]
        cuda.syncthreads()
        for k in range(TILE):
            total += left[j, k] * right[k, i]
        cuda.syncthreads()
    c[row, column] = total


@cuda.jit
def fused(y, x):
    i = cuda.grid(1)
    y[i] = cuda.fma(x[i], x[i], x[i])


@cuda.jit
def divided(y, x):
    i = cuda.grid(1)
    y[i] = float32(1) / x[i]


@cuda.jit
def doubled(y, x):
    i = cuda.grid(1)
    y[i] = x[i] * 2.0


@cuda.jit
def shifted_left(y, x):
    i = cuda.grid(1)
    y[i] = x[i] << int32(3)


@cuda.jit
def quads(y, x, stride):
    """Four elements a lane by one load and one store."""
    i = cuda.grid(1)
    store4(y, 4 * i, load4(x, 4 * i * stride))


@cuda.jit
def quads_shifted(y, x, by):
    i = cuda.grid(1)
    store4(y, 4 * i, load4(x, 4 * i + by))


@cuda.jit
def quads_through_shared(y, x):
    tile = cuda.shared.array(128, float32, alignment=16)
    i = cuda.threadIdx.x
    store4(tile, 4 * i, load4(x, 4 * i))
    cuda.syncthreads()
    a, b, c, d = load4(tile, 4 * (31 - i))
    store4(y, 4 * i, (d, c, b, a))


@cuda.jit
def every_second_turn(y, turns):
    i = cuda.grid(1)
    n = 0
    t = 0
    while n < turns:
        n += 1
        if (n + i) % 2 == 0:
            continue
        t += n
    y[i] = t
