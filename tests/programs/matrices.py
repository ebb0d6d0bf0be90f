"""Transposes, a tiled matrix product, sparse matrix times vector. A program is as in ``reductions``."""

import numpy as np
from numba import cuda, float32

TILE_DIM = 32
BLOCK_ROWS = 8
TPB = 16
PAD = TILE_DIM + 1
FULL = 0xFFFFFFFF


@cuda.jit
def naive_transpose(out, a):
    x = cuda.blockIdx.x * TILE_DIM + cuda.threadIdx.x
    y = cuda.blockIdx.y * TILE_DIM + cuda.threadIdx.y
    for j in range(0, TILE_DIM, BLOCK_ROWS):
        if x < a.shape[1] and y + j < a.shape[0]:
            out[x, y + j] = a[y + j, x]


@cuda.jit
def tiled_transpose(out, a):
    tile = cuda.shared.array(shape=(TILE_DIM, TILE_DIM), dtype=float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    x = cuda.blockIdx.x * TILE_DIM + tx
    y = cuda.blockIdx.y * TILE_DIM + ty
    for j in range(0, TILE_DIM, BLOCK_ROWS):
        if x < a.shape[1] and y + j < a.shape[0]:
            tile[ty + j, tx] = a[y + j, x]
    cuda.syncthreads()
    x = cuda.blockIdx.y * TILE_DIM + tx
    y = cuda.blockIdx.x * TILE_DIM + ty
    for j in range(0, TILE_DIM, BLOCK_ROWS):
        if x < out.shape[1] and y + j < out.shape[0]:
            out[y + j, x] = tile[tx, ty + j]


@cuda.jit
def padded_transpose(out, a):
    """Rows of 33 words put a tile's column into 32 different banks."""
    tile = cuda.shared.array((TILE_DIM, PAD), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    left, top = cuda.blockIdx.x * TILE_DIM, cuda.blockIdx.y * TILE_DIM
    for row in range(ty, min(TILE_DIM, a.shape[0] - top), BLOCK_ROWS):
        if left + tx < a.shape[1]:
            tile[row, tx] = a[top + row, left + tx]
    cuda.syncthreads()
    for row in range(ty, min(TILE_DIM, a.shape[1] - left), BLOCK_ROWS):
        if top + tx < a.shape[0]:
            out[left + row, top + tx] = tile[tx, row]


def transpose(launch, n, rng):
    a = rng.random((n, min(n + 3, 70)), np.float32)
    grid = (-(-a.shape[1] // TILE_DIM), -(-n // TILE_DIM))
    for function in (naive_transpose, tiled_transpose, padded_transpose):
        out = np.full(a.shape[::-1], np.nan, np.float32)
        launch(function, grid, (TILE_DIM, BLOCK_ROWS), out, a)
        yield out, a.T


@cuda.jit
def fast_matmul(A, B, C):
    """The tiled product of Numba's documentation, with its edges guarded."""
    sA = cuda.shared.array(shape=(TPB, TPB), dtype=float32)
    sB = cuda.shared.array(shape=(TPB, TPB), dtype=float32)
    x, y = cuda.grid(2)
    tx = cuda.threadIdx.x
    ty = cuda.threadIdx.y
    tmp = float32(0.0)
    for i in range((A.shape[1] + TPB - 1) // TPB):
        sA[ty, tx] = 0
        sB[ty, tx] = 0
        if y < A.shape[0] and (tx + i * TPB) < A.shape[1]:
            sA[ty, tx] = A[y, tx + i * TPB]
        if x < B.shape[1] and (ty + i * TPB) < B.shape[0]:
            sB[ty, tx] = B[ty + i * TPB, x]
        cuda.syncthreads()
        for j in range(TPB):
            tmp += sA[ty, j] * sB[j, tx]
        cuda.syncthreads()
    if y < C.shape[0] and x < C.shape[1]:
        C[y, x] = tmp


def matrix_product(launch, n, rng):
    rows, columns = min(n, 50), min(n + 2, 45)
    a = rng.integers(-4, 5, (rows, n)).astype(np.float32)
    b = rng.integers(-4, 5, (n, columns)).astype(np.float32)
    c = np.empty((rows, columns), np.float32)
    launch(fast_matmul, (-(-columns // TPB), -(-rows // TPB)), (TPB, TPB), a, b, c)
    yield c, a @ b


@cuda.jit
def spmv_scalar(y, indptr, indices, data, x):
    """One thread a row of a matrix in CSR."""
    row = cuda.grid(1)
    if row < y.shape[0]:
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += data[k] * x[indices[k]]
        y[row] = total


@cuda.jit
def spmv_vector(y, indptr, indices, data, x):
    """One warp a row: lanes stride through the row's elements and add up by shuffles."""
    thread = cuda.grid(1)
    row = thread // 32
    lane = thread % 32
    if row >= y.shape[0]:
        return
    total = data.dtype.type(0)
    for k in range(indptr[row] + lane, indptr[row + 1], 32):
        total += data[k] * x[indices[k]]
    for offset in (16, 8, 4, 2, 1):
        total += cuda.shfl_down_sync(FULL, total, offset)
    if lane == 0:
        y[row] = total


def _csr(rng, rows, columns):
    """Rows of 0 to 80 elements at random columns, sorted within a row; the values are small integers."""
    counts = rng.integers(0, min(columns, 80) + 1, rows)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    chosen = [np.sort(rng.choice(columns, count, replace=False)) for count in counts]
    indices = np.concatenate([*chosen, [0]]).astype(np.int32)  # one to spare: an array of no elements is no test
    return indptr, indices, rng.integers(-4, 5, indices.size).astype(np.float32)


def spmv(launch, n, rng):
    indptr, indices, data = _csr(rng, n, n + 5)
    x = rng.integers(-4, 5, n + 5).astype(np.float32)
    products = np.append(0, np.cumsum(data * x[indices], dtype=np.float64))
    expected = (products[indptr[1:]] - products[indptr[:-1]]).astype(np.float32)
    for function, threads in ((spmv_scalar, n), (spmv_vector, 32 * n)):
        y = np.full(n, np.nan, np.float32)
        launch(function, -(-threads // 96), 96, y, indptr, indices, data, x)
        yield y, expected


PROGRAMS = (transpose, matrix_product, spmv)
