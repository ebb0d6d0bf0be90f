"""matmul by warpgroups (wgmma) on tiles that the tensor memory accelerator (TMA) brings: capability 9.0.

A block is a small factory. One thread, the producer, does nothing but order tiles of A and B into a ring of
stages in shared memory. Two warpgroups, the consumers, each multiply 64 rows of A's tile by all columns of B's. Nobody
meets at a barrier of the block: each stage has a barrier that says "full" and one that says "empty".

A is m×k and B is k×n, bfloat16 in uint16; C is m×n, float32, as are all sums. A block is on a multiprocessor alone and
takes one tile of C after another, so that the producer orders the next tile's stages while the last is written.

Global traffic: ⌈n/columns⌉·m·k + ⌈m/128⌉·k·n elements of bfloat16 read, m·n of float32 written.
"""

import functools

import numpy as np
from numba import cuda, uint16, uint32, uint64

from gpuplay.intrinsics import ptx

from ..._shared.gpu_matrix_tiles import write_tile
from .warpgroups import ALIGNED, DEPTH, PATTERN, ROWS, STAGES, shared_bytes

CONSUMER_WARPS = 8  # two warpgroups; the producer is a thread of the warp behind them
THREADS = 32 * (CONSUMER_WARPS + 1)
GROUP_SIZE = 64 * DEPTH  # elements of A's tile that a warpgroup multiplies
PANEL = 64  # columns of B's tile that lie together, 128 bytes a row: a box
PANEL_SIZE = DEPTH * PANEL
BAND = 8  # tiles downwards that are worked on side by side: they share columns of B, and rows of A, in L2
COPY_THREADS = 256


@cuda.jit(cache=True)
def _copy_to_wider_rows(wide, narrow):
    """Rows of a matrix into rows of a width that TMA can step over, zeros behind them; a block a row."""
    i = cuda.blockIdx.x
    for j in range(cuda.threadIdx.x, wide.shape[1], cuda.blockDim.x):
        wide[i, j] = narrow[i, j] if j < narrow.shape[1] else uint16(0)


