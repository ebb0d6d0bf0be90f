"""matmul that computes on one strip while the next are on their way.

C is m×n, A is m×k, B is k×n, row after row, and flat; all are float32. Traffic is what the warps' requests move,
in whole sectors of 32 bytes, before any cache. The parts that other kernels use, too, are in `_shared.gpu_gemm`.
"""

import functools

import numpy as np
from numba import cuda, float32, intp, uint32

from gpuplay.intrinsics import ptx

from ..._shared.gpu_gemm import epilogue, product, staging
from ..._shared.gpu_gemm.tiling import QUAD, Tiling, fitting
from .vectors import DEPTH, SIDE, THREADS, WORDS, ZEROS, multiply_strips, stores

TWO_STAGES = Tiling(SIDE, SIDE, depth=DEPTH, stages=2)
STRIPS = 2 * WORDS


def pipelined(p):
    """Two strips of A and of B: copies fill one past the registers while the threads multiply the other.

    `ptx.copy4_async` and `ptx.copy1_async` begin a copy and do not wait; each thread waits for its own just before the
    barrier behind which the strip is read. That barrier is the only one in a turn: it also says that nobody reads the
    other strip any more. A is turned on its way, word by word. Traffic: m·n·k / 16 bytes of loads, 4·m·n of stores.
    """
    copy_a = staging.along_depth(SIDE, TWO_STAGES)
    copy_b = staging.along_span(SIDE, TWO_STAGES, wide=p.n % 4 == 0)
    store = stores(p)

    @cuda.jit(cache=True, launch_bounds=(THREADS, 2))
    def multiply_pipelined(C, A, B, m, n, depth):
        a = cuda.shared.array(STRIPS, float32, alignment=16)
        b = cuda.shared.array(STRIPS, float32, alignment=16)
        thread = uint32(cuda.threadIdx.x)
        top, left = uint32(cuda.blockIdx.y * SIDE), uint32(cuda.blockIdx.x * SIDE)
        y, x = uint32(thread // uint32(16) * uint32(4)), uint32(thread % uint32(16) * uint32(4))
        here, there = uint32(0), uint32(WORDS)
        copy_a(a, here, A, (m, depth), top, uint32(0))
        copy_b(b, here, B, (depth, n), left, uint32(0))
        tile = ZEROS
        for start in range(uint32(0), depth, uint32(DEPTH)):
            ptx.commit_copies()
            ptx.wait_for_copies(0)
            cuda.syncthreads()
            following = uint32(start + uint32(DEPTH))
            if following < depth:
                copy_a(a, there, A, (m, depth), top, following)
                copy_b(b, there, B, (depth, n), left, following)
            tile = multiply_strips(tile, a, intp(here + y), b, intp(here + x))
            here, there = there, here
        store(tile, uint32(top + y), uint32(left + x), (C, m, n))

    grid = (-(-p.n // SIDE), -(-p.m // SIDE))
    extents = np.uint32(p.m), np.uint32(p.n), np.uint32(p.k)

    def run(gpu, C, A, B):
        gpu.launch(multiply_pipelined, grid, THREADS, C.ravel(), A.ravel(), B.ravel(), *extents)

    return run


@functools.cache
def _warp_tiles(tiling, wide):
    """The GPU function of `warps`; ``wide`` where rows of B and C are of a multiple of 4 elements."""
    stage_a = staging.along_depth(tiling.rows, tiling)
    stage_b = staging.along_span(tiling.columns, tiling, wide)
    multiply, origin = product.product(tiling, stage_a, stage_b), product.origin(tiling)
    finish = epilogue.epilogue(tiling, epilogue.store_wide if wide else epilogue.store_apart)
    words, zeros = tiling.shared_words, product.zeros(tiling)

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply_warp_tiles(C, A, B, m, n, depth):
        strips = cuda.shared.array(words, float32, alignment=16)
        row, column = origin(m, n)
        tile = multiply(zeros, strips, A, (m, depth), B, (depth, n), row, column, depth)
        finish(tile, row, column, (C, m, n))

    return multiply_warp_tiles


def warps(p, block_tile, thread_rows):
    """Square tiles for warps, several strips on their way, and an order of blocks that the L2 cache likes.

    Every warp has a tile of its own, 32×64 or 64×64, and several strips are on their way. A warp of the rung below
    takes 8 rows and 64 columns of a strip in two steps; in the square tile of 4 by 8 threads, what is loaded serves
    more of them at once, and threads beside each other that want the same number are served together. Blocks follow
    each other in squares of C, so that what one loads is in the L2 cache for the next. Where tiles of 128×128 would
    leave multiprocessors idle, they are 64×64. Threads of 16 rows load 24 numbers for 128 multiply-adds where those of
    8 rows load 16 for 64, but half as many find room. Traffic: 8·m·n·k / tile bytes of loads, 4·m·n of stores.
    """
    largest = Tiling(block_tile, block_tile, quads_across=block_tile // 64, quads_down=thread_rows // QUAD)
    extents = np.uint32(p.m), np.uint32(p.n), np.uint32(p.k)

    def run(gpu, C, A, B):
        tiling = fitting(largest, p.m, p.n, gpu.properties.multiprocessors)
        function = _warp_tiles(tiling, wide=p.n % 4 == 0)
        gpu.launch(function, tiling.grid(p.m, p.n), tiling.threads, C.ravel(), A.ravel(), B.ravel(), *extents)

    return run
