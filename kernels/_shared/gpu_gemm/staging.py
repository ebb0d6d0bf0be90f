"""From a matrix in global memory to a stage in shared memory: copies that the threads do not wait for.

Each function here makes a device function ``stage(shared, at, matrix, shape, first, start)``: all threads of the
block begin to copy a strip of an operand to ``shared[at:]``, ``span`` elements from ``first`` on, ``depth`` steps
of k from ``start`` on. In shared memory, element i of step k lies at ``at + k·pitch(span) + i``, whatever its
order in global memory. ``matrix`` is flat, ``shape`` has its two extents; beyond its edges lie zeros. All
positions are uint32; what they make in a matrix has 64 bits.
"""

import functools

from numba import cuda, intp, uint32

from gpuplay.intrinsics import ptx

from .tiling import QUAD, pitch


@functools.cache
def along_depth(span, tiling):
    """For a matrix span×k with rows along k, as A in A·B: copied word by word, and transposed on the way.

    Eight threads read 32 bytes of a row, the whole sector. Their words go to ``depth`` rows of the stage, which
    no wider copy could do. A thread keeps one place of its own and adds strides to it: a place for each of its
    copies would take more registers than a thread has beside its tile.
    """
    depth, spacing = tiling.depth, pitch(span)
    rows_at_once = tiling.threads // depth
    turns = span // rows_at_once

    @cuda.jit(device=True, forceinline=True)
    def stage(shared, at, matrix, shape, first, start):
        extent, length = shape
        thread = uint32(cuda.threadIdx.x)
        step, row = thread % uint32(depth), thread // uint32(depth)
        i, k = uint32(first + row), uint32(start + step)
        target, source = intp(uint32(at + step * uint32(spacing) + row)), intp(i * length) + intp(k)
        rows_left = uint32(extent - i) if i < extent and k < length else uint32(0)
        for turn in range(turns):
            below = uint32(turn * rows_at_once)
            stride = intp(uint32(below * length))
            ptx.copy1_async(shared, target + intp(below), matrix, source + stride, below < rows_left)

    return stage


@functools.cache
def along_span(span, tiling, wide):
    """For a matrix k×span with rows along the span, as B in A·B.

    ``wide`` copies 16 bytes at once, which takes rows of a multiple of 4 elements.
    """
    depth, spacing = tiling.depth, pitch(span)
    each = QUAD if wide else 1
    across = span // each
    steps_at_once = tiling.threads // across
    turns = depth // steps_at_once

    @cuda.jit(device=True, forceinline=True)
    def stage(shared, at, matrix, shape, first, start):
        length, extent = shape
        thread = uint32(cuda.threadIdx.x)
        step, i = thread // uint32(across), thread % uint32(across) * uint32(each)
        j, k = uint32(first + i), uint32(start + step)
        target, source = intp(uint32(at + step * uint32(spacing) + i)), intp(k * extent) + intp(j)
        steps_left = uint32(length - k) if k < length and j < extent else uint32(0)
        for turn in range(turns):
            below = uint32(turn * steps_at_once)
            stride, place = intp(uint32(below * extent)), target + intp(below * uint32(spacing))
            if wide:
                ptx.copy4_async(shared, place, matrix, source + stride, QUAD if below < steps_left else 0)
            else:
                ptx.copy1_async(shared, place, matrix, source + stride, below < steps_left)

    return stage
