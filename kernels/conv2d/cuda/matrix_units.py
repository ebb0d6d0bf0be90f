"""conv2d on the matrix units of a multiprocessor: the product of `implicit` with factors in TF32.

A block computes 128 or 64 filters and 128 pixels, a warp 64 filters of 64 or 32 pixels. Strips of filters and of
patches, 32 taps deep, pass through three stages of shared memory, laid out as `gpu_matrix_tiles` wants them.
"""

import functools

import numpy as np
from numba import cuda, int32, intp, uint32

from gpuplay.intrinsics import ptx

from ..._shared import gpu_matrix_tiles as tiles
from ..._shared.gpu_gemm.product import origin
from ..._shared.gpu_matrix_tiles import CHUNKS, WORDS
from .patches import copy_ahead, patches, sink_of
from .sizes import MATRIX_STAGES, MATRIX_TILES, Geometry, tiling_for

DEPTH = CHUNKS * WORDS  # taps of a stage
YOUNGEST = MATRIX_STAGES - 2  # stages whose copies may be under way while one is multiplied
ZEROS, FEW_ZEROS = (np.float32(0),) * 128, (np.float32(0),) * 64  # a lane's part of 64×64 sums, and of 64×32


def tf32(p):
    """Warps multiply on their matrix unit: 16×8×8 products an instruction, factors rounded to 11 bits.

    Weights are rounded to 11 bits when packed, pixels on their way from shared memory; products are exact. One
    instruction of a warp adds 16×8×8 products to float32 sums. Global traffic, in floats: taps·(filters + pixels of
    the tile) for every block, as in `implicit`; and Y once.
    """
    geometry = Geometry.of(p)
    filters, pixels = geometry.filters, geometry.pixels

    def run(gpu, Y, X, W):
        tile = tiling_for(filters, pixels, 1, MATRIX_TILES, gpu.properties.multiprocessors)
        function, grid = _multiply_patches_tf32(geometry, tile), tile.grid(filters, pixels)
        arrays = Y.reshape(Y.size), X.reshape(X.size), W.reshape(W.size)
        gpu.launch(function, grid, tile.threads, *arrays, shared=tile.shared_bytes)

    return run


