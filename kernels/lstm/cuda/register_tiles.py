"""The sums of four gates in registers: a thread has 4 or 8 rows of the batch, two units, and their four gates.

A block of 256 threads walks along k in chunks, which `copy_vectors` and `copy_weights` bring to shared memory
without waiting, several chunks ahead of the arithmetic. Both lie there as in memory, k along rows: a thread
reads four adjacent k of a row by one 128-bit access, 16 of them for 256 fused multiply-adds.

A warp has 8 units, two to a lane, 4 apart, and 8 groups of lanes with rows of the batch that are 8 apart. So
what its lanes read at once are 4 or 8 adjacent rows of a chunk: with a pitch of 4 floats beyond a multiple of
32 these lie in different banks.

The last step is `keep_sums`: the sums go to shared memory, where any thread finds the four gates of a unit
side by side, and adds up what the slices summed apart. See `shapes` for the words.

Places in arrays are uint32: with 64 bits, in which Numba computes, each would take two registers.
"""

import numpy as np
from numba import cuda, uint32

from gpuplay.intrinsics import ptx

from .shapes import PAD, THREADS

ZEROS = (np.float32(0),) * 32  # 4 rows of the batch × 2 units × 4 gates

_device = cuda.jit(device=True, forceinline=True)


# --- chunks: from global to shared memory ---


@_device
def _copy(shared, at, array, start, count, width):
    """Begin to copy ``width`` floats, 4 or 1, where ``count`` says as many, or zeros where it is 0."""
    if width == 4:
        ptx.copy4_async(shared, at, array, start, count)
    else:
        ptx.copy1_async(shared, at, array, start, count)


