"""matmul on the matrix units of a multiprocessor: TF32, bfloat16, and float32 by three TF32 products.

A block computes 128 rows and ``columns`` columns of C, a warp 64×64 of them, a tile of sums that lies in its
registers. Strips of A and B, 8 chunks of 16 bytes along k, pass through three stages of shared memory: while one is
multiplied, the copies of two more are under way.
"""

import numpy as np
from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from ..._shared import gpu_matrix_tiles as tiles
from ..._shared.gpu_matrix_tiles import CHUNKS, EIGHT_ROWS, FOUR_ROWS, HALVES, WORDS
from . import matrix_sizes as sizes
from .matrix_sizes import BAND, ROWS, STAGES

YOUNGEST = STAGES - 2  # stages whose copies may be under way while one is multiplied
ZEROS, FEW_ZEROS = (np.float32(0),) * 128, (np.float32(0),) * 64  # a lane's part of 64×64 sums, and of 64×32


def tf32(p, columns):
    """Factors are rounded to 11 bits on their way from shared memory; their products are exact, the sums float32."""
    return _product(p, columns, halves=False, thrice=False)


def bf16(p, columns):
    """A and B are stored with 8 bits of significand, half as many bytes; a product of pairs is twice as deep."""
    return _product(p, columns, halves=True, thrice=False)


def tf32x3(p):
    """Each float32 is high + low, two TF32 numbers, and three products of these are as exact as one in float32."""
    return _product(p, sizes.THRICE_COLUMNS, halves=False, thrice=True)


