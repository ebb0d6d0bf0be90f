"""Planted bugs around barriers in shared memory, copies of boxes and products of warpgroups, each with its twin.

As in `races`. A box is 8 rows of 64 numbers of 16 bits, 1 KiB, and makes a tile of a block's dynamic shared memory.
"""

import numpy as np
from numba import cuda, uint16, uint32, uint64

from gpuplay.intrinsics import ptx
from gpuplay.machine.model import GpuModel
from gpuplay.targets.stand_ins.lockstep import LockstepGpu

ROWS, COLUMNS = 8, 64
BOX = ROWS * COLUMNS
BYTES = 2 * BOX
DEPTH = 16
SUMS = (np.float32(0),) * 32


def launched(function, threads, rows, *, tiles=1, blocks=1):
    """What launches a function on ``y``, an element a thread, and a description of a matrix (rows, 64) in boxes."""

    def launch(machine):
        matrix = np.arange(rows * COLUMNS).reshape(rows, COLUMNS).astype(np.uint16)
        described = LockstepGpu(GpuModel(), machine).tensor_map(matrix, (ROWS, COLUMNS))
        y = np.zeros(blocks * threads, np.uint16)
        machine.launch(function, blocks, threads, y, described, shared=tiles * BYTES)

    return launch


def missing_wait_for_the_phase(mended):
    """Threads read a box as soon as it was ordered."""

    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
        cuda.syncthreads()
        if i == 0:
            ptx.arrive_expecting(full, 0, BYTES)
            ptx.copy_box_async(tile, 0, matrix, 0, 0, full, 0)  # fault: race
        if mended:
            ptx.wait_for_phase(full, 0, 0)
        y[i] = tile[i]  # fault: race by block 0 thread 0

    return launched(read, 64, ROWS)


def other_phase(mended):
    """Threads that should wait for phase 0 wait for phase 1, for which nobody ever arrives."""
    parity = 0 if mended else 1

    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
        cuda.syncthreads()
        if i == 0:
            ptx.arrive_expecting(full, 0, BYTES)
            ptx.copy_box_async(tile, 0, matrix, 0, 0, full, 0)
        ptx.wait_for_phase(full, 0, parity)  # fault: deadlock
        y[i] = tile[i]

    return launched(read, 64, ROWS)


def released_before_it_is_read(mended):
    """The readers say that a place is free, and read it then: the producer orders the next box into it."""

    @cuda.jit
    def add(y, matrix):
        tile = cuda.shared.array(0, uint16)
        full, empty = cuda.shared.array(1, uint64), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.init_barrier(empty, 0, 32)
            ptx.publish_barriers()
        cuda.syncthreads()
        if i == 32:
            for box in range(2):
                ptx.wait_for_phase(empty, 0, (box + 1) & 1)
                ptx.arrive_expecting(full, 0, BYTES)
                ptx.copy_box_async(tile, 0, matrix, ROWS * box, 0, full, 0)  # fault: race by block 0 thread 32
        if i < 32:
            for box in range(2):
                ptx.wait_for_phase(full, 0, box & 1)
                if not mended:
                    ptx.arrive(empty, 0)
                y[i] += tile[i]  # fault: race
                if mended:
                    ptx.arrive(empty, 0)

    return launched(add, 64, 2 * ROWS)


def too_few_bytes(mended):
    """The barrier is told of more bytes than the copy brings."""
    announced = BYTES if mended else 2 * BYTES

    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
        cuda.syncthreads()
        if i == 0:
            ptx.arrive_expecting(full, 0, announced)
            ptx.copy_box_async(tile, 0, matrix, 0, 0, full, 0)
        ptx.wait_for_phase(full, 0, 0)  # fault: deadlock
        y[i] = tile[i]

    return launched(read, 64, ROWS)


