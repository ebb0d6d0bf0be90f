"""matmul by warpgroups (wgmma) on tiles that the tensor memory accelerator (TMA) brings: capability 9.0.

A block is a small factory. One thread, the producer, does nothing but order tiles of A and B into a ring of
stages in shared memory. Two warpgroups, the consumers, each multiply 64 rows of A's tile by all columns of B's. Nobody
meets at a barrier of the block: each stage has a barrier that says "full" and one that says "empty".

A is m×k and B is k×n, bfloat16 in uint16 or float32; C is m×n, float32, as are all sums. A block has a multiprocessor
to itself and takes one tile of C after another: the producer orders the next tile's stages while the last is written.

Global traffic of the products: ⌈n/columns⌉·m·k + ⌈m/128⌉·k·n elements of A and B read, m·n of C written.
"""

import functools

import numpy as np
from numba import cuda, uint32, uint64

from gpuplay.intrinsics import ptx

from ..._shared.gpu_matrix_tiles import widen_rows, write_tile
from .warpgroups import ALIGNED, DEPTH, PATTERN, ROWS, STAGES, WORD_DEPTH, WORDS_ALIGNED, shared_bytes

CONSUMER_WARPS = 8  # two warpgroups; the producer is a thread of the warp behind them
THREADS = 32 * (CONSUMER_WARPS + 1)
GROUP_ROWS = 64  # of A's tile that a warpgroup multiplies
PANEL = 64  # columns of B's tile that lie together, 128 bytes a row: a box
PANEL_SIZE = DEPTH * PANEL
BAND = 8  # tiles downwards that are worked on side by side: they share columns of B, and rows of A, in L2
COPY_THREADS = 256
SQUARE, SQUARE_ROWS = 32, 8  # a square of B that a block transposes, and rows at a time
SQUARE_PITCH = SQUARE + 1  # a column more: no bank conflicts down a column


