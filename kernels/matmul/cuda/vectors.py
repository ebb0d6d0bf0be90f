"""matmul with four numbers to an instruction, and strips in shared memory that no two threads contend for.

What stores a tile is lifted to `_shared.gpu_gemm.epilogue`; `pipelines` takes its strips and their product from here.

C is m×n, A is m×k, B is k×n, row after row, and flat; all are float32. Traffic is what the warps' requests move,
in whole sectors of 32 bytes, before any cache. A strip is what a block holds of A or of B: 128 of its rows or
columns, 8 steps of k, one step after the other.
"""

import numpy as np
from numba import cuda, float32, intp, uint32

from gpuplay.intrinsics import ptx

from ..._shared.gpu_gemm import epilogue

SIDE = 128  # rows and columns of C that a block computes
DEPTH = 8  # steps of k in a strip
PITCH = SIDE + 4  # from step to step: stores of 4 steps and 16 rows each then fall into different banks
HALF = SIDE // 2
WORDS = DEPTH * PITCH
THREADS = 256
ZEROS = (np.float32(0),) * 64
NOTHING = (np.float32(0),) * 4


@cuda.jit(device=True, forceinline=True)
def load_four(matrix, i, j, rows, columns):
    """Elements (i, j) to (i, j + 3) by one load, or zeros: for rows of a multiple of 4 elements."""
    if i < rows and j < columns:
        return ptx.load4(matrix, i * columns + j)
    return NOTHING


@cuda.jit(device=True, forceinline=True)
def load_four_apart(matrix, i, j, rows, columns):
    """The same for rows of any length: four loads."""
    zero = float32(0)
    if i >= rows or j >= columns:
        return NOTHING
    at = i * columns + j
    return (
        matrix[at],
        matrix[at + 1] if uint32(j + uint32(1)) < columns else zero,
        matrix[at + 2] if uint32(j + uint32(2)) < columns else zero,
        matrix[at + 3] if uint32(j + uint32(3)) < columns else zero,
    )


@cuda.jit(device=True, forceinline=True)
def eight(strip, at):
    """Four numbers of a strip and the four that lie half its width further on.

    Sixteen threads beside each other load 16 times four adjacent numbers, and once more: all banks, each once in
    a quarter of the warp. Eight adjacent numbers a thread would use every second group of four banks twice.
    """
    return ptx.load4(strip, at) + ptx.load4(strip, at + HALF)


@cuda.jit(device=True, forceinline=True)
def multiply_step(tile, a, at_a, b, at_b):
    """The thread's 8×8 tile plus its part of a column of A times its part of a row of B: 4 loads, 64 fma."""
    return ptx.add_outer(tile, eight(a, at_a), eight(b, at_b))


@cuda.jit(device=True, forceinline=True)
def multiply_strips(tile, a, at_a, b, at_b):
    """The tile plus the product of two strips: all 8 steps, written out, so that every place is a constant."""
    tile = multiply_step(tile, a, at_a, b, at_b)
    tile = multiply_step(tile, a, at_a + PITCH, b, at_b + PITCH)
    tile = multiply_step(tile, a, at_a + 2 * PITCH, b, at_b + 2 * PITCH)
    tile = multiply_step(tile, a, at_a + 3 * PITCH, b, at_b + 3 * PITCH)
    tile = multiply_step(tile, a, at_a + 4 * PITCH, b, at_b + 4 * PITCH)
    tile = multiply_step(tile, a, at_a + 5 * PITCH, b, at_b + 5 * PITCH)
    tile = multiply_step(tile, a, at_a + 6 * PITCH, b, at_b + 6 * PITCH)
    return multiply_step(tile, a, at_a + 7 * PITCH, b, at_b + 7 * PITCH)


def stores(p):
    """A device function ``(tile, i, j, (C, m, n))`` that writes a thread's tile, whose quads lie 64 apart."""
    return epilogue.rows(8, HALF, HALF, epilogue.store_wide if p.n % 4 == 0 else epilogue.store_apart)


def vectorised(p):
    """The same tiles by 128-bit accesses: 4 loads from shared memory for 64 multiply-adds, and no bank conflicts.

    A thread loads four steps of a row of A and four columns of a row of B by one instruction each. The strip of A lies
    turned in shared memory, so that a thread's rows are adjacent there, too. Indices are uint32: half the registers of
    int64. Traffic: m·n·k / 16 bytes of loads, 4·m·n of stores.
    """
    load_a = load_four if p.k % 4 == 0 else load_four_apart
    load_b = load_four if p.n % 4 == 0 else load_four_apart
    store = stores(p)

    @cuda.jit(cache=True, launch_bounds=(THREADS, 2))
    def multiply_vectors(C, A, B, m, n, depth):
        a = cuda.shared.array(WORDS, float32, alignment=16)
        b = cuda.shared.array(WORDS, float32, alignment=16)
        thread = uint32(cuda.threadIdx.x)
        top, left = uint32(cuda.blockIdx.y * SIDE), uint32(cuda.blockIdx.x * SIDE)
        row, step = uint32(thread // uint32(2)), uint32(thread % uint32(2) * uint32(4))
        b_step, column = uint32(thread // uint32(32)), uint32(thread % uint32(32) * uint32(4))
        y, x = uint32(thread // uint32(16) * uint32(4)), uint32(thread % uint32(16) * uint32(4))
        tile = ZEROS
        for start in range(uint32(0), depth, uint32(DEPTH)):
            four = load_a(A, uint32(top + row), uint32(start + step), m, depth)
            for q in cuda.literal_unroll((0, 1, 2, 3)):
                a[(step + q) * PITCH + row] = four[q]
            ptx.store4(b, b_step * PITCH + column, load_b(B, uint32(start + b_step), uint32(left + column), depth, n))
            cuda.syncthreads()
            tile = multiply_strips(tile, a, intp(y), b, intp(x))
            cuda.syncthreads()
        store(tile, uint32(top + y), uint32(left + x), (C, m, n))

    grid = (-(-p.n // SIDE), -(-p.m // SIDE))
    extents = np.uint32(p.m), np.uint32(p.n), np.uint32(p.k)

    def run(gpu, C, A, B):
        gpu.launch(multiply_vectors, grid, THREADS, C.ravel(), A.ravel(), B.ravel(), *extents)

    return run