def nobody_was_told_of_the_barrier(mended):
    """Other threads use a barrier that may not be set up yet."""

    @cuda.jit
    def meet(y, matrix):
        done = cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(done, 0, 64)
            ptx.publish_barriers()
        if mended:
            cuda.syncthreads()
        ptx.arrive(done, 0)  # fault: unset by block 0 thread 1
        if mended:
            ptx.wait_for_phase(done, 0, 0)
        y[i] = i

    return launched(meet, 64, ROWS)


def copies_were_not_told_of_the_barrier(mended):
    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            if mended:
                ptx.publish_barriers()
            ptx.arrive_expecting(full, 0, BYTES)
            ptx.copy_box_async(tile, 0, matrix, 0, 0, full, 0)  # fault: unset by block 0 thread 0
            if mended:
                ptx.wait_for_phase(full, 0, 0)
                y[i] = tile[i]

    return launched(read, 64, ROWS)


def box_between_rows(mended):
    """A box that begins at no multiple of 128 bytes."""
    by = 64 if mended else 8

    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
            ptx.arrive_expecting(full, 0, BYTES)
            ptx.copy_box_async(tile, by, matrix, 0, 0, full, 0)  # fault: alignment by block 0 thread 0
        if mended:
            y[i] = i

    return launched(read, 64, ROWS, tiles=2)


def box_beyond_the_shared_array(mended):
    begin = 0 if mended else BOX

    @cuda.jit
    def read(y, matrix):
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
            ptx.arrive_expecting(full, 0, BYTES)
            ptx.copy_box_async(tile, begin, matrix, 0, 0, full, 0)  # fault: out of bounds by block 0 thread 0
        if mended:
            y[i] = i

    return launched(read, 64, ROWS)


@cuda.jit(device=True)
def fill(tiles, boxes, matrix, full):
    """One thread sets a barrier up and copies boxes below each other; all wait for them."""
    if cuda.threadIdx.x == 0:
        ptx.init_barrier(full, 0, 1)
        ptx.publish_barriers()
        ptx.arrive_expecting(full, 0, boxes * BYTES)
        for box in range(boxes):
            ptx.copy_box_async(tiles, box * BOX, matrix, box * ROWS, 0, full, 0)
    cuda.syncthreads()
    ptx.wait_for_phase(full, 0, 0)


def half_a_warpgroup(mended):
    """Two warps alone multiply."""
    threads = 128 if mended else 64

    @cuda.jit
    def multiply(y, matrix):
        tiles, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        fill(tiles, ROWS, matrix, full)
        a = ptx.describe_tile(tiles, 0, 0, BYTES)
        sums = ptx.multiply_async_bf16(SUMS, a, a)  # fault: warp by block 0 thread 0
        if mended:
            ptx.commit_products()
            sums = ptx.wait_for_products(sums, 0)
            y[cuda.threadIdx.x] = uint16(sums[0])

    return launched(multiply, threads, COLUMNS, tiles=ROWS)


def product_of_half_a_tile(mended):
    """Only four of the eight boxes that make 64 rows of A were copied."""
    boxes = ROWS if mended else ROWS // 2

    @cuda.jit
    def multiply(y, matrix):
        tiles, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        fill(tiles, boxes, matrix, full)
        a = ptx.describe_tile(tiles, 0, 0, BYTES)
        sums = ptx.multiply_async_bf16(SUMS, a, a)  # fault: unset by block 0 thread 0
        ptx.commit_products()
        sums = ptx.wait_for_products(sums, 0)
        y[cuda.threadIdx.x] = uint16(sums[0])

    return launched(multiply, 128, COLUMNS, tiles=ROWS)


def released_before_the_products_are_done(mended):
    """A tile is given back while the matrix units may still read it."""

    @cuda.jit
    def multiply(y, matrix):
        tiles = cuda.shared.array(0, uint16)
        full, empty = cuda.shared.array(1, uint64), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(empty, 0, 128)
            ptx.publish_barriers()
        fill(tiles, ROWS, matrix, full)
        if i < 128:
            a = ptx.describe_tile(tiles, 0, 0, BYTES)
            sums = ptx.multiply_async_bf16(SUMS, a, a)  # fault: race
            ptx.commit_products()
            if mended:
                sums = ptx.wait_for_products(sums, 0)
            ptx.arrive(empty, 0)
            if not mended:
                sums = ptx.wait_for_products(sums, 0)
            y[i] = uint16(sums[0])
        elif i == 128:
            ptx.wait_for_phase(empty, 0, uint32(0))
            ptx.copy_box_async(tiles, 0, matrix, 0, 0, full, 0)  # fault: race by block 0 thread 128

    return launched(multiply, 160, COLUMNS, tiles=ROWS)


