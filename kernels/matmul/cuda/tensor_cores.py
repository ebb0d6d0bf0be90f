"""matmul on the matrix units of a multiprocessor: TF32, bfloat16, and float32 by three TF32 products.

A block computes 128 rows and ``columns`` columns of C, a warp 64×64 of them, a tile of sums that lies in its
registers. Strips of A and B, 8 chunks of 16 bytes along k, pass through three stages of shared memory: while one is
multiplied, the copies of two more are under way. Where rows are no multiple of 16 bytes, copies that are take their
place. Blocks follow each other in squares of C, as in `gpu_gemm`.

Global traffic in bytes, where tiles divide the matrices: s·m·n·k·(1/columns + 1/128) loaded, s = 4, with bfloat16 2
bytes an element, and 4·m·n stored.
"""

import numpy as np
from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from ..._shared import gpu_matrix_tiles as tiles
from ..._shared.blocking import round_up
from ..._shared.gpu_gemm.product import origin
from ..._shared.gpu_matrix_tiles import CHUNKS, EIGHT_ROWS, FOUR_ROWS, HALVES, PARTS, WORDS
from . import matrix_sizes as sizes
from .matrix_sizes import ROWS, STAGES, WARP_TILE, BlockTile

COPY_THREADS = 256
YOUNGEST = STAGES - 2  # stages whose copies may be under way while one is multiplied
ZEROS = (np.float32(0),) * 128  # a lane's part of a warp's 64×64 sums


def tf32(p, columns):
    """Warps multiply 64×64 tiles on their matrix unit: 16×8×8 products an instruction, factors rounded to 11 bits.

    Factors are rounded to 11 bits on their way from shared memory; their products are exact, the sums float32.
    """
    return _product(p, columns, halves=False, thrice=False)


def bf16(p, columns):
    """A and B in 16 bits: half the bytes, and twice the products an instruction.

    8 bits of 16 are significand; a product of pairs is twice as deep.
    """
    return _product(p, columns, halves=True, thrice=False)


def tf32x3(p, columns):
    """Each number is the sum of two TF32 ones: three products on the matrix unit are as exact as one in float32."""
    return _product(p, columns, halves=False, thrice=True)


def _copier(copy, each, b_rows):
    """Begin to copy a part of 128 rows of A and of ``columns`` columns of B; ``each`` elements fill 16 bytes."""
    depth = CHUNKS * each

    @cuda.jit(device=True, forceinline=True)
    def copy_part(strips, at, start, part, product):
        A, B, a_extents, b_extents, (top, left), columns, threads = product
        copy(strips, at, A, a_extents, top, start, (ROWS, CHUNKS, EIGHT_ROWS, threads), part)
        b_shape = (depth, columns // each, b_rows, threads)
        copy(strips, uint32(at + uint32(ROWS * depth)), B, b_extents, start, left, b_shape, part)

    return copy_part


copy_words = _copier(tiles.copy_words, WORDS, FOUR_ROWS)
copy_halves = _copier(tiles.copy_halves, HALVES, EIGHT_ROWS)


def _stage(multiply, copy):
    """The four steps of a stage, and between them the copies of a later one, whose addresses are worked out meanwhile.

    They stand one by one: a loop need not be unrolled, and its places would not be constants.
    """

    @cuda.jit(device=True, forceinline=True)
    def stage(sums, strips, at_a, at_b, writing, start, product):
        columns = product[5]
        sums = multiply(sums, strips, at_a, at_b, 0, columns)
        copy(strips, writing, start, 0, product)
        sums = multiply(sums, strips, at_a, at_b, 1, columns)
        copy(strips, writing, start, 1, product)
        sums = multiply(sums, strips, at_a, at_b, 2, columns)
        copy(strips, writing, start, 2, product)
        sums = multiply(sums, strips, at_a, at_b, 3, columns)
        copy(strips, writing, start, 3, product)
        return sums

    return stage


stage_tf32 = _stage(tiles.multiply_tf32, copy_words)
stage_bf16 = _stage(tiles.multiply_bf16, copy_halves)


@cuda.jit(device=True, forceinline=True)
def stage_tf32x3(sums, strips, at_a, at_b, writing, start, product):
    """A stage of three products in the place of one; four times as many would want more registers than there are."""
    for part in range(PARTS):
        copy_words(strips, writing, start, part, product)
    for step in range(4):
        sums = tiles.multiply_tf32x3(sums, strips, at_a, at_b, step, product[5])
    return sums


def _product(p, columns, *, halves, thrice):
    """The run of one precision. What is known when it is built, the compiler prunes the branches of."""
    each, dtype = (HALVES, np.uint16) if halves else (WORDS, np.float32)
    a_width, b_width = round_up(p.k, each), round_up(p.n, each)
    wide_c = p.n % 4 == 0
    threads, warps_across = sizes.threads_of(columns), columns // WARP_TILE
    depth, stage = CHUNKS * each, sizes.stage_elements(columns, each)
    last, corner = (STAGES - 1) * stage, origin(BlockTile(columns))

    @cuda.jit(cache=True, launch_bounds=(threads, 1))
    def multiply(C, A, B, m, n, k, a_width, b_width):
        strips = cuda.shared.array(0, dtype, alignment=16)
        top, left = corner(m, n)
        product = A, B, (m, a_width), (k, b_width), (top, left), columns, threads
        warp = uint32(cuda.threadIdx.x) // uint32(32)
        row, column = warp // uint32(warps_across) * uint32(WARP_TILE), warp % uint32(warps_across) * uint32(WARP_TILE)
        for ahead in range(STAGES - 1):
            for part in range(PARTS):
                if halves:
                    copy_halves(strips, uint32(ahead * stage), uint32(ahead * depth), part, product)
                else:
                    copy_words(strips, uint32(ahead * stage), uint32(ahead * depth), part, product)
            ptx.commit_copies()
        sums, reading, writing = ZEROS, uint32(0), uint32(last)
        for begin in range(uint32(0), k, uint32(depth)):
            ptx.wait_for_copies(YOUNGEST)
            cuda.syncthreads()
            start = uint32(begin + (STAGES - 1) * depth)
            at_a, at_b = uint32(reading + row * uint32(depth)), uint32(reading + uint32(ROWS * depth) + column)
            if halves:
                sums = stage_bf16(sums, strips, at_a, at_b, writing, start, product)
            elif thrice:
                sums = stage_tf32x3(sums, strips, at_a, at_b, writing, start, product)
            else:
                sums = stage_tf32(sums, strips, at_a, at_b, writing, start, product)
            ptx.commit_copies()
            writing = reading
            reading = uint32(reading + stage) if reading < last else uint32(0)
        tiles.write_warp_tile(C, (m, n), uint32(top + row), uint32(left + column), sums, wide_c)

    extents = tuple(np.uint32(extent) for extent in (p.m, p.n, p.k, a_width, b_width))

    def run(gpu, C, A, B, wide_A, wide_B):
        if a_width > p.k:
            gpu.launch(tiles.widen_rows, p.m, COPY_THREADS, wide_A, A)
            A = wide_A
        if b_width > p.n:
            gpu.launch(tiles.widen_rows, p.k, COPY_THREADS, wide_B, B)
            B = wide_B
        flat = C.reshape(C.size), A.reshape(A.size), B.reshape(B.size)
        gpu.launch(multiply, sizes.blocks(p, columns), threads, *flat, *extents, shared=sizes.shared_bytes(columns))

    return run
