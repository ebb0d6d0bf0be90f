"""Planted races, each with its mended twin.

``bug(mended)`` gives a function that launches on a machine. A trailing comment ``fault: KIND`` marks the
lines that a fault of that kind names; behind ``by`` stands the thread where it is one for certain. The
twins differ by a constant that the GPU function closes over.
"""

import numpy as np
from numba import cuda, float32, int32, uint32

BLOCK = 64
FULL = 0xFFFFFFFF


def numbers(count, dtype=np.float32):
    return np.arange(count).astype(dtype)


def missing_first_barrier(mended):
    """A tile is used before all threads have loaded their part of it."""

    @cuda.jit
    def reverse(out, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        tile[tid] = x[cuda.grid(1)]  # fault: race
        if mended:
            cuda.syncthreads()
        out[cuda.grid(1)] = tile[BLOCK - 1 - tid]  # fault: race

    return lambda machine: machine.launch(reverse, 2, BLOCK, numbers(2 * BLOCK), numbers(2 * BLOCK))


def missing_second_barrier(mended):
    """The next tile is loaded while other threads still use this one."""

    @cuda.jit
    def add_up(out, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        total = float32(0)
        for start in range(0, x.size, BLOCK):
            tile[tid] = x[start + tid]  # fault: race
            cuda.syncthreads()
            for k in range(BLOCK):
                total += tile[k]  # fault: race
            if mended:
                cuda.syncthreads()
        out[tid] = total

    return lambda machine: machine.launch(add_up, 1, BLOCK, numbers(BLOCK), numbers(3 * BLOCK))


def tile_written_twice(mended):
    """Two threads write one word of a tile: the write of the rim and the write of the inside overlap."""

    @cuda.jit
    def rim(out, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        tile[tid] = x[tid]  # fault: race
        if mended:
            cuda.syncthreads()
        if tid < 2:
            tile[tid + BLOCK - 2] = 0  # fault: race
        cuda.syncthreads()
        out[tid] = tile[tid]

    return lambda machine: machine.launch(rim, 1, BLOCK, numbers(BLOCK), numbers(BLOCK))


def plain_histogram(mended):
    """Two threads read the same count, and one of their increments is lost."""

    @cuda.jit
    def count(bins, x):
        i = cuda.grid(1)
        if i < x.size:
            if mended:
                cuda.atomic.add(bins, x[i], 1)
            else:
                bins[x[i]] += 1  # fault: race

    return lambda machine: machine.launch(count, 2, BLOCK, np.zeros(5, np.int32), numbers(100, np.int32) % 5)


def plain_shared_histogram(mended):
    """The same in shared memory, one bin for each pair of threads."""

    @cuda.jit
    def count(bins):
        mine = cuda.shared.array(32, int32)
        tid = cuda.threadIdx.x
        if tid < 32:
            mine[tid] = 0
        cuda.syncthreads()
        if mended:
            cuda.atomic.add(mine, tid // 2, 1)
        else:
            mine[tid // 2] += 1  # fault: race
        cuda.syncthreads()
        if tid < 32:
            bins[tid] = mine[tid]

    return lambda machine: machine.launch(count, 1, BLOCK, np.zeros(32, np.int32))


def warp_synchronous_reduction(mended):
    """The last warp's steps trust that its lanes run in step, which no GPU since Volta promises."""

    @cuda.jit
    def reduce(out, x):
        sums = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        value = x[tid]
        sums[tid] = value
        cuda.syncthreads()
        if tid < 32:
            for step in (32, 16, 8, 4, 2, 1):
                value += sums[tid + step]  # fault: race
                if mended:
                    cuda.syncwarp()
                sums[tid] = value  # fault: race
                if mended:
                    cuda.syncwarp()
        if tid == 0:
            out[0] = value

    return lambda machine: machine.launch(reduce, 1, BLOCK, numbers(1), numbers(BLOCK))


def shuffle_as_barrier(mended):
    """A shuffle hands over registers; it does not order what the lanes wrote to memory."""

    @cuda.jit
    def hand_over(out, x):
        slots = cuda.shared.array(32, float32)
        lane = cuda.laneid
        slots[lane] = x[lane]  # fault: race
        neighbour = cuda.shfl_sync(FULL, lane, (lane + 1) % 32)
        if mended:
            cuda.syncwarp()
        out[lane] = slots[neighbour]  # fault: race

    return lambda machine: machine.launch(hand_over, 1, 32, numbers(32), numbers(32))


def syncwarp_for_a_block(mended):
    """``syncwarp`` orders 32 threads, but the partner sits in another warp."""

    @cuda.jit
    def swap_halves(out, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        tile[tid] = x[tid]  # fault: race
        if mended:
            cuda.syncthreads()
        else:
            cuda.syncwarp()
        out[tid] = tile[tid ^ 32]  # fault: race

    return lambda machine: machine.launch(swap_halves, 1, BLOCK, numbers(BLOCK), numbers(BLOCK))


def write_behind_a_broadcast(mended):
    """All warps read a word, then a thread of the last one changes it after a barrier of its warp alone."""

    @cuda.jit
    def broadcast(out, x):
        word = cuda.shared.array(1, float32)
        tid = cuda.threadIdx.x
        if tid == 0:
            word[0] = x[0]
        cuda.syncthreads()
        out[tid] = word[0]  # fault: race
        if mended:
            cuda.syncthreads()
        else:
            cuda.syncwarp()
        if tid == BLOCK - 1:
            word[0] = 2  # fault: race

    return lambda machine: machine.launch(broadcast, 1, BLOCK, numbers(BLOCK), numbers(1))


def two_blocks_one_word(mended):
    """The first thread of every block writes the same result."""

    @cuda.jit
    def last_one_wins(out, x):
        if cuda.threadIdx.x == 0 and (cuda.blockIdx.x == 0 or not mended):
            out[0] = x[cuda.blockIdx.x]  # fault: race

    return lambda machine: machine.launch(last_one_wins, 3, 32, numbers(1), numbers(3))


def in_place_stencil(mended):
    """A block reads its neighbour's element, which the neighbour may have overwritten already."""

    @cuda.jit
    def smooth(out, x):
        i = cuda.grid(1)
        if 0 < i < x.size:
            left = x[i - 1]  # fault: race
            out[i] = (left + x[i]) / 2  # fault: race

    def launch(machine):
        x = numbers(2 * BLOCK)
        machine.launch(smooth, 2, BLOCK, x.copy() if mended else x, x)

    return launch


def stencil_between_blocks(mended):
    """Within a block a barrier stands between read and write; between blocks there is none."""

    @cuda.jit
    def shift(out, x):
        i = cuda.grid(1)
        right = x[(i + 1) % x.size]  # fault: race
        cuda.syncthreads()
        out[i] = right  # fault: race

    def launch(machine):
        x = numbers(2 * BLOCK)
        machine.launch(shift, 2, BLOCK, x.copy() if mended else x, x)

    return launch


def global_scratch(mended):
    """A block hands data over through global memory; that takes a barrier as shared memory does."""

    @cuda.jit
    def rotate(out, scratch, x):
        i, tid = cuda.grid(1), cuda.threadIdx.x
        scratch[i] = x[i]  # fault: race
        if mended:
            cuda.syncthreads()
        out[i] = scratch[i - tid + (tid + 33) % BLOCK]  # fault: race

    arrays = [numbers(2 * BLOCK) for _ in range(3)]
    return lambda machine: machine.launch(rotate, 2, BLOCK, *arrays)


def plain_read_of_an_atomic_sum(mended):
    """The sum is read while other threads still add to it."""

    @cuda.jit
    def normalise(out, x):
        total = cuda.shared.array(1, float32)
        tid = cuda.threadIdx.x
        if tid == 0:
            total[0] = 0
        cuda.syncthreads()
        cuda.atomic.add(total, 0, x[tid])  # fault: race
        if mended:
            cuda.syncthreads()
        out[tid] = x[tid] / total[0]  # fault: race

    return lambda machine: machine.launch(normalise, 1, BLOCK, numbers(BLOCK), numbers(BLOCK) + 1)


def last_block_reduction(mended):
    """Without its fence, a block's ticket may be seen before its partial sum."""

    @cuda.jit
    def reduce(result, partial, ticket, x):
        is_last = cuda.shared.array(1, int32)
        tid = cuda.threadIdx.x
        if tid == 0:
            partial[cuda.blockIdx.x] = x[cuda.blockIdx.x]  # fault: race
            if mended:
                cuda.threadfence()
            is_last[0] = cuda.atomic.inc(ticket, 0, uint32(cuda.gridDim.x)) == cuda.gridDim.x - 1
        cuda.syncthreads()
        if is_last[0] and tid == 32:
            total = float32(0)
            for k in range(cuda.gridDim.x):
                total += partial[k]  # fault: race
            result[0] = total

    arrays = numbers(1), numbers(4), np.zeros(1, np.uint32), numbers(4)
    return lambda machine: machine.launch(reduce, 4, BLOCK, *arrays)


def lock_without_fence(mended):
    """A lock without fences orders who enters, not what is seen inside."""

    @cuda.jit
    def add(total, mutex):
        if cuda.threadIdx.x == 0:
            while cuda.atomic.cas(mutex, 0, 0, 1) != 0:
                pass
            if mended:
                cuda.threadfence()
            total[0] += 1  # fault: race
            if mended:
                cuda.threadfence()
            cuda.atomic.exch(mutex, 0, 0)

    return lambda machine: machine.launch(add, 3, 32, numbers(1), np.zeros(1, np.int32))


def flag_without_grid_sync(mended):
    """The second half of the grid uses what the first half computes; only a grid sync would order them."""

    @cuda.jit
    def two_phases(out, middle, x):
        i = cuda.grid(1)
        grid = cuda.cg.this_grid()
        middle[i] = 2 * x[i]  # fault: race
        if mended:
            grid.sync()
        out[i] = middle[x.size - 1 - i]  # fault: race

    arrays = [numbers(2 * BLOCK) for _ in range(3)]
    return lambda machine: machine.launch(two_phases, 2, BLOCK, *arrays)


BUGS = (
    *(missing_first_barrier, missing_second_barrier, tile_written_twice, plain_histogram, plain_shared_histogram),
    *(warp_synchronous_reduction, shuffle_as_barrier, syncwarp_for_a_block, write_behind_a_broadcast),
    *(two_blocks_one_word, in_place_stencil),
    *(stencil_between_blocks, global_scratch, plain_read_of_an_atomic_sum, last_block_reduction),
    *(lock_without_fence, flag_without_grid_sync),
)
