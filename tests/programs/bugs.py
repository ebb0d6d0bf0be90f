"""Planted bugs other than races, each with its mended twin; how they are written is told in ``races``."""

import numpy as np
from numba import cuda, float32, int32

from gpuplay.intrinsics.ptx import load4

from .races import BLOCK, numbers

FULL = 0xFFFFFFFF
HALF = 0xFFFF
MORE_THAN_RESIDENT = 300  # blocks of 1024 threads; 132 multiprocessors hold 264 of them


def shared_array_aligned_to_its_element(mended):
    """Nothing says that the array begins at a multiple of 16 bytes, though it will where it stands alone."""
    aligned = 16 if mended else 4

    @cuda.jit
    def broadcast(y, x):
        tile = cuda.shared.array(BLOCK, float32, alignment=aligned)
        tid = cuda.threadIdx.x
        tile[tid] = x[tid]
        cuda.syncthreads()
        y[tid] = load4(tile, 0)[1]  # fault: alignment by block 0 thread 0

    return lambda machine: machine.launch(broadcast, 1, BLOCK, numbers(BLOCK), numbers(BLOCK))


def off_by_one_edge(mended):
    @cuda.jit
    def double(y, x):
        i = cuda.grid(1)
        if i < x.size or (i == x.size and not mended):
            y[0, i] = 2 * x[i]  # fault: out of bounds by block 1 thread 36

    return lambda machine: machine.launch(double, 3, BLOCK, numbers(100).reshape(1, 100), numbers(100))


def store_behind_the_end(mended):
    @cuda.jit
    def fill(y):
        i = cuda.grid(1)
        if i < y.size or not mended:
            y[i] = i  # fault: out of bounds by block 1 thread 1

    return lambda machine: machine.launch(fill, 2, BLOCK, numbers(BLOCK + 1))


def wrong_axis(mended):
    """Row and column exchanged: within the array's memory for some threads, out of its shape all the same."""

    @cuda.jit
    def copy(y, x):
        j, i = cuda.grid(2)
        if i < x.shape[0] and j < x.shape[1]:
            if mended:
                y[i, j] = x[i, j]
            else:
                y[i, j] = x[j, i]  # fault: out of bounds by block 0 thread 5

    shape = (5, 8)
    return lambda machine: machine.launch(copy, 1, (8, 8), numbers(40).reshape(shape), numbers(40).reshape(shape))


def negative_index(mended):
    """Python would wrap to the last element, and so would Numba; the programmer forgot the edge."""

    @cuda.jit
    def differences(y, x):
        i = cuda.grid(1)
        if i < x.size and (i > 0 or not mended):
            y[i] = x[i] - x[i - 1]  # fault: out of bounds by block 0 thread 0

    return lambda machine: machine.launch(differences, 2, BLOCK, numbers(100), numbers(100))


def beyond_a_slice(mended):
    """The fifth element of a window of four lies within the array but not within the window."""

    @cuda.jit
    def sums(y, x):
        i = cuda.grid(1)
        if i < y.size:
            window = x[4 * i : 4 * i + 4]
            total = float32(0)
            for k in range(4 if mended else 5):
                total += window[k]  # fault: out of bounds by block 0 thread 0
            y[i] = total

    return lambda machine: machine.launch(sums, 1, 32, numbers(10), numbers(44))


def beyond_shared(mended):
    """A halo of one on each side needs two more words."""
    words = 34 if mended else 33

    @cuda.jit
    def halo(y, x):
        tile = cuda.shared.array(words, float32)
        tid = cuda.threadIdx.x
        tile[tid + 1] = x[tid]
        if tid == 31:
            tile[tid + 2] = 0  # fault: out of bounds by block 0 thread 31
        if tid == 0:
            tile[0] = 0
        cuda.syncthreads()
        y[tid] = tile[tid] + tile[tid + 1]

    return lambda machine: machine.launch(halo, 1, 32, numbers(32), numbers(32))


def beyond_dynamic_shared(mended):
    """The launch gives fewer bytes than the GPU function uses."""

    @cuda.jit
    def stage(y, x):
        buffer = cuda.shared.array(0, float32)
        tid = cuda.threadIdx.x
        buffer[tid] = x[tid]  # fault: out of bounds by block 0 thread 16
        if tid < (32 if mended else 16):
            y[tid] = buffer[tid]

    shared = 128 if mended else 64
    return lambda machine: machine.launch(stage, 1, 32, numbers(32), numbers(32), shared=shared)


def beyond_local(mended):
    @cuda.jit
    def fibonacci(y, count):
        last = cuda.local.array(8, int32)
        last[0] = last[1] = 1
        for k in range(2, count):
            last[k] = last[k - 1] + last[k - 2]  # fault: out of bounds by block 0 thread 0
        y[cuda.grid(1)] = last[7]

    return lambda machine: machine.launch(fibonacci, 1, 32, numbers(32), 8 if mended else 9)


