"""Sums over an array and running sums, as tutorials write them.

A program is ``program(launch, n, rng)``: it makes its inputs at size n, launches GPU functions by
``launch(function, grid, block, *args, shared=0)`` and yields pairs (got, expected) of arrays. Values
are small integers even where the dtype is floating, so that the order of a sum does not matter.
"""

import numpy as np
from numba import cuda, float32, int32

THREADS = 128
PAIRS = 2 * THREADS
FULL = 0xFFFFFFFF


@cuda.jit
def block_sums(partial, x):
    """One partial sum a block: the active half of the threads adds the other half's, in steps."""
    sdata = cuda.shared.array(THREADS, float32)
    tid = cuda.threadIdx.x
    i = cuda.blockIdx.x * cuda.blockDim.x + tid
    sdata[tid] = x[i] if i < x.size else 0
    cuda.syncthreads()
    s = cuda.blockDim.x // 2
    while s > 0:
        if tid < s:
            sdata[tid] += sdata[tid + s]
        cuda.syncthreads()
        s //= 2
    if tid == 0:
        partial[cuda.blockIdx.x] = sdata[0]


@cuda.jit
def interleaved_block_sums(partial, x):
    """The divergent first version of the same: every thread whose index divides by twice the step adds."""
    sdata = cuda.shared.array(THREADS, float32)
    tid = cuda.threadIdx.x
    i = cuda.grid(1)
    sdata[tid] = 0
    if i < x.shape[0]:
        sdata[tid] = x[i]
    cuda.syncthreads()
    step = 1
    while step < THREADS:
        if tid % (2 * step) == 0:
            sdata[tid] += sdata[tid + step]
        step *= 2
        cuda.syncthreads()
    if tid == 0:
        partial[cuda.blockIdx.x] = sdata[tid]


@cuda.jit(device=True)
def warp_sum(value):
    offset = cuda.warpsize // 2
    while offset > 0:
        value += cuda.shfl_down_sync(FULL, value, offset)
        offset //= 2
    return value


@cuda.jit
def shuffled_sum(total, x):
    """A grid-stride loop, then a sum in each warp, then one over the warps, then one atomic a block."""
    sums = cuda.shared.array(32, float32)
    value = float32(0)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        value += x[i]
    lane = cuda.threadIdx.x & 31
    warp = cuda.threadIdx.x >> 5
    value = warp_sum(value)
    if lane == 0:
        sums[warp] = value
    cuda.syncthreads()
    if warp == 0:
        value = sums[lane] if lane < cuda.blockDim.x // 32 else float32(0)
        value = warp_sum(value)
        if lane == 0:
            cuda.atomic.add(total, 0, value)


@cuda.jit
def hillis_steele(y, sums, x):
    """Inclusive scan of each block by doubling distances, and each block's total into ``sums``."""
    temp = cuda.shared.array((2, THREADS), int32)
    tid = cuda.threadIdx.x
    i = cuda.grid(1)
    out = 0
    temp[out, tid] = x[i] if i < x.size else 0
    cuda.syncthreads()
    distance = 1
    while distance < THREADS:
        out = 1 - out
        if tid >= distance:
            temp[out, tid] = temp[1 - out, tid] + temp[1 - out, tid - distance]
        else:
            temp[out, tid] = temp[1 - out, tid]
        cuda.syncthreads()
        distance *= 2
    if i < x.size:
        y[i] = temp[out, tid]
    if tid == THREADS - 1:
        sums[cuda.blockIdx.x] = temp[out, tid]


@cuda.jit
def add_offsets(y, offsets):
    i = cuda.grid(1)
    if cuda.blockIdx.x > 0 and i < y.size:
        y[i] += offsets[cuda.blockIdx.x - 1]