@cuda.jit(cache=True)
def _transpose(turned, matrix):
    """``turned`` (columns, width) gets the columns of ``matrix`` (rows, columns) as rows, zeros behind them.

    By squares in shared memory, so that both sides are read and written along rows.
    """
    square = cuda.shared.array((SQUARE, SQUARE_PITCH), np.float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    down, across = cuda.blockIdx.x % (turned.shape[1] // SQUARE), cuda.blockIdx.x // (turned.shape[1] // SQUARE)
    column = across * SQUARE + x
    for step in range(y, SQUARE, SQUARE_ROWS):
        row = down * SQUARE + step
        inside = row < matrix.shape[0] and column < matrix.shape[1]
        square[step, x] = matrix[row, column] if inside else np.float32(0)
    cuda.syncthreads()
    for step in range(y, SQUARE, SQUARE_ROWS):
        if across * SQUARE + step < turned.shape[0]:
            turned[across * SQUARE + step, down * SQUARE + x] = square[x, step]


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
def multiply_halves(total, ring, a_at, b_at):
    """Begin the four products of a stage: 16 of its 64 steps of k each."""
    a = ptx.describe_tile(ring, a_at, 0, PATTERN)
    b = ptx.describe_tile(ring, b_at, 2 * PANEL_SIZE, PATTERN)
    ptx.fence_products()
    for step in cuda.literal_unroll((0, 1, 2, 3)):
        total = ptx.multiply_async_bf16(total, a + uint64(2 * step), b + uint64(128 * step))
    ptx.commit_products()
    return total


@cuda.jit(device=True, forceinline=True)
def multiply_words(total, ring, a_at, b_at):
    """The same in TF32: eight of 32 steps of k each, the rows of both tiles along k."""
    a, b = ptx.describe_tile(ring, a_at, 0, PATTERN), ptx.describe_tile(ring, b_at, 0, PATTERN)
    ptx.fence_products()
    for step in cuda.literal_unroll((0, 1, 2, 3)):
        total = ptx.multiply_async_tf32(total, a + uint64(2 * step), b + uint64(2 * step))
    ptx.commit_products()
    return total


def wgmma(p, columns):
    """One thread keeps a ring of tiles filled by TMA, two warpgroups multiply them from shared memory.

    Of bfloat16, by products of 64×``columns``×16.
    """
    run = _pipeline(p, columns, halves=True)

    def wide(gpu, C, A, B, *spaces):
        A, B = widened(gpu, p, A, B, spaces)
        run(gpu, C, gpu.tensor_map(A, (ROWS, DEPTH)), gpu.tensor_map(B, (DEPTH, PANEL)))

    return wide


def wgmma_tf32(p, columns):
    """One thread keeps a ring of tiles filled by TMA, two warpgroups multiply them from shared memory, in TF32.

    Of float32, by products of 64×``columns``×8, of which the matrix units cut the factors to 10 bits of fraction. They
    read tiles of 32-bit numbers along k alone, so that B is transposed first: 8·k·n bytes more.
    """
    run = _pipeline(p, columns, halves=False)

    def turned(gpu, C, A, B, *spaces):
        if p.k % WORDS_ALIGNED:
            gpu.launch(widen_rows, p.m, COPY_THREADS, spaces[0], A)
            A = spaces[0]
        blocks = -(-p.n // SQUARE) * (spaces[-1].shape[1] // SQUARE)
        gpu.launch(_transpose, blocks, (SQUARE, SQUARE_ROWS), spaces[-1], B)
        run(gpu, C, gpu.tensor_map(A, (ROWS, WORD_DEPTH)), gpu.tensor_map(spaces[-1], (columns, WORD_DEPTH)))

    return turned


def widened(gpu, p, A, B, spaces):
    """A and B of bfloat16, or copies of them whose rows TMA can step over."""
    spaces = list(spaces)
    if p.k % ALIGNED:
        gpu.launch(widen_rows, p.m, COPY_THREADS, spaces[0], A)
        A = spaces.pop(0)
    if p.n % ALIGNED:
        gpu.launch(widen_rows, p.k, COPY_THREADS, spaces[0], B)
        B = spaces.pop(0)
    return A, B


def _pipeline(p, columns, *, halves):
    """What multiplies, given descriptions of A and B: C in tiles of 128×``columns``, of bfloat16 or of float32."""
    dtype, size, deep = (np.uint16, 2, DEPTH) if halves else (np.float32, 4, WORD_DEPTH)
    sums = (np.float32(0),) * (columns // 2)
    write = writer(columns // 2)
    panels = tuple(range(columns // PANEL))
    a_size, group_size = ROWS * deep, GROUP_ROWS * deep
    stage_size = a_size + deep * columns
    stage_bytes = size * stage_size
    wide = p.n % 4 == 0

    @cuda.jit(device=True, forceinline=True)
    def fill(ring, full, at, stage, A, B, row, column, depth):
        """Order a stage: a box of A, and one of B transposed or the panels of B beside each other."""
        ptx.arrive_expecting(full, stage, stage_bytes)
        ptx.copy_box_async(ring, at, A, row, depth, full, stage)
        if halves:
            for panel in cuda.literal_unroll(panels):
                to = at + uint32(a_size + panel * PANEL_SIZE)
                ptx.copy_box_async(ring, to, B, depth, column + uint32(panel * PANEL), full, stage)
        else:
            ptx.copy_box_async(ring, at + uint32(a_size), B, column, depth, full, stage)

    @cuda.jit(cache=True, launch_bounds=(THREADS, 1))
    def multiply(C, A, B, m, n, k):
        ring = cuda.shared.array(0, dtype)
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
                    for depth in range(uint32(0), k, uint32(deep)):
                        stage = turn % uint32(STAGES)
                        ptx.wait_for_phase(empty, stage, (turn // uint32(STAGES) + uint32(1)) & uint32(1))
                        at = first + stage * uint32(stage_size)
                        fill(ring, full, at, stage, A, B, i * uint32(ROWS), j * uint32(columns), depth)
                        turn += uint32(1)
            return
        group = warp // uint32(4)
        for tile in range(uint32(cuda.blockIdx.x), down * across, uint32(cuda.gridDim.x)):
            total = sums
            for depth in range(uint32(0), k, uint32(deep)):
                stage = turn % uint32(STAGES)
                ptx.wait_for_phase(full, stage, turn // uint32(STAGES) & uint32(1))
                at = first + stage * uint32(stage_size)
                a_at, b_at = at + group * uint32(group_size), at + uint32(a_size)
                total = multiply_halves(total, ring, a_at, b_at) if halves else multiply_words(total, ring, a_at, b_at)
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
    """``run(gpu, C, A, B)``, given descriptions: as many blocks as there are multiprocessors, or fewer.

    ``cluster`` blocks take tiles below each other.
    """
    most = -(-p.m // (cluster * ROWS)) * -(-p.n // columns)
    sizes = uint32(p.m), uint32(p.n), uint32(p.k)

    def run(gpu, C, A, B):
        grid = cluster * min(most, gpu.properties.multiprocessors // cluster)
        gpu.launch(multiply, grid, THREADS, C.ravel(), A, B, *sizes, shared=shared_bytes(columns))

    return run
