"""matmul by warpgroups of two blocks at a time, which share what they read of B: capability 9.0.

As in `hopper`, but two blocks on neighbouring multiprocessors are a cluster. Their tiles of C lie one below the other,
so they need the same tiles of B: each producer orders half of a tile, and has it copied to both blocks. B leaves
the second cache once for two blocks: for a step of k of 128×256 elements a block takes 256 numbers from there, not 384.

A stage is free when the consumers of both blocks have given it back, since both producers write to it: a
stage's "empty" barrier counts the warps of both, and each warp arrives at both blocks' barriers.

Global traffic: ⌈n/columns⌉·m·k + ⌈m/256⌉·k·n elements of bfloat16 read, m·n of float32 written.
"""

import numpy as np
from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from .hopper import (
    CONSUMER_WARPS,
    GROUP_ROWS,
    PANEL,
    PANEL_SIZE,
    THREADS,
    launcher,
    multiply_halves,
    place,
    widened,
    writer,
)
from .warpgroups import DEPTH, PATTERN, ROWS, STAGES

BLOCKS = 2  # of a cluster
BOTH = 0b11


def clusters(p, columns):
    """Two blocks on neighbouring multiprocessors share tiles of B: each orders half of them, and both receive it.

    C in tiles of 256×``columns``, a cluster each.
    """
    sums = (np.float32(0),) * (columns // 2)
    write = writer(columns // 2)
    share = columns // PANEL // BLOCKS
    panels = tuple(range(share))
    a_size = ROWS * DEPTH
    stage_size = a_size + DEPTH * columns
    stage_bytes = 2 * stage_size
    wide, group_size = p.n % 4 == 0, GROUP_ROWS * DEPTH

    @cuda.jit(device=True, forceinline=True)
    def fill(ring, full, at, stage, A, B, row, column, depth, rank):
        """Order this block's part of a stage: its box of A for itself, its panels of B for both blocks."""
        ptx.arrive_expecting(full, stage, stage_bytes)
        ptx.copy_box_async(ring, at, A, row, depth, full, stage)
        for panel in cuda.literal_unroll(panels):
            number = uint32(rank * uint32(share) + uint32(panel))
            to, across = at + uint32(a_size) + number * uint32(PANEL_SIZE), column + number * uint32(PANEL)
            ptx.copy_box_to_blocks(ring, to, B, depth, across, full, stage, BOTH)

    @cuda.jit(cache=True, launch_bounds=(THREADS, 1))
    def multiply(C, A, B, m, n, k):
        ptx.cluster_of(BLOCKS)
        ring = cuda.shared.array(0, np.uint16)
        full = cuda.shared.array(STAGES, np.uint64)
        empty = cuda.shared.array(STAGES, np.uint64)
        first = ptx.elements_to_boundary(ring, PATTERN)
        thread, rank = uint32(cuda.threadIdx.x), ptx.cluster_rank()
        if thread == 0:
            for stage in range(STAGES):
                ptx.init_barrier(full, stage, 1)
                ptx.init_barrier(empty, stage, BLOCKS * CONSUMER_WARPS)
            ptx.publish_barriers()
        ptx.cluster_sync()
        warp, lane = uint32(thread // uint32(32)), uint32(thread % uint32(32))
        down = uint32((m + uint32(BLOCKS * ROWS - 1)) // uint32(BLOCKS * ROWS))
        across = uint32((n + uint32(columns - 1)) // uint32(columns))
        begin, step = uint32(cuda.blockIdx.x) // uint32(BLOCKS), uint32(cuda.gridDim.x) // uint32(BLOCKS)
        turn = uint32(0)  # stages that this thread has filled, or emptied
        if warp == CONSUMER_WARPS:
            if lane == 0:
                ptx.acquire_tensor_map(A)
                ptx.acquire_tensor_map(B)
                for tile in range(begin, down * across, step):
                    i, j = place(uint32(tile), down, across)
                    row = uint32((i * uint32(BLOCKS) + rank) * uint32(ROWS))
                    for depth in range(uint32(0), k, uint32(DEPTH)):
                        stage = turn % uint32(STAGES)
                        ptx.wait_for_phase(empty, stage, (turn // uint32(STAGES) + uint32(1)) & uint32(1))
                        at = first + stage * uint32(stage_size)
                        fill(ring, full, at, stage, A, B, row, j * uint32(columns), depth, rank)
                        turn += uint32(1)
        else:
            group = warp // uint32(4)
            for tile in range(begin, down * across, step):
                total = sums
                for depth in range(uint32(0), k, uint32(DEPTH)):
                    stage = turn % uint32(STAGES)
                    ptx.wait_for_phase(full, stage, turn // uint32(STAGES) & uint32(1))
                    at = first + stage * uint32(stage_size)
                    total = multiply_halves(total, ring, at + group * uint32(group_size), at + uint32(a_size))
                    total = ptx.wait_for_products(total, 1)
                    if lane < BLOCKS and depth > uint32(0):  # the products of the stage before are done
                        ptx.arrive_at_block(empty, (turn - uint32(1)) % uint32(STAGES), lane)
                    turn += uint32(1)
                total = ptx.wait_for_products(total, 0)
                if lane < BLOCKS:
                    ptx.arrive_at_block(empty, (turn - uint32(1)) % uint32(STAGES), lane)
                i, j = place(uint32(tile), down, across)
                row = uint32((i * uint32(BLOCKS) + rank) * uint32(ROWS) + warp * uint32(16))
                write(C, (m, n), row, j * uint32(columns), total, wide)
        ptx.cluster_sync()  # nobody leaves while the other block may still arrive here

    run = launcher(p, multiply, columns, BLOCKS)

    def wide_rows(gpu, C, A, B, *spaces):
        A, B = widened(gpu, p, A, B, spaces)
        run(gpu, C, gpu.tensor_map(A, (ROWS, DEPTH)), gpu.tensor_map(B, (DEPTH, PANEL)))

    return wide_rows