@cuda.jit
def blelloch(y, sums, x):
    """Exclusive scan of two elements a thread, up the tree and down again (GPU Gems 3, chapter 39)."""
    temp = cuda.shared.array(PAIRS, int32)
    tid = cuda.threadIdx.x
    first = cuda.blockIdx.x * PAIRS
    for k in (2 * tid, 2 * tid + 1):
        temp[k] = x[first + k] if first + k < x.size else 0
    offset = 1
    d = THREADS
    while d > 0:
        cuda.syncthreads()
        if tid < d:
            left = offset * (2 * tid + 1) - 1
            right = offset * (2 * tid + 2) - 1
            temp[right] += temp[left]
        offset *= 2
        d >>= 1
    if tid == 0:
        sums[cuda.blockIdx.x] = temp[PAIRS - 1]
        temp[PAIRS - 1] = 0
    d = 1
    while d < PAIRS:
        offset >>= 1
        cuda.syncthreads()
        if tid < d:
            left = offset * (2 * tid + 1) - 1
            right = offset * (2 * tid + 2) - 1
            temp[left], temp[right] = temp[right], temp[left] + temp[right]
        d *= 2
    cuda.syncthreads()
    for k in range(2 * tid, 2 * tid + 2):
        if first + k < x.size:
            y[first + k] = temp[k]


@cuda.jit
def add_exclusive(y, offsets, width):
    for i in range(cuda.grid(1), y.shape[0], cuda.gridsize(1)):
        y[i] += offsets[i // width]


@cuda.jit
def warp_scan(y, x):
    """Inclusive scan of one block: shuffles within a warp, the warps' totals in shared memory."""
    totals = cuda.shared.array(32, int32)
    tid = cuda.threadIdx.x
    lane = cuda.laneid
    value = x[tid] if tid < x.size else int32(0)
    delta = 1
    while delta < 32:
        below = cuda.shfl_up_sync(FULL, value, delta)
        if lane >= delta:
            value += below
        delta <<= 1
    if lane == 31:
        totals[tid // 32] = value
    cuda.syncthreads()
    before = int32(0)
    for warp in range(tid // 32):
        before += totals[warp]
    if tid < x.size:
        y[tid] = value + before


def _blocks(n, width=THREADS):
    return -(-n // width)


def _whole_numbers(rng, n, dtype):
    return rng.integers(-9, 10, n).astype(dtype)


def tree_reduction(launch, n, rng):
    for function in (block_sums, interleaved_block_sums):
        x = level = _whole_numbers(rng, n, np.float32)
        while level.size > 1 or level is x:
            partial = np.full(_blocks(level.size), np.nan, np.float32)
            launch(function, partial.size, THREADS, partial, level)
            level = partial
        yield level, x.sum(keepdims=True)


def shuffled_reduction(launch, n, rng):
    x, total = _whole_numbers(rng, n, np.float32), np.zeros(1, np.float32)
    launch(shuffled_sum, min(3, _blocks(n)), THREADS, total, x)
    yield total, x.sum(keepdims=True)


def hillis_steele_scan(launch, n, rng):
    x, y = _whole_numbers(rng, n, np.int32), np.empty(n, np.int32)
    sums, scanned = np.empty(_blocks(n), np.int32), np.empty(_blocks(n), np.int32)
    launch(hillis_steele, sums.size, THREADS, y, sums, x)
    launch(hillis_steele, 1, THREADS, scanned, np.empty(1, np.int32), sums)
    launch(add_offsets, sums.size, THREADS, y, scanned)
    yield y, np.cumsum(x, dtype=np.int32)


def blelloch_scan(launch, n, rng):
    x, y = _whole_numbers(rng, n, np.int32), np.empty(n, np.int32)
    sums, offsets = np.empty(_blocks(n, PAIRS), np.int32), np.empty(_blocks(n, PAIRS), np.int32)
    launch(blelloch, sums.size, THREADS, y, sums, x)
    launch(blelloch, 1, THREADS, offsets, np.empty(1, np.int32), sums)
    launch(add_exclusive, 2, 64, y, offsets, PAIRS)
    yield y, np.cumsum(x, dtype=np.int32) - x


def shuffled_scan(launch, n, rng):
    x = _whole_numbers(rng, n, np.int32)
    y = np.empty_like(x)
    launch(warp_scan, 1, 32 * _blocks(n, 32), y, x)
    yield y, np.cumsum(x, dtype=np.int32)


PROGRAMS = (tree_reduction, shuffled_reduction, hillis_steele_scan, blelloch_scan, shuffled_scan)
