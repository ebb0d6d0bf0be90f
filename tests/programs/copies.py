"""Asynchronous copies: programs as in ``reductions``, and planted bugs with their mended twins as in ``races``."""

import numpy as np
from numba import cuda, float32, uint16

from gpuplay.intrinsics.ptx import commit_copies, copy1_async, copy4_async, copy8_async, load4, store4, wait_for_copies

BLOCK = 32
TILE = 4 * BLOCK
STAGES, AHEAD = 3, 2  # tiles of shared memory; tiles that are copied ahead
YOUNGER = AHEAD - 1  # groups that may be under way when a tile is used
RING, DOUBLE = STAGES * TILE, 2 * TILE


@cuda.jit
def pipelined(y, x):
    """One block walks through x tile by tile, two tiles ahead of itself, and writes each tile in reverse order."""
    ring = cuda.shared.array(RING, float32, alignment=16)
    i = cuda.threadIdx.x
    tiles = (x.size + TILE - 1) // TILE
    for tile in range(AHEAD):
        start = tile * TILE + 4 * i
        copy4_async(ring, start, x, start, min(max(x.size - start, 0), 4))
        commit_copies()
    for tile in range(tiles):
        wait_for_copies(YOUNGER)
        cuda.syncthreads()
        ahead = (tile + AHEAD) * TILE + 4 * i
        copy4_async(ring, ahead % RING, x, ahead, min(max(x.size - ahead, 0), 4))
        commit_copies()
        a, b, c, d = load4(ring, tile % STAGES * TILE + 4 * (BLOCK - 1 - i))
        store4(y, tile * TILE + 4 * i, (d, c, b, a))