def atomic_out_of_bounds(mended):
    @cuda.jit
    def count(bins, x):
        i = cuda.grid(1)
        if i < x.size and (x[i] < bins.size or not mended):
            cuda.atomic.add(bins, x[i], 1)  # fault: out of bounds by block 0 thread 9

    return lambda machine: machine.launch(count, 1, 32, np.zeros(9, np.int32), numbers(20, np.int32))


def divergent_barrier(mended):
    """Some threads wait at a barrier that the others pass by."""

    @cuda.jit
    def reverse(y, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        if tid < 40 or mended:
            tile[tid] = x[tid]
            cuda.syncthreads()  # fault: barrier
        if tid < 40:
            y[tid] = tile[39 - tid]

    return lambda machine: machine.launch(reverse, 1, BLOCK, numbers(BLOCK), numbers(BLOCK))


def barrier_in_the_last_branch(mended):
    """The same where nothing follows the branch: the others fall off the end of the function."""

    @cuda.jit
    def reverse(y, x):
        tile = cuda.shared.array(BLOCK, float32)
        tid = cuda.threadIdx.x
        if tid < 40 or mended:
            tile[tid] = x[tid]
            cuda.syncthreads()  # fault: barrier
            y[tid] = tile[(tid + 20) % 40]

    return lambda machine: machine.launch(reverse, 1, BLOCK, numbers(BLOCK), numbers(BLOCK))


def barrier_in_a_loop(mended):
    """Threads leave the loop at different times, and with it the barrier inside."""

    @cuda.jit
    def walk(y):
        tid = cuda.threadIdx.x
        for k in range(4 if mended else tid % 4):
            cuda.syncthreads()  # fault: barrier
            if k < 4:
                y[tid] = k

    return lambda machine: machine.launch(walk, 1, BLOCK, numbers(BLOCK))


def two_barriers(mended):
    """Each side of a branch has a barrier of its own: they are not the same barrier."""

    @cuda.jit
    def branches(y):
        tile = cuda.shared.array(BLOCK, int32)
        tid = cuda.threadIdx.x
        if tid < 32 or mended:
            tile[tid] = 1
            cuda.syncthreads()  # fault: barrier
        else:
            tile[tid] = 2
            cuda.syncthreads()  # fault: barrier
        y[tid] = tile[BLOCK - 1 - tid]

    return lambda machine: machine.launch(branches, 1, BLOCK, numbers(BLOCK))


def unset_shared(mended):
    """The rim of the tile is never written."""

    @cuda.jit
    def blur(y, x):
        tile = cuda.shared.array(34, float32)
        tid = cuda.threadIdx.x
        tile[tid + 1] = x[tid]
        if tid < 2 and mended:
            tile[33 * tid] = 0
        cuda.syncthreads()
        y[tid] = tile[tid + 1] + tile[tid]  # fault: unset by block 0 thread 0

    return lambda machine: machine.launch(blur, 1, 32, numbers(32), numbers(32))


def unset_shared_of_the_next_block(mended):
    """Only the first block writes: shared memory does not outlive a block."""

    @cuda.jit
    def remember(y):
        kept = cuda.shared.array(1, int32)
        if cuda.threadIdx.x == 0 and (cuda.blockIdx.x == 0 or mended):
            kept[0] = 7
        cuda.syncthreads()
        y[cuda.grid(1)] = kept[0]  # fault: unset by block 1 thread 0

    return lambda machine: machine.launch(remember, 3, 32, numbers(96))


def unset_atomic_sum(mended):
    """A sum in shared memory that nobody set to zero."""

    @cuda.jit
    def count(y):
        total = cuda.shared.array(1, int32)
        if mended:
            if cuda.threadIdx.x == 0:
                total[0] = 0
            cuda.syncthreads()
        y[cuda.grid(1)] = cuda.atomic.add(total, 0, 1)  # fault: unset by block 0 thread 0

    return lambda machine: machine.launch(count, 1, 32, numbers(32))


def unset_local(mended):
    """Thread 5 leaves the loop before it has filled its array."""

    @cuda.jit
    def fill(y):
        mine = cuda.local.array(4, float32)
        tid = cuda.threadIdx.x
        for k in range(4):
            if tid == 5 and k == 2 and not mended:
                break
            mine[k] = k
        y[tid] = mine[3]  # fault: unset by block 0 thread 5

    return lambda machine: machine.launch(fill, 1, 32, numbers(32))


def unset_workspace(mended):
    """The second launch adds to a workspace that the first one filled but for its last element."""

    @cuda.jit
    def clear(workspace, count):
        i = cuda.grid(1)
        if i < count:
            workspace[i] = 0

    @cuda.jit
    def accumulate(workspace, x):
        i = cuda.grid(1)
        if i < x.size:
            workspace[i] += x[i]  # fault: unset by block 1 thread 35

    def launch(machine):
        workspace = numbers(100)
        machine.mark_unset(workspace)
        machine.launch(clear, 2, BLOCK, workspace, 100 if mended else 99)
        machine.launch(accumulate, 2, BLOCK, workspace, numbers(100))

    return launch


def lock_never_released(mended):
    """A thread that finds nothing to do returns with the lock in its hand."""

    @cuda.jit
    def add(total, mutex, x):
        if cuda.threadIdx.x > 0:
            return
        while cuda.atomic.cas(mutex, 0, 0, 1) != 0:  # fault: deadlock
            pass
        cuda.threadfence()
        if x[cuda.blockIdx.x] == 0 and not mended:
            return
        total[0] += x[cuda.blockIdx.x]
        cuda.threadfence()
        cuda.atomic.exch(mutex, 0, 0)

    return lambda machine: machine.launch(add, 4, 32, numbers(1), np.zeros(1, np.int32), numbers(4) % 2)


def grid_barrier_by_hand(mended):
    """Blocks wait for blocks that start only when one of those that wait has ended."""
    blocks = 4 if mended else MORE_THAN_RESIDENT

    @cuda.jit
    def meet(arrived):
        if cuda.threadIdx.x == 0:
            cuda.atomic.add(arrived, 0, 1)
            while cuda.atomic.add(arrived, 0, 0) < cuda.gridDim.x:  # fault: deadlock
                pass
        cuda.syncthreads()

    return lambda machine: machine.launch(meet, blocks, 1024, np.zeros(1, np.int32))


def spinning_before_a_barrier(mended):
    """Thread 40 waits for a flag that thread 0 sets only behind the barrier at which it waits for thread 40."""

    @cuda.jit
    def wait(y, flag):
        tid = cuda.threadIdx.x
        if tid == 0 and mended:
            cuda.atomic.exch(flag, 0, 1)
        if tid == 40:
            while cuda.atomic.add(flag, 0, 0) == 0:  # fault: deadlock
                pass
        cuda.syncthreads()
        if tid == 0 and not mended:
            cuda.atomic.exch(flag, 0, 1)
        y[tid] = tid

    return lambda machine: machine.launch(wait, 1, BLOCK, numbers(BLOCK), np.zeros(1, np.int32))


def waiting_for_nobody(mended):
    """No thread ever changes the word: the loop reads the same value for ever."""

    @cuda.jit
    def wait(y, flag):
        while cuda.atomic.max(flag, 0, 0) == 0:  # fault: deadlock
            pass
        y[cuda.grid(1)] = 1

    flag = np.full(1, 1 if mended else 0, np.int32)
    return lambda machine: machine.launch(wait, 1, 32, numbers(32), flag)


def shuffle_in_a_branch(mended):
    """The mask names all lanes, half of which are elsewhere."""

    @cuda.jit
    def halves(y, x):
        lane = cuda.laneid
        value = x[lane]
        if lane < 16 or mended:
            value += cuda.shfl_down_sync(FULL, value, 8)  # fault: shuffle
        y[lane] = value

    return lambda machine: machine.launch(halves, 1, 32, numbers(32), numbers(32))


def shuffle_from_an_inactive_lane(mended):
    """The mask is right, but lanes 8 to 15 ask lanes 16 to 23, which it does not name."""

    @cuda.jit
    def halves(y, x):
        lane = cuda.laneid
        value = x[lane]
        if lane < 16:
            source = (lane + 8) % 16 if mended else lane + 8
            value += cuda.shfl_sync(HALF, value, source)  # fault: shuffle by block 0 thread 8
        y[lane] = value

    return lambda machine: machine.launch(halves, 1, 32, numbers(32), numbers(32))


def shuffle_in_a_partial_warp(mended):
    """A block of 40 threads: the second warp has 8 lanes, and lanes 4 to 7 ask lanes that do not exist."""

    @cuda.jit
    def rotate(y, x):
        tid = cuda.threadIdx.x
        value = x[tid]
        if tid >= 32:
            source = (tid + 4) % (8 if mended else 32)
            value = cuda.shfl_sync(FULL, value, source)  # fault: shuffle by block 0 thread 36
        y[tid] = value

    return lambda machine: machine.launch(rotate, 1, 40, numbers(40), numbers(40))


def division_by_zero(mended):
    """Whole numbers have no infinity: the result is undefined."""

    @cuda.jit
    def divide(y, x, d):
        i = cuda.grid(1)
        if i < y.size and (d[i] != 0 or not mended):
            y[i] = x[i] // d[i]  # fault: division by block 1 thread 3

    def launch(machine):
        d = np.ones(100, np.int32)
        d[BLOCK + 3] = 0
        machine.launch(divide, 2, BLOCK, numbers(100, np.int32), numbers(100, np.int32), d)

    return launch


BUGS = (
    *(off_by_one_edge, store_behind_the_end, wrong_axis, negative_index, beyond_a_slice, beyond_shared),
    *(beyond_dynamic_shared, beyond_local, atomic_out_of_bounds, shared_array_aligned_to_its_element),
    *(divergent_barrier, barrier_in_the_last_branch, barrier_in_a_loop, two_barriers),
    *(unset_shared, unset_shared_of_the_next_block, unset_atomic_sum, unset_local, unset_workspace),
    *(lock_never_released, grid_barrier_by_hand, spinning_before_a_barrier, waiting_for_nobody),
    *(shuffle_in_a_branch, shuffle_from_an_inactive_lane, shuffle_in_a_partial_warp, division_by_zero),
)
