"""The product of two strips by one block: a pipeline of stages in shared memory, a tile in each thread's registers."""

import functools

import numpy as np
from numba import cuda, intp, uint32

from gpuplay.intrinsics import ptx

from .tiling import LANES_ACROSS, LANES_DOWN, QUAD, WARP, pitch

GROUP = 16


def zeros(tiling):
    """A thread's tile before the first step."""
    return (np.float32(0),) * (tiling.thread_rows * tiling.thread_columns)


@functools.cache
def origin(tiling, group=GROUP):
    """A device function ``(m, n)``: row and column where the block's tile begins.

    Blocks that follow each other walk down ``group`` tiles, then one across. Those that run at the same time
    then cover about a square of C, and so few different rows of A and columns of B that the L2 cache serves
    most of what they load.
    """
    rows, columns = tiling.rows, tiling.columns

    @cuda.jit(device=True, forceinline=True)
    def first_element(m, n):
        block = uint32(cuda.blockIdx.x)
        down, across = (
            uint32((m + uint32(rows - 1)) // uint32(rows)),
            uint32((n + uint32(columns - 1)) // uint32(columns)),
        )
        full = uint32(across * uint32(group))
        first = uint32(block // full * uint32(group))
        height = min(uint32(group), uint32(down - first))
        inside = block % full
        return uint32((first + inside % height) * uint32(rows)), uint32(inside // height * uint32(columns))

    return first_element


@functools.cache
def first_quad(tiling):
    """A device function ``()``: row and column of the thread's first quad within the block's tile.

    Lanes 2·i and 2·i + 1 share columns, lanes i and i ^ 2 share rows: lanes next to each other want the same
    quad of one operand, and shared memory serves lanes that want the same at once.
    """
    warp_rows, warp_columns = tiling.warp_rows, tiling.warp_columns
    warps_across = tiling.columns // warp_columns

    @cuda.jit(device=True, forceinline=True)
    def place():
        thread = uint32(cuda.threadIdx.x)
        warp, lane = thread // uint32(WARP), thread % uint32(WARP)
        down = lane % uint32(2) + lane // uint32(16) * uint32(2)
        across = lane // uint32(2) % uint32(LANES_ACROSS)
        row = warp // uint32(warps_across) * uint32(warp_rows) + down * uint32(QUAD)
        column = warp % uint32(warps_across) * uint32(warp_columns) + across * uint32(QUAD)
        return uint32(row), uint32(column)

    return place


@functools.cache
def _quads(count, apart):
    """A device function ``(strips, at)``: so many quads of a step, ``apart`` elements from each other, in one tuple."""
    if count == 1:

        @cuda.jit(device=True, forceinline=True)
        def one_quad(strips, at):
            return ptx.load4(strips, at)

        return one_quad

    half, far = _quads(count // 2, apart), count // 2 * apart

    @cuda.jit(device=True, forceinline=True)
    def both_halves(strips, at):
        return half(strips, at) + half(strips, at + far)

    return both_halves


@functools.cache
def _one_step(quads_down, quads_across):
    """A device function ``(tile, strips, at_a, at_b)``: the tile plus a column of A times a row of B."""
    column, row = _quads(quads_down, LANES_DOWN * QUAD), _quads(quads_across, LANES_ACROSS * QUAD)

    @cuda.jit(device=True, forceinline=True)
    def multiply_step(tile, strips, at_a, at_b):
        return ptx.add_outer(tile, column(strips, at_a), row(strips, at_b))

    return multiply_step


@functools.cache
def stage_product(tiling, count):
    """As `_one_step` for ``count`` steps of k, a power of two: at the most the ``depth`` of a stage.

    Two halves make a whole: unlike a loop, this is unrolled for certain, so that the tile stays in registers and
    the places are constants in the load instructions. These take signed 64-bit places, which cannot wrap.
    """
    if count == 1:
        return _one_step(tiling.quads_down, tiling.quads_across)
    half = stage_product(tiling, count // 2)
    a_half, b_half = count // 2 * pitch(tiling.rows), count // 2 * pitch(tiling.columns)

    @cuda.jit(device=True, forceinline=True)
    def multiply_halves(tile, strips, at_a, at_b):
        tile = half(tile, strips, at_a, at_b)
        return half(tile, strips, at_a + a_half, at_b + b_half)

    return multiply_halves


@functools.cache
def product(tiling, stage_a, stage_b):
    """A device function ``(tile, strips, A, a_shape, B, b_shape, row, column, depth)``: the tile plus a product.

    ``strips`` is the block's shared memory, ``row`` and ``column`` are where its tile begins, ``depth`` is the
    length of the sums. While one stage is multiplied, the copies of the others are under way. One barrier a
    stage says both that its copies have arrived, and that no thread reads the stage that is filled next.
    """
    multiply, quad = stage_product(tiling, tiling.depth), first_quad(tiling)
    steps, stages, under_way = tiling.depth, tiling.stages, tiling.stages - 2
    a_stage, b_stage = steps * pitch(tiling.rows), steps * pitch(tiling.columns)
    b_strips = stages * a_stage

    @cuda.jit(device=True, forceinline=True)
    def multiply_strips(tile, strips, A, a_shape, B, b_shape, row, column, depth):
        for stage in range(stages - 1):
            stage_a(strips, uint32(stage * a_stage), A, a_shape, row, uint32(stage * steps))
            stage_b(strips, uint32(b_strips + stage * b_stage), B, b_shape, column, uint32(stage * steps))
            ptx.commit_copies()
        i, j = quad()
        full, empty = uint32(0), uint32(stages - 1)
        for start in range(uint32(0), depth, uint32(steps)):
            ptx.wait_for_copies(under_way)
            cuda.syncthreads()
            ahead = uint32(start + uint32((stages - 1) * steps))
            stage_a(strips, uint32(empty * uint32(a_stage)), A, a_shape, row, ahead)
            stage_b(strips, uint32(uint32(b_strips) + empty * uint32(b_stage)), B, b_shape, column, ahead)
            ptx.commit_copies()
            at_a = intp(uint32(full * uint32(a_stage) + i))
            at_b = intp(uint32(full * uint32(b_stage) + j)) + b_strips
            tile = multiply(tile, strips, at_a, at_b)
            empty = full
            full = uint32(full + uint32(1)) if full < uint32(stages - 1) else uint32(0)
        ptx.wait_for_copies(0)
        cuda.syncthreads()
        return tile

    return multiply_strips