def tiles_ahead(launch, n, rng):
    x = rng.random(n).astype(np.float32)
    y = np.empty(-(-n // TILE) * TILE, np.float32)
    launch(pipelined, 1, BLOCK, y, x)
    padded = np.zeros(y.size, np.float32)
    padded[:n] = x
    yield y, padded.reshape(-1, TILE)[:, ::-1].reshape(-1)


@cuda.jit
def shifted(y, x, by):
    """Single elements from any place; zero where there are none. Lanes commit unlike numbers of groups."""
    tile = cuda.shared.array(BLOCK, float32)
    i = cuda.grid(1)
    t = cuda.threadIdx.x
    if t % 2:
        commit_copies()
    source = i + by
    copy1_async(tile, t, x, source, source < x.size)
    commit_copies()
    wait_for_copies(0)
    y[i] = tile[t]


def single_elements(launch, n, rng):
    x = rng.random(n).astype(np.float32)
    blocks = -(-n // BLOCK)
    y = np.empty(blocks * BLOCK, np.float32)
    launch(shifted, blocks, BLOCK, y, x, 3)
    yield y, np.append(x[3:], np.zeros(y.size - max(n - 3, 0), np.float32))


@cuda.jit
def halves(y, x):
    tile = cuda.shared.array(DOUBLE, uint16, alignment=16)
    t, i = cuda.threadIdx.x, cuda.grid(1)
    copy8_async(tile, 8 * t, x, 8 * i, min(max(x.size - 8 * i, 0), 8))
    commit_copies()
    wait_for_copies(0)
    for k in range(8):
        y[8 * i + k] = tile[8 * t + k]


def halves_of_words(launch, n, rng):
    x = rng.integers(0, 1 << 16, n).astype(np.uint16)
    blocks = -(-n // (8 * BLOCK))
    y = np.empty(8 * BLOCK * blocks, np.uint16)
    launch(halves, blocks, BLOCK, y, x)
    yield y, np.append(x, np.zeros(y.size - n, np.uint16))


PROGRAMS = (tiles_ahead, single_elements, halves_of_words)


def numbers(count):
    return np.arange(count, dtype=np.float32)


def missing_wait(mended):
    """A thread reads its own words before it has waited for the copy."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        if mended:
            wait_for_copies(0)
        y[i] = tile[4 * i]  # fault: race by block 0 thread 0

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def missing_commit(mended):
    """A copy that is in no group is not waited for."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        if mended:
            commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]  # fault: race by block 0 thread 0

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def one_group_too_many(mended):
    """Of two groups under way the older one has arrived, and the younger one is read."""
    left = 0 if mended else 1

    @cuda.jit
    def read(y, x):
        first = cuda.shared.array(TILE, float32, alignment=16)
        second = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(first, 4 * i, x, 4 * i, 4)
        commit_copies()
        copy4_async(second, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        wait_for_copies(left)
        total = first[4 * i]
        y[i] = total + second[4 * i]  # fault: race by block 0 thread 0

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def missing_barrier_after_the_wait(mended):
    """Each thread has waited for its own copy, and reads that of another."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        wait_for_copies(0)
        if mended:
            cuda.syncthreads()
        y[i] = tile[4 * (BLOCK - 1 - i)]  # fault: race

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def barrier_before_the_wait(mended):
    """A barrier does not wait for the copies of the threads that meet there."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        if mended:
            wait_for_copies(0)
        cuda.syncthreads()
        y[i] = tile[4 * (BLOCK - 1 - i)]  # fault: race by block 0 thread 0

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def copy_into_what_is_read(mended):
    """The next tile is copied over this one while other threads still read it."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        tile[i] = x[i]
        cuda.syncthreads()
        y[i] = tile[BLOCK - 1 - i]  # fault: race
        if mended:
            cuda.syncthreads()
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        wait_for_copies(0)

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def two_copies_at_once(mended):
    """A second copy into words into which the first is under way: which one stays is left to chance."""

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race
        commit_copies()
        if mended:
            wait_for_copies(0)
        copy4_async(tile, 4 * i, x, TILE + 4 * i, 4)  # fault: race by block 0 thread 0
        commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(2 * TILE))


def copy_beyond_the_end(mended):
    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        many = min(max(x.size - 4 * i, 0), 4) if mended else 4
        copy4_async(tile, 4 * i, x, 4 * i, many)  # fault: out of bounds by block 0 thread 30
        commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE - 6))


def count_beyond_four(mended):
    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        many = min(x.size - 4 * i, 4) if mended else x.size - 4 * i
        copy4_async(tile, 4 * i, x, 4 * i, many)  # fault: out of bounds by block 0 thread 0
        commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE))


def copy_from_between(mended):
    """Sixteen bytes from an address that is no multiple of sixteen."""
    by = 4 if mended else 2

    @cuda.jit
    def read(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i + by, 4)  # fault: alignment by block 0 thread 0
        commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]

    return lambda machine: machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE + 4))


def unset_source(mended):
    """A part of what is copied has never been written."""

    @cuda.jit
    def read(y, x, workspace):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, workspace, 4 * i, 3)  # fault: unset by block 0 thread 0
        commit_copies()
        wait_for_copies(0)
        y[i] = tile[4 * i]

    def launch(machine):
        workspace = numbers(TILE)
        if not mended:
            machine.mark_unset(workspace)
        machine.launch(read, 1, BLOCK, numbers(BLOCK), numbers(TILE), workspace)

    return launch


def source_written_meanwhile(mended):
    """What is copied is overwritten before the copy has been waited for: it may bring either."""

    @cuda.jit
    def move(y, x):
        tile = cuda.shared.array(TILE, float32, alignment=16)
        i = cuda.threadIdx.x
        copy4_async(tile, 4 * i, x, 4 * i, 4)  # fault: race by block 0 thread 0
        commit_copies()
        if mended:
            wait_for_copies(0)
        x[4 * i + 1] = -1
        wait_for_copies(0)
        y[i] = tile[4 * i]

    return lambda machine: machine.launch(move, 1, BLOCK, numbers(BLOCK), numbers(TILE))


BUGS = (
    *(missing_wait, missing_commit, one_group_too_many, missing_barrier_after_the_wait, barrier_before_the_wait),
    *(copy_into_what_is_read, two_copies_at_once, copy_beyond_the_end, count_beyond_four, copy_from_between),
    *(unset_source, source_written_meanwhile),
)
