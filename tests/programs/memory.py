"""Kinds of memory and ways to index it, and where a thread stands. A program is as in ``reductions``."""

import math

import numpy as np
from numba import cuda, float32, float64, int32, uint8

BLOCK = 64
DEPTH = 8
THREE = (2, 3, 4)


@cuda.jit
def reverse_blocks(out, x):
    """Dynamic shared memory: its size comes with the launch."""
    buffer = cuda.shared.array(0, float32)
    tid = cuda.threadIdx.x
    i = cuda.grid(1)
    if i < x.size:
        buffer[tid] = x[i]
    cuda.syncthreads()
    used = min(cuda.blockDim.x, x.size - cuda.blockIdx.x * cuda.blockDim.x)
    if tid < used:
        out[i] = buffer[used - 1 - tid]


@cuda.jit
def split_dynamic(out, x):
    """Two views of one dynamic allocation: floats first, bytes behind them."""
    floats = cuda.shared.array(0, float32)[:BLOCK]
    flags = cuda.shared.array(0, uint8)[4 * BLOCK :]
    tid = cuda.threadIdx.x
    i = cuda.grid(1)
    floats[tid] = x[i] if i < x.size else float32(0)
    flags[tid] = floats[tid] > 0
    cuda.syncthreads()
    other = BLOCK - 1 - tid
    if i < out.size:
        out[i] = floats[other] if flags[other] else float32(-1)