@_device
def _position(depth, width):
    """The row and the column of a chunk at which the thread begins to copy, ``width`` floats at a time."""
    thread, lanes = uint32(cuda.threadIdx.x) % uint32(THREADS), uint32(depth // width)  # % says that it is below
    return thread // lanes, thread % lanes * uint32(width)


@_device
def _at(row, n, column):
    """The place of an element in rows of n."""
    return uint32(uint32(row * n) + column)


@_device
def copy_vectors(shared, at, pitch, vectors, start, top, rows, batch, n, k, depth, width):
    """Begin to copy columns ``k`` to ``k + depth`` of rows ``top`` to ``top + rows`` of a (batch, n) matrix.

    The matrix begins at element ``start``, its rows ``pitch`` floats apart from ``shared[at]`` on. Beyond the
    edges lie zeros.
    """
    row, column = _position(depth, width)
    step = THREADS * width // depth
    b, inside = uint32(top + row), uint32(k + column) < n
    at += row * pitch + column
    for turn in range(rows // step):
        below = uint32(b + uint32(turn * step))
        source = uint32(uint32(start) + _at(below, n, uint32(k + column)))
        _copy(shared, at + turn * step * pitch, vectors, source, width if inside and below < batch else 0, width)


@_device
def copy_weights(shared, at, pitch, W, first, units, n, k, depth, width):
    """Begin to copy columns ``k`` to ``k + depth`` of the rows of W (4n, n) for ``units`` units from ``first``.

    The rows of gate 0 come first, then those of gates 1, 2 and 3. Beyond the edges lie zeros.
    """
    row, column = _position(depth, width)
    step = THREADS * width // depth
    inside = uint32(k + column) < n
    at += row * pitch + column
    for turn in range(4 * units // step):
        which = uint32(uint32(turn * step) + row)
        gate, unit = which // uint32(units), uint32(uint32(first) + which % uint32(units))
        source = _at(_at(gate, n, unit), n, uint32(k + column))
        _copy(shared, at + turn * step * pitch, W, source, width if inside and unit < n else 0, width)


# --- products: from shared memory to registers ---


@_device
def _four_rows(shared, at, stride):
    """Four k of four rows that are ``stride`` apart, turned: for each k a tuple of four rows."""
    a = ptx.load4(shared, at)
    b = ptx.load4(shared, at + stride)
    c = ptx.load4(shared, at + 2 * stride)
    d = ptx.load4(shared, at + 3 * stride)
    return (
        (a[0], b[0], c[0], d[0]),
        (a[1], b[1], c[1], d[1]),
        (a[2], b[2], c[2], d[2]),
        (a[3], b[3], c[3], d[3]),
    )


@_device
def _add_four(tile, v, w, w_far):
    """``tile`` + the products of four k: of 4 rows of the batch with 4 gates of two units."""
    tile = ptx.add_outer(tile, v[0], w[0] + w_far[0])
    tile = ptx.add_outer(tile, v[1], w[1] + w_far[1])
    tile = ptx.add_outer(tile, v[2], w[2] + w_far[2])
    return ptx.add_outer(tile, v[3], w[3] + w_far[3])


@_device
def multiply(upper, lower, shared, v, v_pitch, w, w_pitch, units, count, tall):
    """Both tiles of a thread + the products of ``count`` k, from where its rows of vectors and weights begin.

    ``upper`` has rows 0, 8, 16 and 24 from ``shared[v]`` on; ``lower``, where ``tall``, those 32 further.
    """
    for k in range(uint32(0), uint32(count), uint32(4)):
        near = _four_rows(shared, w + k, units * w_pitch)
        far = _four_rows(shared, w + 4 * w_pitch + k, units * w_pitch)
        upper = _add_four(upper, _four_rows(shared, v + k, 8 * v_pitch), near, far)
        if tall:
            lower = _add_four(lower, _four_rows(shared, v + 32 * v_pitch + k, 8 * v_pitch), near, far)
    return upper, lower


# --- the walk along k ---


@_device
def place(units, row_warps, tall):
    """The first row and the first unit of the thread within its block, and its warp's slice.

    Of the 32 lanes those that are 2 apart share units, and those next to each other rows: shared memory serves
    neighbours that want the same 16 bytes at once, for vectors and weights alike.
    """
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    unit_warps = units // 8
    row = warp % row_warps * (64 if tall else 32) + lane // 2 % 2 + lane // 8 * 2
    unit = warp // row_warps % unit_warps * 8 + lane % 2 + lane // 4 % 2 * 2
    return row, unit, warp // row_warps // unit_warps


@_device
def _copy_chunk(shared, at, vectors, start, W, top, first, batch, n, k, shape):
    """Begin to copy the chunk of vectors and weights at ``k``, as one group; an empty one beyond the last."""
    rows, units, _, _, _, depth, _, width = shape
    pitch = depth + PAD
    if k < n:
        copy_vectors(shared, at, pitch, vectors, start, top, rows, batch, n, k, depth, width)
        copy_weights(shared, at + rows * pitch, pitch, W, first, units, n, k, depth, width)
    ptx.commit_copies()


@_device
def add_product(sums, shared, vectors, start, W, top, first, batch, n, shape):
    """``sums`` of a thread + vectors (batch, n) · W (4n, n)ᵀ, for the block's rows from ``top``, units from ``first``.

    Vectors begin at element ``start``. ``shape`` is `shapes.Shape.constants`. While one chunk is multiplied the
    ``stages`` - 1 behind it are under way. At the end no thread needs the shared memory any longer.
    """
    upper, lower = sums
    rows, units, row_warps, slices, tall, depth, stages, _ = shape
    pitch, share = depth + PAD, depth // slices
    row, unit, part = place(units, row_warps, tall)
    v, w = row * pitch + part * share, (rows + unit) * pitch + part * share
    floats = (rows + 4 * units) * pitch
    for chunk in range(stages - 1):
        _copy_chunk(shared, chunk * floats, vectors, start, W, top, first, batch, n, uint32(chunk * depth), shape)
    at, free = uint32(0), uint32((stages - 1) * floats)
    for k in range(uint32(0), n, uint32(depth)):
        if stages == 2:
            ptx.wait_for_copies(0)
        else:
            ptx.wait_for_copies(1)
        cuda.syncthreads()
        ahead = uint32(k + uint32((stages - 1) * depth))
        _copy_chunk(shared, free, vectors, start, W, top, first, batch, n, ahead, shape)
        upper, lower = multiply(upper, lower, shared, at + v, pitch, at + w, pitch, units, share, tall)
        free = at
        at = uint32(at + uint32(floats)) if at < uint32((stages - 1) * floats) else uint32(0)
    ptx.wait_for_copies(0)
    cuda.syncthreads()
    return upper, lower


# --- sums: what they begin with ---


@_device
def _gates_at(projected, start, b, j, batch, n):
    """The four gates of unit ``j`` and row ``b``; zeros beyond the edges."""
    if b < batch and j < n:
        return ptx.load4(projected, (start + b * n + j) * 4)
    return ZEROS[0:4]


@_device
def _four_rows_of_gates(projected, start, b, j, batch, n):
    """The gates of units ``j`` and ``j`` + 4 for rows ``b``, ``b`` + 8, ``b`` + 16 and ``b`` + 24."""
    return (
        _gates_at(projected, start, b, j, batch, n)
        + _gates_at(projected, start, b, j + 4, batch, n)
        + _gates_at(projected, start, b + 8, j, batch, n)
        + _gates_at(projected, start, b + 8, j + 4, batch, n)
        + _gates_at(projected, start, b + 16, j, batch, n)
        + _gates_at(projected, start, b + 16, j + 4, batch, n)
        + _gates_at(projected, start, b + 24, j, batch, n)
        + _gates_at(projected, start, b + 24, j + 4, batch, n)
    )


@_device
def first_sums(projected, start, b, j, batch, n, part, tall):
    """The tiles of a thread whose rows begin at ``b`` and whose units at ``j``, from sums (rows, n, 4) in memory.

    ``start`` is the number of (row, unit) pairs before the first row. All slices but the first begin with zeros.
    """
    upper, lower = ZEROS, ZEROS
    if part == 0:
        upper = _four_rows_of_gates(projected, start, b, j, batch, n)
        if tall:
            lower = _four_rows_of_gates(projected, start, b + 32, j, batch, n)
    return upper, lower


# --- sums: from registers to where every thread finds them ---


@_device
def _keep_rows(shared, near, far, step, tile):
    """The sums of four rows, ``step`` floats apart: four gates of the near unit, four of the far one."""
    ptx.store4(shared, near, tile[0:4])
    ptx.store4(shared, far, tile[4:8])
    ptx.store4(shared, near + step, tile[8:12])
    ptx.store4(shared, far + step, tile[12:16])
    ptx.store4(shared, near + 2 * step, tile[16:20])
    ptx.store4(shared, far + 2 * step, tile[20:24])
    ptx.store4(shared, near + 3 * step, tile[24:28])
    ptx.store4(shared, far + 3 * step, tile[28:32])


@_device
def keep_sums(shared, at, upper, lower, row, unit, part, rows, units, tall):
    """Write a thread's sums to shared memory, from ``at`` on: for each slice, row and unit four gates.

    Two groups of lanes store side by side: in odd rows units 0-3 and 4-7 change places, which takes them to
    the other half of the banks.
    """
    start = at + (part * rows + row) * units * 4
    near = start + (unit ^ (row % 2 * 4)) * 4
    far = start + ((unit + 4) ^ (row % 2 * 4)) * 4
    _keep_rows(shared, near, far, 8 * units * 4, upper)
    if tall:
        _keep_rows(shared, near + 32 * units * 4, far + 32 * units * 4, 8 * units * 4, lower)


@_device
def kept_sums(shared, at, row, unit, rows, units, slices):
    """The sums of the four gates of a unit, all slices together."""
    at += (row * units + (unit ^ (row % 2 * 4))) * 4
    i, f, g, o = ptx.load4(shared, at)
    for part in range(1, slices):
        a, b, c, d = ptx.load4(shared, at + part * rows * units * 4)
        i, f, g, o = i + a, f + b, g + c, o + d
    return i, f, g, o