def other_block_was_not_waited_for(mended):
    """The blocks of a cluster meet only their own threads before one arrives at the other's barrier."""

    @cuda.jit
    def meet(y, matrix):
        ptx.cluster_of(2)
        done = cuda.shared.array(1, uint64)
        i, other = cuda.threadIdx.x, ptx.cluster_rank() ^ uint32(1)
        if i == 0:
            ptx.init_barrier(done, 0, 1)
            ptx.publish_barriers()
        if mended:
            ptx.cluster_sync()
        else:
            cuda.syncthreads()
        if i == 0:
            ptx.arrive_at_block(done, 0, other)  # fault: unset
        if mended:
            ptx.wait_for_phase(done, 0, 0)
        y[cuda.grid(1)] = i
        ptx.cluster_sync()

    return launched(meet, 64, ROWS, blocks=2)


def copied_over_what_the_other_block_reads(mended):
    """Block 0 orders boxes for both blocks of its cluster, but asks only its own readers whether there is room."""
    arrivals = 4 if mended else 2

    @cuda.jit
    def add(y, matrix):
        ptx.cluster_of(2)
        tile = cuda.shared.array(0, uint16)
        full, empty = cuda.shared.array(1, uint64), cuda.shared.array(1, uint64)
        i, rank = cuda.threadIdx.x, ptx.cluster_rank()
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.init_barrier(empty, 0, arrivals)
            ptx.publish_barriers()
        ptx.cluster_sync()
        for box in range(2):
            if i == 0:
                ptx.arrive_expecting(full, 0, BYTES)
                if rank == 0:
                    ptx.wait_for_phase(empty, 0, (box + 1) & 1)
                    ptx.copy_box_to_blocks(tile, 0, matrix, ROWS * box, 0, full, 0, 3)  # fault: race
            ptx.wait_for_phase(full, 0, box & 1)
            y[cuda.grid(1)] += tile[i]  # fault: race
            cuda.syncthreads()
            if i % 32 == 0 and (mended or rank == 0):
                ptx.arrive_at_block(empty, 0, 0)
        ptx.cluster_sync()

    return launched(add, 64, 2 * ROWS, blocks=2)


def more_blocks_than_a_cluster_has(mended):
    """A bit too many says who gets the box."""
    who = 3 if mended else 7

    @cuda.jit
    def read(y, matrix):
        ptx.cluster_of(2)
        tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
        i = cuda.threadIdx.x
        if i == 0:
            ptx.init_barrier(full, 0, 1)
            ptx.publish_barriers()
            ptx.arrive_expecting(full, 0, BYTES)
        ptx.cluster_sync()
        if i == 0 and ptx.cluster_rank() == 0:
            ptx.copy_box_to_blocks(tile, 0, matrix, 0, 0, full, 0, who)  # fault: out of bounds by block 0 thread 0
        ptx.wait_for_phase(full, 0, 0)
        y[cuda.grid(1)] = tile[i]

    return launched(read, 64, ROWS, blocks=2)


BUGS = (
    *(missing_wait_for_the_phase, other_phase, released_before_it_is_read, too_few_bytes),
    *(nobody_was_told_of_the_barrier, copies_were_not_told_of_the_barrier, box_between_rows),
    *(box_beyond_the_shared_array, half_a_warpgroup, product_of_half_a_tile, released_before_the_products_are_done),
    *(other_block_was_not_waited_for, copied_over_what_the_other_block_reads, more_blocks_than_a_cluster_has),
)