def dynamic_shared_memory(launch, n, rng):
    x, out = rng.integers(-9, 9, n).astype(np.float32), np.empty(n, np.float32)
    for block in (32, 96):
        launch(reverse_blocks, -(-n // block), block, out, x, shared=4 * block)
        yield out, np.concatenate([x[start : start + block][::-1] for start in range(0, n, block)])
    launch(split_dynamic, -(-n // BLOCK), BLOCK, out, x, shared=5 * BLOCK)
    padded = np.append(x, np.zeros(-n % BLOCK, np.float32)).reshape(-1, BLOCK)[:, ::-1].reshape(-1)[:n]
    yield out, np.where(padded > 0, padded, -1).astype(np.float32)


@cuda.jit
def sort_rows(x):
    """Insertion sort in a local array: each thread has its own, and indexes it by its data."""
    mine = cuda.local.array(DEPTH, float64)
    i = cuda.grid(1)
    if i >= x.shape[0]:
        return
    for k in range(x.shape[1]):
        value = x[i, k]
        place = k
        while place > 0 and mine[place - 1] > value:
            mine[place] = mine[place - 1]
            place -= 1
        mine[place] = value
    for k in range(x.shape[1]):
        x[i, k] = mine[k]


@cuda.jit
def local_matrix(out):
    """A local array of two dimensions, passed through a view."""
    m = cuda.local.array((3, 4), int32)
    i = cuda.grid(1)
    for row in range(3):
        for column in range(4):
            m[row, column] = i * row + column
    row = m[i % 3]
    if i < out.size:
        out[i] = row[0] + row[3] + m[2, i % 4]


def local_arrays(launch, n, rng):
    x = rng.random((n, DEPTH - 1))
    expected = np.sort(x, axis=1)
    launch(sort_rows, -(-n // BLOCK), BLOCK, x)
    yield x, expected
    out, i = np.empty(n, np.int64), np.arange(n)
    launch(local_matrix, -(-n // BLOCK), BLOCK, out)
    yield out, 2 * i * (i % 3) + 3 + 2 * i + i % 4


@cuda.jit(device=True)
def dot(a, b):
    total = float32(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@cuda.jit(device=True)
def scale(row, factor):
    for k in range(len(row)):
        row[k] *= factor


@cuda.jit
def views(dots, windows, x):
    """Rows, columns, ranges and ranges of ranges as views, read and written."""
    i = cuda.grid(1)
    if i >= x.shape[0]:
        return
    row = x[i, :]
    other = x[(i + 1) % x.shape[0]]
    dots[i, 0] = dot(row, other)
    dots[i, 1] = dot(x[i, 2:5], x[i][1:4])
    dots[i, 2] = x[:, 1][i] + x[i:, 0].shape[0] + row[1:][1:-1].size
    mine = windows[4 * i : 4 * i + 4]
    mine[0] = i
    for k in range(3):
        mine[1:][k] = row[:3][k]
    scale(mine[2:], float32(2))


def slices(launch, n, rng):
    x = rng.integers(-9, 10, (n, 6)).astype(np.float32)
    dots, windows = np.empty((n, 3), np.float32), np.empty(4 * n, np.float32)
    launch(views, -(-n // BLOCK), BLOCK, dots, windows, x)
    i = np.arange(n)
    pairs = (x * np.roll(x, -1, axis=0)).sum(axis=1), (x[:, 2:5] * x[:, 1:4]).sum(axis=1), x[:, 1] + n - i + 3
    yield dots, np.stack(pairs, axis=1).astype(np.float32)
    yield windows, np.column_stack([i, x[:, 0], 2 * x[:, 1], 2 * x[:, 2]]).astype(np.float32).reshape(-1)


@cuda.jit
def permute(out, x):
    """out[k, i, j] = x[i, j, k] from a grid and blocks of three dimensions."""
    i, j, k = cuda.grid(3)
    if i < x.shape[0] and j < x.shape[1] and k < x.shape[2]:
        out[k, i, j] = x[i, j, k]


@cuda.jit
def strided_permute(out, x):
    """The same by grid-stride loops along each axis, with tuples as indices."""
    for i in range(cuda.grid(3)[0], x.shape[0], cuda.gridsize(3)[0]):
        for j in range(cuda.grid(3)[1], x.shape[1], cuda.gridsize(3)[1]):
            for k in range(cuda.grid(3)[2], x.shape[2], cuda.gridsize(3)[2]):
                place = (k, i, j)
                out[place] = x[i, j, k]


def three_dimensions(launch, n, rng):
    x = rng.random((n, 5, 3))
    for function, grid in ((permute, (-(-n // 2), 2, 1)), (strided_permute, (3, 1, 1))):
        out = np.empty((3, n, 5))
        launch(function, grid, THREE, out, x)
        yield out, x.transpose(2, 0, 1)


@cuda.jit
def where_am_i(out):
    """Every index and extent; threads of a block are numbered x first, then y, then z."""
    tid = cuda.threadIdx.x + cuda.blockDim.x * (cuda.threadIdx.y + cuda.blockDim.y * cuda.threadIdx.z)
    block = cuda.blockIdx.x + cuda.gridDim.x * (cuda.blockIdx.y + cuda.gridDim.y * cuda.blockIdx.z)
    size = cuda.blockDim.x * cuda.blockDim.y * cuda.blockDim.z
    x, y, z = cuda.gridsize(3)
    row = out[block * size + tid]
    row[0], row[1], row[2] = cuda.grid(3)
    row[3] = cuda.laneid
    row[4] = cuda.warpsize
    row[5] = (x * 100 + y) * 100 + z
    row[6] = block
    row[7] = tid


def geometry(launch, n, rng):
    grid, block = (min(n, 40), 2, 3), (5, 3, 3)
    blocks, threads = 6 * grid[0], 45
    out = np.empty((blocks * threads, 8), np.int64)
    launch(where_am_i, grid, block, out)
    b, t = np.divmod(np.arange(blocks * threads), threads)
    places = [
        b % grid[0] * 5 + t % 5,
        b // grid[0] % 2 * 3 + t // 5 % 3,
        b // grid[0] // 2 * 3 + t // 15,
    ]
    sizes = (grid[0] * 5 * 100 + 6) * 100 + 9
    yield out, np.stack([*places, t % 32, 0 * t + 32, 0 * t + sizes, b, t], axis=1)


@cuda.jit
def bit_functions(out, exact, x):
    i = cuda.grid(1)
    if i < x.size:
        out[i, 0] = cuda.popc(x[i])
        out[i, 1] = cuda.brev(x[i])
        out[i, 2] = cuda.clz(x[i])
        out[i, 3] = cuda.ffs(x[i])
        out[i, 4] = cuda.selp(x[i] % 2 == 0, i, -i)
        near = float32(1) + float32(i) * float32(2.0**-23)
        exact[i] = cuda.fma(near, near, float32(-1))


def intrinsics(launch, n, rng):
    x = np.append(rng.integers(0, 2**32, n - 1, dtype=np.uint64), 0).astype(np.uint32)
    out, exact = np.empty((n, 5), np.int64), np.empty(n, np.float32)
    launch(bit_functions, -(-n // BLOCK), BLOCK, out, exact, x)
    texts = [f"{v:032b}" for v in x]
    leading = [len(t) - len(t.lstrip("0")) for t in texts]
    lowest = [t[::-1].find("1") + 1 for t in texts]
    i = np.arange(n)
    columns = [[t.count("1") for t in texts], [int(t[::-1], 2) for t in texts], leading, lowest]
    yield out, np.stack([*columns, np.where(x % 2 == 0, i, -i)], axis=1).astype(np.int64)
    near = 1 + i * 2.0**-23
    yield exact, (near * near - 1).astype(np.float32)


@cuda.jit
def special_functions(out, x):
    i = cuda.grid(1)
    if i < x.size:
        v = x[i]
        out[i, 0] = math.exp(v) + math.expm1(v) * math.log1p(v)
        out[i, 1] = math.sin(v) * math.cos(v) + math.tan(v)
        out[i, 2] = math.sqrt(v) + math.log(v + 1) / math.log2(v + 2)
        out[i, 3] = math.tanh(v) - math.erf(v)
        out[i, 4] = math.floor(v) + math.ceil(v * 3) + math.fabs(-v)
        out[i, 5] = max(v, min(x[0], 0.5)) + abs(v - 1) + v**3 + v**0.5
        out[i, 6] = math.isnan(v) + 2 * math.isinf(1 / (v - v)) + math.copysign(v, -1.0)


def mathematics(launch, n, rng):
    for dtype in (np.float32, np.float64):
        x = (rng.random(n) + 0.25).astype(dtype)
        out = np.empty((n, 7), dtype)
        launch(special_functions, -(-n // BLOCK), BLOCK, out, x)
        v = x.astype(np.float64)
        columns = [
            np.exp(v) + np.expm1(v) * np.log1p(v),
            np.sin(v) * np.cos(v) + np.tan(v),
            np.sqrt(v) + np.log(v + 1) / np.log2(v + 2),
            np.tanh(v) - np.array([math.erf(e) for e in v]),
            np.floor(v) + np.ceil(v * 3) + v,
            np.maximum(v, min(v[0], 0.5)) + abs(v - 1) + v**3 + np.sqrt(v),
            2 - v,
        ]
        yield out, np.stack(columns, axis=1).astype(dtype)


PROGRAMS = (
    *(dynamic_shared_memory, local_arrays, slices, three_dimensions, geometry),
    *(intrinsics, mathematics),
)