@functools.cache
def _multiply_patches_tf32(geometry, tile):
    filters, pixels, image, taps = geometry.filters, geometry.pixels, geometry.image, geometry.taps
    columns, warp_columns, warps_across = tile.columns, tile.warp_columns, tile.columns // tile.warp_columns
    wide, nothing = warp_columns == 64, ZEROS if warp_columns == 64 else FEW_ZEROS
    strip, stage = tile.rows * DEPTH, (tile.rows + columns) * DEPTH
    ahead, last = MATRIX_STAGES - 1, (MATRIX_STAGES - 1) * stage
    corner, bring = origin(tile), _stage_loader(geometry, tile)
    finish = epilogue(4, warp_columns // 8, sink_of(geometry))

    @cuda.jit(cache=True, launch_bounds=tile.launch_bounds)
    def multiply_patches_tf32(Y, X, W):
        strips = cuda.shared.array(0, np.float32, alignment=16)
        top, left = corner(uint32(filters), uint32(pixels))
        warp = uint32(cuda.threadIdx.x) // uint32(32)
        row, column = uint32(warp // uint32(warps_across) * 64), uint32(warp % uint32(warps_across) * warp_columns)
        for number in range(ahead):
            bring(strips, uint32(number * stage), W, X, top, left, uint32(number * DEPTH))
        sums, reading, writing = nothing, uint32(0), uint32(last)
        for start in range(0, taps, DEPTH):
            ptx.wait_for_copies(YOUNGEST)
            cuda.syncthreads()
            bring(strips, writing, W, X, top, left, uint32(start + ahead * DEPTH))
            at_w, at_p = uint32(reading + row * DEPTH), uint32(reading + strip + column)
            if wide:
                sums = wide_stage(sums, strips, at_w, at_p, columns)
            else:
                sums = narrow_stage(sums, strips, at_w, at_p, columns)
            writing = reading
            reading = uint32(reading + stage) if reading < last else uint32(0)
        finish(sums, uint32(top + row), uint32(left + column), (Y, filters, image, pixels))

    return multiply_patches_tf32


@functools.cache
def _stage_loader(geometry, tile):
    """A device function that begins to copy a stage's filters, and behind them its patches, as one group."""
    filters, pixels, taps = geometry.filters, geometry.pixels, geometry.taps
    rows, threads, strip = tile.rows, tile.threads, tile.rows * DEPTH
    gather = patches(geometry, tile, copy_ahead, swizzled)

    @cuda.jit(device=True, forceinline=True)
    def bring(strips, at, W, X, top, left, start):
        copy_filters(strips, at, W, (filters, taps), top, start, rows, threads)
        gather(strips, uint32(at + strip), X, (taps, pixels), left, start)
        ptx.commit_copies()

    return bring


@cuda.jit(device=True, forceinline=True)
def copy_filters(strip, at, W, extents, first, start, rows, threads):
    """Begin to copy 32 taps of ``rows`` filters, a chunk of 16 bytes at a time; row r has chunk c at c ^ r mod 8.

    Each turn of the threads fills whole periods of that, so only the first place needs to be worked out.
    """
    filters, taps = extents
    thread, high = uint32(cuda.threadIdx.x), threads // CHUNKS
    row, chunk = thread // uint32(CHUNKS), thread % uint32(CHUNKS)
    f, tap = uint32(first + row), uint32(start + chunk * uint32(WORDS))
    target = intp(uint32(at + (row * uint32(CHUNKS) + (chunk ^ row % uint32(8))) * uint32(WORDS)))
    source = intp(uint32(f * uint32(taps) + tap))
    for turn in range(rows // high):
        inside = (f + turn * high < filters) & (tap < taps)
        there = int32(WORDS if inside else 0)
        ptx.copy4_async(strip, target + turn * high * DEPTH, W, source + turn * high * taps, there)


@cuda.jit(device=True, forceinline=True)
def _wide_step(sums, strips, at_w, at_p, step, pitch):
    """64×64 sums and eight taps. The weights were rounded when they were packed."""
    a, right = tiles.left_fragments(strips, at_w, step, WORDS), uint32(at_p + uint32(32))
    b = tiles.right_words(strips, at_p, step, pitch) + tiles.right_words(strips, right, step, pitch)
    return ptx.multiply_tiles_tf32(sums, a, ptx.round_to_tf32(b))


@cuda.jit(device=True, forceinline=True)
def _narrow_step(sums, strips, at_w, at_p, step, pitch):
    """64×32 sums and eight taps."""
    a, b = tiles.left_fragments(strips, at_w, step, WORDS), tiles.right_words(strips, at_p, step, pitch)
    return ptx.multiply_tiles_tf32(sums, a, ptx.round_to_tf32(b))


@cuda.jit(device=True, forceinline=True)
def wide_stage(sums, strips, at_w, at_p, pitch):
    """The four steps of a stage, one by one: a loop need not be unrolled, and its places would not be constants."""
    sums = _wide_step(sums, strips, at_w, at_p, 0, pitch)
    sums = _wide_step(sums, strips, at_w, at_p, 1, pitch)
    sums = _wide_step(sums, strips, at_w, at_p, 2, pitch)
    return _wide_step(sums, strips, at_w, at_p, 3, pitch)


@cuda.jit(device=True, forceinline=True)
def narrow_stage(sums, strips, at_w, at_p, pitch):
    """As `wide_stage`, for warps of half the width."""
    sums = _narrow_step(sums, strips, at_w, at_p, 0, pitch)
    sums = _narrow_step(sums, strips, at_w, at_p, 1, pitch)
    sums = _narrow_step(sums, strips, at_w, at_p, 2, pitch)
    return _narrow_step(sums, strips, at_w, at_p, 3, pitch)


@functools.cache
def swizzled(columns):
    """Where `gpu_matrix_tiles` has element (row + k, column) of a strip of patches, row a multiple of 4, k below 4.

    Row r keeps its chunk of four words c at place c ^ 2·(r mod 4).
    """

    @cuda.jit(device=True, forceinline=True)
    def place(at, row, column, k):
        return intp(uint32(at + row * uint32(columns) + (column ^ uint32(8 * k)))) + k * columns

    return place


@functools.cache
def epilogue(down, across, sink):
    """A device function ``(sums, row, column, operands)``: a warp's tiles of 16×8, in quads, to a sink of `patches`."""
    if down > 1:
        return _halves(epilogue(down // 2, across, sink), 2 * down * across, 8 * down, 0)
    if across > 1:
        return _halves(epilogue(1, across // 2, sink), 2 * across, 0, 4 * across)

    @cuda.jit(device=True, forceinline=True)
    def one_tile(sums, row, column, operands):
        below, beside, quad = tiles.quad_of_tile(sums)
        sink(quad, uint32(row + below), uint32(column + beside), operands)

    return one_tile


def _halves(half, cut, below, beside):
    """Both halves of a warp's sums, the second so many rows below or columns beside the first."""

    @cuda.jit(device=True, forceinline=True)
    def both(sums, row, column, operands):
        half(sums[:cut], row, column, operands)
        half(sums[cut:], uint32(row + uint32(below)), uint32(column + uint32(beside)), operands)

    return both
