"""How filters and patches of images reach shared memory, and how pixels reach Y: the ends of an implicit product.

    Y[f, pixel] = Σ_tap W[tap, f]·P[tap, pixel]

A column of P is the patch of an image that an output pixel is made of. P itself is nowhere: a block gathers
from X what it needs, for its pixels and for a few taps at a time. Loaders and sinks are those of
`kernels._shared.gpu_gemm`, where their arguments are explained.
"""

import functools

import numpy as np
from numba import cuda, intp, uint32

from gpuplay.intrinsics import ptx

from ..._shared.gpu_gemm.tiling import QUAD, pitch
from .sizes import GROUP

ZERO = np.float32(0)
ZEROS = (ZERO,) * QUAD


@cuda.jit(device=True, forceinline=True)
def copy_now(shared, at, array, start, valid):
    """``array[start]`` to ``shared[at]`` by way of a register; zero unless ``valid``."""
    shared[at] = array[start] if valid else ZERO


@cuda.jit(device=True, forceinline=True)
def copy_ahead(shared, at, array, start, valid):
    """As `copy_now`, past the registers, and nobody waits. A loader closes over it: an intrinsic is never cached."""
    ptx.copy1_async(shared, at, array, start, valid)


@functools.cache
def rows_of_filters(tiling):
    """A loader of packed weights, as `gpu_gemm.staging.along_span`, by way of registers."""
    across, spacing = tiling.rows // QUAD, pitch(tiling.rows)
    threads, turns = tiling.threads, across * tiling.depth // tiling.threads

    @cuda.jit(device=True, forceinline=True)
    def load(shared, at, W, shape, first, start):
        taps, row = shape
        for turn in range(turns):
            quad = uint32(cuda.threadIdx.x + turn * threads)
            step, f = quad // uint32(across), uint32(quad % uint32(across) * uint32(QUAD))
            inside = start + step < taps and first + f < row
            weights = ptx.load4(W, uint32((start + step) * row + first + f)) if inside else ZEROS
            ptx.store4(shared, uint32(at + step * uint32(spacing) + f), weights)

    return load


@functools.cache
def padded(columns):
    """Where ``gpu_gemm`` has element (row + k, column) of a stage, k from 0 to 3: in rows that are some words longer.

    From a signed 64-bit place, which cannot wrap, the steps to the other k are constants in the instructions.
    """
    spacing = pitch(columns)

    @cuda.jit(device=True, forceinline=True)
    def place(at, row, column, k):
        return intp(uint32(at + row * uint32(spacing) + column)) + k * spacing

    return place


@functools.cache
def patches(geometry, tiling, copy, layout):
    """A loader of P from X, for all images flat: a thread gathers for one pixel, four channels at a time.

    Threads side by side have pixels side by side. The four channels of a position lie a plane apart, and are
    inside the image or beyond its edge together. ``copy`` is `copy_now` or `copy_ahead`; ``layout`` makes the
    function that says where an element goes, as `padded`. Of the tiling it asks columns, depth and threads.
    """
    n, size, stride, padding, side = geometry.n, geometry.size, geometry.stride, geometry.padding, geometry.side
    channels, depth, image, plane = geometry.channels, geometry.depth, geometry.image, geometry.n**2
    columns, groups_at_once, goes_to = tiling.columns, tiling.threads // tiling.columns, layout(tiling.columns)
    turns, ragged = tiling.depth // GROUP // groups_at_once, depth != channels

    @cuda.jit(device=True, forceinline=True)
    def gather(shared, at, X, shape, first, start):
        _, pixels = shape
        thread = uint32(cuda.threadIdx.x)
        column, group = thread % uint32(columns), thread // uint32(columns)
        pixel = uint32(first + column)
        within = uint32(pixel % uint32(image))
        # Above and left of the image these are negative: very large, since they have no sign.
        top = uint32(within // uint32(side) * uint32(stride) - uint32(padding))
        left = uint32(within % uint32(side) * uint32(stride) - uint32(padding))
        corner = uint32((pixel // uint32(image) * uint32(channels) * uint32(n) + top) * uint32(n) + left)
        for turn in range(turns):
            step = uint32((group + uint32(turn * groups_at_once)) * uint32(GROUP))
            tap = uint32(start + step)
            place, c = uint32(tap // uint32(depth)), uint32(tap % uint32(depth))
            ki, kj = uint32(place // uint32(size)), uint32(place % uint32(size))
            inside = (pixel < pixels) & (ki < size) & (uint32(top + ki) < n) & (uint32(left + kj) < n)
            source = intp(uint32(corner + (c * uint32(n) + ki) * uint32(n) + kj))
            for k in range(GROUP):
                there = inside & (c + k < channels) if ragged else inside
                copy(shared, goes_to(at, step, column, k), X, source + k * plane, there)

    return gather


@cuda.jit(device=True, forceinline=True)
def store_quads(quad, f, pixel, operands):
    """A sink for (Y, filters, image, pixels): one 128-bit store, where an image has a multiple of four pixels."""
    Y, filters, image, pixels = operands
    if f < filters and pixel < pixels:
        number, within = uint32(pixel // uint32(image)), uint32(pixel % uint32(image))
        ptx.store4(Y, uint32((number * uint32(filters) + f) * uint32(image) + within), quad)


@cuda.jit(device=True, forceinline=True)
def store_pixels(quad, f, pixel, operands):
    """As `store_quads`, element by element: the four may be of several images."""
    Y, filters, image, pixels = operands
    if f < filters:
        number, within = uint32(pixel // uint32(image)), uint32(pixel % uint32(image))
        place, others = uint32((number * uint32(filters) + f) * uint32(image) + within), (filters - 1) * image
        if pixel < pixels:
            Y[place] = quad[0]
        if pixel + 1 < pixels:
            Y[uint32(place + 1 + (within + 1) // uint32(image) * others)] = quad[1]
        if pixel + 2 < pixels:
            Y[uint32(place + 2 + (within + 2) // uint32(image) * others)] = quad[2]
        if pixel + 3 < pixels:
            Y[uint32(place + 3 + (within + 3) // uint32(image) * others)] = quad[3]


def sink_of(geometry):
    """The sink for outputs of this geometry."""
    return store_pixels if geometry.image % 4 else store_quads