@cuda.jit(device=True, forceinline=True)
def block_origin(height, width, columns):
    """First row and column of the block's tile. Blocks go down bands of tiles: those at work share strips in L2."""
    down, across = (height + uint32(ROWS - 1)) // uint32(ROWS), (width + uint32(columns - 1)) // uint32(columns)
    number = uint32(cuda.blockIdx.x)
    band = uint32(number // (uint32(BAND) * across) * uint32(BAND))
    high = uint32(min(BAND, down - band))
    within = uint32(number - band * across)
    return uint32((band + within % high) * uint32(ROWS)), uint32(within // high * uint32(columns))


@cuda.jit(device=True, forceinline=True)
def copy_words(shared, at, A, B, shape, top, left, start, columns, threads, wide):
    """Begin to copy 128 rows of A and ``columns`` columns of B, 32 deep from ``start`` on, float32."""
    m, n, k = shape
    chunks = columns // WORDS
    tiles.copy_words(shared, at, A, (m, k), top, start, ROWS, CHUNKS, EIGHT_ROWS, threads, wide[0])
    at = uint32(at + uint32(ROWS * CHUNKS * WORDS))
    tiles.copy_words(shared, at, B, (k, n), start, left, CHUNKS * WORDS, chunks, FOUR_ROWS, threads, wide[1])


@cuda.jit(device=True, forceinline=True)
def copy_halves(shared, at, A, B, shape, top, left, start, columns, threads, wide):
    """The same 64 deep, with elements of 16 bits."""
    m, n, k = shape
    chunks = columns // HALVES
    tiles.copy_halves(shared, at, A, (m, k), top, start, ROWS, CHUNKS, EIGHT_ROWS, threads, wide[0])
    at = uint32(at + uint32(ROWS * CHUNKS * HALVES))
    tiles.copy_halves(shared, at, B, (k, n), start, left, CHUNKS * HALVES, chunks, EIGHT_ROWS, threads, wide[1])


@cuda.jit(device=True, forceinline=True)
def stage_tf32(sums, strips, at_a, at_b, pitch):
    """The four steps of a stage, one by one: a loop need not be unrolled, and its places would not be constants."""
    sums = tiles.multiply_tf32(sums, strips, at_a, at_b, 0, pitch)
    sums = tiles.multiply_tf32(sums, strips, at_a, at_b, 1, pitch)
    sums = tiles.multiply_tf32(sums, strips, at_a, at_b, 2, pitch)
    return tiles.multiply_tf32(sums, strips, at_a, at_b, 3, pitch)


@cuda.jit(device=True, forceinline=True)
def stage_tf32x3(sums, strips, at_a, at_b, pitch):
    """The same with three products in the place of one; four times as many would want more registers than there are."""
    for step in range(4):
        sums = tiles.multiply_tf32x3(sums, strips, at_a, at_b, step, pitch)
    return sums


@cuda.jit(device=True, forceinline=True)
def stage_bf16(sums, strips, at_a, at_b, pitch):
    """The same with halves."""
    sums = tiles.multiply_bf16(sums, strips, at_a, at_b, 0, pitch)
    sums = tiles.multiply_bf16(sums, strips, at_a, at_b, 1, pitch)
    sums = tiles.multiply_bf16(sums, strips, at_a, at_b, 2, pitch)
    return tiles.multiply_bf16(sums, strips, at_a, at_b, 3, pitch)


def _product(p, columns, *, halves, thrice):
    """The run of one precision. What is known when it is built, the compiler prunes the branches of."""
    each, dtype = (HALVES, np.uint16) if halves else (WORDS, np.float32)
    wide = p.k % each == 0, p.n % each == 0
    wide_c = p.n % 4 == 0
    warp_columns = sizes.NARROW_WARP_COLUMNS if thrice else sizes.WARP_COLUMNS
    threads, warps_across = sizes.threads_of(columns, warp_columns), columns // warp_columns
    depth, stage = CHUNKS * each, sizes.stage_elements(columns, each)
    last = (STAGES - 1) * stage
    zeros = FEW_ZEROS if thrice else ZEROS

    @cuda.jit(cache=True, launch_bounds=(threads, 1))
    def multiply(C, A, B, m, n, k):
        strips = cuda.shared.array(0, dtype, alignment=16)
        top, left = block_origin(m, n, columns)
        warp = uint32(cuda.threadIdx.x) // uint32(32)
        row = warp // uint32(warps_across) * uint32(sizes.WARP_ROWS)
        column = warp % uint32(warps_across) * uint32(warp_columns)
        for ahead in range(STAGES - 1):
            at, start = uint32(ahead * stage), uint32(ahead * depth)
            if halves:
                copy_halves(strips, at, A, B, (m, n, k), top, left, start, columns, threads, wide)
            else:
                copy_words(strips, at, A, B, (m, n, k), top, left, start, columns, threads, wide)
            ptx.commit_copies()
        sums, reading, writing = zeros, uint32(0), uint32(last)
        for begin in range(uint32(0), k, uint32(depth)):
            ptx.wait_for_copies(YOUNGEST)
            cuda.syncthreads()
            start = uint32(begin + (STAGES - 1) * depth)
            if halves:
                copy_halves(strips, writing, A, B, (m, n, k), top, left, start, columns, threads, wide)
            else:
                copy_words(strips, writing, A, B, (m, n, k), top, left, start, columns, threads, wide)
            ptx.commit_copies()
            at_a, at_b = uint32(reading + row * uint32(depth)), uint32(reading + uint32(ROWS * depth) + column)
            if halves:
                sums = stage_bf16(sums, strips, at_a, at_b, columns)
            elif thrice:
                sums = stage_tf32x3(sums, strips, at_a, at_b, columns)
            else:
                sums = stage_tf32(sums, strips, at_a, at_b, columns)
            writing = reading
            reading = uint32(reading + stage) if reading < last else uint32(0)
        if thrice:
            tiles.write_32_columns(C, (m, n), uint32(top + row), uint32(left + column), sums, wide_c)
        else:
            tiles.write_64_columns(C, (m, n), uint32(top + row), uint32(left + column), sums, wide_c)

    def run(gpu, C, A, B):
        flat = C.reshape(C.size), A.reshape(A.size), B.reshape(B.size)
        shape = np.uint32(p.m), np.uint32(p.n), np.uint32(p.k)
        gpu.launch(multiply, sizes.blocks(p, columns), threads, *flat, *shape, shared=sizes.shared_bytes(columns))

    return run