@cuda.jit(device=True, forceinline=True)
def place(number, height, width):
    """Row and column of a tile of C, both in tiles: they are numbered down bands of `BAND` rows."""
    area = uint32(uint32(BAND) * width)
    first = uint32(number // area * uint32(BAND))
    high, within = min(uint32(BAND), uint32(height - first)), uint32(number % area)
    return uint32(first + within % high), uint32(within // high)


@functools.cache
def writer(count):
    """A device function that writes a warp's 16 rows of sums, ``count`` a thread, for 2·count columns.

    Half of the sums and the other half: unlike a loop, this is unrolled for certain, and the sums stay in registers.
    """
    if count == 4:
        return write_tile
    half, middle = writer(count // 2), count // 2

    @cuda.jit(device=True, forceinline=True)
    def write_halves(C, extents, i, j, sums, wide):
        half(C, extents, i, j, sums[:middle], wide)
        half(C, extents, i, j + uint32(count), sums[middle:], wide)

    return write_halves


@cuda.jit(device=True, forceinline=True)
def multiply_stage(total, ring, a_at, b_at):
    """Begin the four products of a stage: 16 of its 64 steps of k each."""
    a = ptx.describe_tile(ring, a_at, 0, PATTERN)
    b = ptx.describe_tile(ring, b_at, 2 * PANEL_SIZE, PATTERN)
    ptx.fence_products()
    for step in cuda.literal_unroll((0, 1, 2, 3)):
        total = ptx.multiply_async_bf16(total, a + uint64(2 * step), b + uint64(128 * step))
    ptx.commit_products()
    return total


def wgmma(p, columns):
    """C in tiles of 128×``columns``, by products of 64×``columns``×16."""
    sums = (np.float32(0),) * (columns // 2)
    write = writer(columns // 2)
    panels = tuple(range(columns // PANEL))
    a_size = ROWS * DEPTH
    stage_size = a_size + DEPTH * columns
    stage_bytes = 2 * stage_size
    wide = p.n % 4 == 0

    @cuda.jit(device=True, forceinline=True)
    def fill(ring, full, at, stage, A, B, row, column, depth):
        """Order a stage: a box of A, and the panels of B beside each other."""
        ptx.arrive_expecting(full, stage, stage_bytes)
        ptx.copy_box_async(ring, at, A, row, depth, full, stage)
        for panel in cuda.literal_unroll(panels):
            to = at + uint32(a_size + panel * PANEL_SIZE)
            ptx.copy_box_async(ring, to, B, depth, column + uint32(panel * PANEL), full, stage)

    @cuda.jit(cache=True, launch_bounds=(THREADS, 1))
    def multiply(C, A, B, m, n, k):
        ring = cuda.shared.array(0, np.uint16)
        full = cuda.shared.array(STAGES, np.uint64)
        empty = cuda.shared.array(STAGES, np.uint64)
        first = ptx.elements_to_boundary(ring, PATTERN)
        thread = uint32(cuda.threadIdx.x)
        if thread == 0:
            for stage in range(STAGES):
                ptx.init_barrier(full, stage, 1)
                ptx.init_barrier(empty, stage, CONSUMER_WARPS)
            ptx.publish_barriers()
        cuda.syncthreads()
        warp, lane = uint32(thread // uint32(32)), uint32(thread % uint32(32))
        down = uint32((m + uint32(ROWS - 1)) // uint32(ROWS))
        across = uint32((n + uint32(columns - 1)) // uint32(columns))
        turn = uint32(0)  # stages that this thread has filled, or emptied
        if warp == CONSUMER_WARPS:
            if lane == 0:
                ptx.acquire_tensor_map(A)
                ptx.acquire_tensor_map(B)
                for tile in range(uint32(cuda.blockIdx.x), down * across, uint32(cuda.gridDim.x)):
                    i, j = place(uint32(tile), down, across)
                    for depth in range(uint32(0), k, uint32(DEPTH)):
                        stage = turn % uint32(STAGES)
                        ptx.wait_for_phase(empty, stage, (turn // uint32(STAGES) + uint32(1)) & uint32(1))
                        at = first + stage * uint32(stage_size)
                        fill(ring, full, at, stage, A, B, i * uint32(ROWS), j * uint32(columns), depth)
                        turn += uint32(1)
            return
        group = warp // uint32(4)
        for tile in range(uint32(cuda.blockIdx.x), down * across, uint32(cuda.gridDim.x)):
            total = sums
            for depth in range(uint32(0), k, uint32(DEPTH)):
                stage = turn % uint32(STAGES)
                ptx.wait_for_phase(full, stage, turn // uint32(STAGES) & uint32(1))
                at = first + stage * uint32(stage_size)
                total = multiply_stage(total, ring, at + group * uint32(GROUP_SIZE), at + uint32(a_size))
                total = ptx.wait_for_products(total, 1)
                if lane == 0 and depth > uint32(0):  # the products of the stage before are done
                    ptx.arrive(empty, (turn - uint32(1)) % uint32(STAGES))
                turn += uint32(1)
            total = ptx.wait_for_products(total, 0)
            if lane == 0:
                ptx.arrive(empty, (turn - uint32(1)) % uint32(STAGES))
            i, j = place(uint32(tile), down, across)
            write(C, (m, n), i * uint32(ROWS) + warp * uint32(16), j * uint32(columns), total, wide)

    return launcher(p, multiply, columns)


def launcher(p, multiply, columns, cluster=1):
    """A launch of as many blocks as there are multiprocessors, on matrices whose rows TMA can step over.

    ``cluster`` blocks take tiles below each other.
    """
    most = -(-p.m // (cluster * ROWS)) * -(-p.n // columns)
    sizes = uint32(p.m), uint32(p.n), uint32(p.k)

    def run(gpu, C, A, B, *wide):
        spaces = list(wide)
        if p.k % ALIGNED:
            A = _widened(gpu, spaces.pop(0), A)
        if p.n % ALIGNED:
            B = _widened(gpu, spaces.pop(0), B)
        maps = gpu.tensor_map(A, (ROWS, DEPTH)), gpu.tensor_map(B, (DEPTH, PANEL))
        grid = cluster * min(most, gpu.properties.multiprocessors // cluster)
        gpu.launch(multiply, grid, THREADS, C.ravel(), *maps, *sizes, shared=shared_bytes(columns))

    return run


def _widened(gpu, wide, narrow):
    gpu.launch(_copy_to_wider_rows, narrow.shape[0], COPY_THREADS, wide, narrow)
    return wide
