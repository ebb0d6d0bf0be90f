"""Pictures and grids: the Mandelbrot set and a five-point stencil. A program is as in ``reductions``."""

import numpy as np
from numba import cuda, float32

TILE = 8
HALOED = TILE + 2
ALPHA = 0.2
ITERATIONS = 30


@cuda.jit(device=True)
def escape_time(x, y, max_iters):
    """How many steps of z² + c stay within radius 2, with the complex arithmetic written out."""
    zr = zi = 0.0
    for i in range(max_iters):
        zr, zi = zr * zr - zi * zi + x, 2.0 * zr * zi + y
        if zr * zr + zi * zi >= 4.0:
            return i
    return max_iters


@cuda.jit
def mandelbrot(image, left, right, bottom, top, max_iters):
    height, width = image.shape
    pixel_x = (right - left) / width
    pixel_y = (top - bottom) / height
    start_x, start_y = cuda.grid(2)
    stride_x, stride_y = cuda.gridsize(2)
    for x in range(start_x, width, stride_x):
        real = left + x * pixel_x
        for y in range(start_y, height, stride_y):
            image[y, x] = escape_time(real, bottom + y * pixel_y, max_iters)


@cuda.jit
def complex_mandelbrot(image, corner, step, max_iters):
    """The same with Python's complex numbers: pixel (j, i) is ``corner + i·Re(step) + j·Im(step)·1j``."""
    i, j = cuda.grid(2)
    if j >= image.shape[0] or i >= image.shape[1]:
        return
    c = complex(corner.real + i * step.real, corner.imag + j * step.imag)
    z = 0j
    count = 0
    while count < max_iters:
        z = z * z + c
        if z.real * z.real + z.imag * z.imag >= 4:
            break
        count += 1
    image[j, i] = count


def _escape_times(c, max_iters):
    """NumPy's answer: all points step by step, those that escaped stay where they are."""
    z, count = np.zeros_like(c), np.full(c.shape, max_iters)
    for i in range(max_iters):
        inside = count == max_iters
        z[inside] = z[inside] * z[inside] + c[inside]
        count[inside & (z.real**2 + z.imag**2 >= 4)] = i
    return count


def _plane(rows, columns):
    """Points that are exact in binary, so that no rounding decides whether one escapes a step later."""
    x, y = np.arange(columns) / 64 - 1.5, np.arange(rows) / 64 - 0.75
    return x[None, :] + 1j * y[:, None]


def mandelbrot_set(launch, n, rng):
    rows, columns = n, min(n + 3, 40)
    image = np.empty((rows, columns), np.uint16)
    corners = (-1.5, -1.5 + columns / 64, -0.75, -0.75 + rows / 64)
    launch(mandelbrot, (2, 3), (16, 4), image, *corners, ITERATIONS)
    yield image, _escape_times(_plane(rows, columns), ITERATIONS).astype(np.uint16)


def mandelbrot_set_in_complex_numbers(launch, n, rng):
    rows, columns = n, min(n + 3, 40)
    image = np.empty((rows, columns), np.int32)
    grid = (-(-columns // 16), -(-rows // 4))
    launch(complex_mandelbrot, grid, (16, 4), image, -1.5 - 0.75j, (1 + 1j) / 64, ITERATIONS)
    yield image, _escape_times(_plane(rows, columns), ITERATIONS).astype(np.int32)


@cuda.jit
def diffuse(after, before):
    """One step of the heat equation inside; the rim stays."""
    i, j = cuda.grid(2)
    rows, columns = before.shape
    if 0 < i < rows - 1 and 0 < j < columns - 1:
        neighbours = before[i - 1, j] + before[i + 1, j] + before[i, j - 1] + before[i, j + 1]
        after[i, j] = before[i, j] + ALPHA * (neighbours - 4 * before[i, j])
    elif i < rows and j < columns:
        after[i, j] = before[i, j]


@cuda.jit
def diffuse_by_tiles(after, before):
    """The same through a tile in shared memory with a halo of one cell."""
    tile = cuda.shared.array((HALOED, HALOED), float32)
    tx, ty = cuda.threadIdx.x + 1, cuda.threadIdx.y + 1
    column, row = cuda.grid(2)
    rows, columns = before.shape
    inside = row < rows and column < columns
    if inside:
        tile[ty, tx] = before[row, column]
        if tx == 1 and column > 0:
            tile[ty, 0] = before[row, column - 1]
        if tx == TILE and column + 1 < columns:
            tile[ty, TILE + 1] = before[row, column + 1]
        if ty == 1 and row > 0:
            tile[0, tx] = before[row - 1, column]
        if ty == TILE and row + 1 < rows:
            tile[TILE + 1, tx] = before[row + 1, column]
    cuda.syncthreads()
    if not inside:
        return
    middle = tile[ty, tx]
    if row in (0, rows - 1) or column == 0 or column == columns - 1:
        after[row, column] = middle
    else:
        around = tile[ty - 1, tx] + tile[ty + 1, tx] + tile[ty, tx - 1] + tile[ty, tx + 1]
        after[row, column] = middle + ALPHA * (around - 4 * middle)


def _diffused(u, steps):
    u = u.astype(np.float64)
    for _ in range(steps):
        inner, around = u[1:-1, 1:-1], u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        u = u.copy()
        u[1:-1, 1:-1] = inner + ALPHA * (around - 4 * inner)
    return u.astype(np.float32)


def stencil(launch, n, rng):
    rows, columns = n, min(n + 3, 70)
    start = rng.random((rows, columns), np.float32)
    a, b = start.copy(), np.empty_like(start)
    grid = (-(-rows // 16), -(-columns // 8))
    for _ in range(4):
        launch(diffuse, grid, (16, 8), b, a)
        a, b = b, a
    yield a, _diffused(start, 4)


def tiled_stencil(launch, n, rng):
    rows, columns = n, min(n + 3, 70)
    start = rng.random((rows, columns), np.float32)
    a, b = start.copy(), np.empty_like(start)
    for _ in range(3):
        launch(diffuse_by_tiles, (-(-columns // TILE), -(-rows // TILE)), (TILE, TILE), b, a)
        a, b = b, a
    yield a, _diffused(start, 3)


PROGRAMS = (mandelbrot_set, mandelbrot_set_in_complex_numbers, stencil, tiled_stencil)
