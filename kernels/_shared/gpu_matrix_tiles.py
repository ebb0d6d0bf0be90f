"""Tiles for the matrix units: strips of two operands in shared memory, and a warp's fragments of them.

A strip lies in rows of *chunks*, 16 bytes each: 4 words (float32) or 8 halves (bits of bfloat16). Chunks are
swizzled: row r keeps its chunk c at place c ^ s(r), so that the rows whose words one access wants together lie in
different banks, and no byte is spent on padding. A is taken from rows 8 chunks wide, with s(r) = r mod 8: eight
rows of a matrix, one chunk each, are all 32 banks. B has s(r) = r mod 8 as halves; as words, which are loaded one
by one, 4 rows and 8 adjacent columns at a time, s(r) = 2·(r mod 4).

A warp multiplies 64 rows and 64 columns. A *step* is 16 of k as halves, 8 as words: two chunks of A.
"""

from numba import cuda, int32, intp, uint32

from gpuplay.intrinsics import ptx

CHUNKS = 8  # of a row of A
HALVES, WORDS = 8, 4  # elements of a chunk
EIGHT_ROWS, FOUR_ROWS = (8, 1), (4, 2)  # swizzles: how many rows differ, and by how many chunks each
ALL_LANES = 0xFFFFFFFF
PARTS = 4  # of a copy, one for each step of a stage


@cuda.jit(cache=True)
def widen_rows(wide, narrow):
    """Rows of a matrix into rows that are a multiple of a chunk long, zeros behind them; a block a row."""
    i = cuda.blockIdx.x
    for j in range(cuda.threadIdx.x, wide.shape[1], cuda.blockDim.x):
        wide[i, j] = narrow[i, j] if j < narrow.shape[1] else wide.dtype.type(0)


@cuda.jit(device=True, forceinline=True)
def swizzled(row, chunk, chunks, swizzle):
    """The place of a chunk in a strip whose rows have so many, in chunks."""
    period, factor = swizzle
    return row * uint32(chunks) + (chunk ^ row % uint32(period) * uint32(factor))


def _copier(each, copy_chunk):
    """A device function ``(strip, at, matrix, extents, top, left, shape, part)``, for chunks of ``each`` elements.

    It begins to copy one of four parts of a tile of a matrix from (``top``, ``left``) to ``strip[at:]``. Rows of the
    matrix are whole chunks, so that each is copied at once; beyond its edges lie zeros. ``shape`` has the tile's rows
    and chunks across, its swizzle, and the threads of the block. Each turn of the threads fills whole periods of the
    swizzle, so that only the first place needs to be worked out.
    """

    @cuda.jit(device=True, forceinline=True)
    def copy_part(strip, at, matrix, extents, top, left, shape, part):
        height, width = extents
        rows, chunks, swizzle, threads = shape
        high, turns = threads // chunks, rows * chunks // threads
        row, chunk = uint32(cuda.threadIdx.x) // uint32(chunks), uint32(cuda.threadIdx.x) % uint32(chunks)
        place = uint32(at + swizzled(row, chunk, chunks, swizzle) * uint32(each))
        i, j = uint32(top + row), uint32(left + chunk * uint32(each))
        first = intp(i) * intp(width) + intp(j)
        for turn in range(part * turns // PARTS, (part + 1) * turns // PARTS):
            inside = uint32(i + uint32(turn * high)) < height and j < width
            start, target = first + intp(turn * high) * intp(width), place + uint32(turn * high * chunks * each)
            copy_chunk(strip, target, matrix, start, int32(each if inside else 0))

    return copy_part


copy_words, copy_halves = _copier(WORDS, ptx.copy4_async), _copier(HALVES, ptx.copy8_async)


@cuda.jit(device=True, forceinline=True)
def left_fragments(strip, at, step, each):
    """64 rows of A for one step, the first of them at ``at``; ``each`` elements make a chunk."""
    lane = uint32(cuda.threadIdx.x) % uint32(32)
    chunk = (uint32(2 * step) + lane // uint32(16)) ^ lane % uint32(8)
    place = uint32(at + (lane % uint32(16) * uint32(CHUNKS) + chunk) * uint32(each))
    rows = uint32(16 * CHUNKS * each)
    upper = ptx.ldmatrix4(strip, place) + ptx.ldmatrix4(strip, place + rows)
    return upper + ptx.ldmatrix4(strip, place + uint32(2) * rows) + ptx.ldmatrix4(strip, place + uint32(3) * rows)


@cuda.jit(device=True, forceinline=True)
def right_halves(strip, at, step, pitch):
    """64 columns of B for one step of halves, the first of them at ``at``; ``pitch`` elements make a row.

    B lies row by row, but a fragment wants pairs from two rows: the load transposes them.
    """
    lane = uint32(cuda.threadIdx.x) % uint32(32)
    side, turn = lane // uint32(16), lane % uint32(8)
    row = uint32(at + lane % uint32(16) * uint32(pitch))
    a, b = uint32(row + (side ^ turn) * uint32(8)), uint32(row + ((side + uint32(2)) ^ turn) * uint32(8))
    c, d = uint32(row + ((side + uint32(4)) ^ turn) * uint32(8)), uint32(row + ((side + uint32(6)) ^ turn) * uint32(8))
    down = uint32(16 * step * pitch)
    left = ptx.ldmatrix4_transposed(strip, a + down) + ptx.ldmatrix4_transposed(strip, b + down)
    return left + ptx.ldmatrix4_transposed(strip, c + down) + ptx.ldmatrix4_transposed(strip, d + down)


@cuda.jit(device=True, forceinline=True)
def right_words(strip, at, step, pitch):
    """32 columns of B for one step of words, loaded one by one: ldmatrix transposes 16-bit elements only.

    Groups of 8 columns are swizzled by the row.
    """
    lane = uint32(cuda.threadIdx.x) % uint32(32)
    turn = lane % uint32(4)
    row = uint32(at + turn * uint32(pitch) + lane // uint32(4))
    a, b = uint32(row + turn * uint32(8)), uint32(row + (turn ^ uint32(1)) * uint32(8))
    c, d = uint32(row + (turn ^ uint32(2)) * uint32(8)), uint32(row + (turn ^ uint32(3)) * uint32(8))
    upper, lower = uint32(8 * step * pitch), uint32((8 * step + 4) * pitch)
    left = strip[a + upper], strip[a + lower], strip[b + upper], strip[b + lower]
    return (*left, strip[c + upper], strip[c + lower], strip[d + upper], strip[d + lower])


@cuda.jit(device=True, forceinline=True)
def multiply_bf16(sums, strips, at_a, at_b, step, pitch):
    """64×64 sums and one step of halves."""
    a, b = left_fragments(strips, at_a, step, HALVES), right_halves(strips, at_b, step, pitch)
    return ptx.multiply_tiles_bf16(sums, a, b)


@cuda.jit(device=True, forceinline=True)
def multiply_tf32(sums, strips, at_a, at_b, step, pitch):
    """64×64 sums and one step of words, rounded to TF32."""
    a = left_fragments(strips, at_a, step, WORDS)
    b = right_words(strips, at_b, step, pitch) + right_words(strips, at_b + uint32(32), step, pitch)
    return ptx.multiply_tiles_tf32(sums, ptx.round_to_tf32(a), ptx.round_to_tf32(b))


@cuda.jit(device=True, forceinline=True)
def multiply_tf32x3(sums, strips, at_a, at_b, step, pitch):
    """64×64 sums and one step of words, each of them two TF32 numbers."""
    a = left_fragments(strips, at_a, step, WORDS)
    b = right_words(strips, at_b, step, pitch) + right_words(strips, at_b + uint32(32), step, pitch)
    return ptx.multiply_tiles_tf32x3(sums, a, b)


@cuda.jit(device=True, forceinline=True)
def write_warp_tile(C, extents, i, j, sums, wide):
    """Write a warp's 64×64 sums to C, from row ``i`` and column ``j`` on; each lane has 4 of every 16×8.

    ``wide`` stores 16 bytes at once, which needs rows of a multiple of 4 elements.
    """
    write_16_rows(C, extents, i, j, sums[:32], wide)
    write_16_rows(C, extents, uint32(i + uint32(16)), j, sums[32:64], wide)
    write_16_rows(C, extents, uint32(i + uint32(32)), j, sums[64:96], wide)
    write_16_rows(C, extents, uint32(i + uint32(48)), j, sums[96:], wide)


@cuda.jit(device=True, forceinline=True)
def write_16_rows(C, extents, i, j, sums, wide):
    """Eight tiles side by side, four and four."""
    write_four_tiles(C, extents, i, j, sums[:16], wide)
    write_four_tiles(C, extents, i, uint32(j + uint32(32)), sums[16:], wide)


@cuda.jit(device=True, forceinline=True)
def write_four_tiles(C, extents, i, j, sums, wide):
    """Four of them."""
    write_tile(C, extents, i, j, sums[:4], wide)
    write_tile(C, extents, i, uint32(j + uint32(8)), sums[4:8], wide)
    write_tile(C, extents, i, uint32(j + uint32(16)), sums[8:12], wide)
    write_tile(C, extents, i, uint32(j + uint32(24)), sums[12:], wide)


@cuda.jit(device=True, forceinline=True)
def quad_of_tile(tile):
    """Row, column and four adjacent elements of a tile of 16×8 sums, of which a lane has two and two.

    Lane 4·g + t has rows g and g + 8, columns 2t and 2t + 1. Even lanes give their lower row to the lane beside them
    for its upper one.
    """
    lane = uint32(cuda.threadIdx.x) % uint32(32)
    even = lane % uint32(2) == uint32(0)
    left = cuda.shfl_xor_sync(ALL_LANES, tile[2] if even else tile[0], 1)
    right = cuda.shfl_xor_sync(ALL_LANES, tile[3] if even else tile[1], 1)
    row = uint32(lane // uint32(4) + (uint32(0) if even else uint32(8)))
    quad = (tile[0], tile[1], left, right) if even else (left, right, tile[2], tile[3])
    return row, uint32(lane % uint32(4) // uint32(2) * uint32(4)), quad


@cuda.jit(device=True, forceinline=True)
def write_tile(C, extents, i, j, tile, wide):
    """One tile: ``wide`` as in `quad_of_tile`, else each lane writes its own two pairs."""
    height, width = extents
    if wide:
        below, beside, quad = quad_of_tile(tile)
        row, column = uint32(i + below), uint32(j + beside)
        if row < height and column < width:
            ptx.store4(C, intp(row) * width + column, quad)
    else:
        lane = uint32(cuda.threadIdx.x) % uint32(32)
        row, column = uint32(i + lane // uint32(4)), uint32(j + lane % uint32(4) * uint32(2))
        write_pair(C, extents, row, column, tile[:2])
        write_pair(C, extents, uint32(row + uint32(8)), column, tile[2:])


@cuda.jit(device=True, forceinline=True)
def write_pair(C, extents, row, column, pair):
    """Two elements of a row, as far as they are in C."""
    height, width = extents
    at = intp(row) * width + column
    if row < height and column < width:
        C[at] = pair[0]
    if row < height and column + uint32(1) < width:
        C[at + 1] = pair[1]
