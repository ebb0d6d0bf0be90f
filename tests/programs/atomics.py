"""Every atomic operation, and orders between blocks. A program is as in ``reductions``."""

import numpy as np
from numba import cuda, float32, int32, uint32

BLOCK = 64


@cuda.jit
def all_sums(total, low, high, x):
    i = cuda.grid(1)
    if i < x.size:
        cuda.atomic.add(total, 0, x[i])
        cuda.atomic.sub(total, 1, x[i])
        cuda.atomic.min(low, i % 3, x[i])
        cuda.atomic.max(high, (i % 2, i % 3), x[i])


def sums_and_extremes(launch, n, rng):
    for dtype in (np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64):
        x = rng.integers(0, 1000, n).astype(dtype)
        total, low, high = np.zeros(2, dtype), np.full(3, 500, dtype), np.full((2, 3), 500, dtype)
        launch(all_sums, -(-n // BLOCK), BLOCK, total, low, high, x)
        i = np.arange(n)
        lowest, highest = np.full(3, 500, dtype), np.full((2, 3), 500, dtype)
        np.minimum.at(lowest, i % 3, x)
        np.maximum.at(highest, (i % 2, i % 3), x)
        whole = x.sum(dtype=dtype)
        yield total, np.array([whole, np.zeros(1, dtype)[0]]) - np.array([0, whole]).astype(dtype)
        yield low, lowest
        yield high, highest


@cuda.jit
def extremes_without_nan(low, high, x):
    i = cuda.grid(1)
    if i < x.size:
        cuda.atomic.nanmin(low, 0, x[i])
        cuda.atomic.nanmax(high, 0, x[i])


def extremes_with_nan(launch, n, rng):
    for dtype in (np.float32, np.float64):
        x = rng.random(n).astype(dtype)
        x[rng.random(n) < 0.3] = np.nan
        low, high = np.full(1, 0.5, dtype), np.full(1, 0.5, dtype)
        launch(extremes_without_nan, -(-n // BLOCK), BLOCK, low, high, x)
        yield low, np.nanmin(np.append(x, dtype(0.5)), keepdims=True)
        yield high, np.nanmax(np.append(x, dtype(0.5)), keepdims=True)


@cuda.jit
def extremes_with_nan_kept(low, high, x):
    i = cuda.grid(1)
    if i < x.size:
        cuda.atomic.min(low, i % 2, x[i])
        cuda.atomic.max(high, i % 2, x[i])


def extremes_that_nan_stops(launch, n, rng):
    """``min`` and ``max`` pass over values that are NaN, and leave a word alone that is NaN."""
    for dtype in (np.float32, np.float64):
        x = rng.random(n).astype(dtype)
        x[rng.random(n) < 0.3] = np.nan
        low, high = np.array([0.5, np.nan], dtype), np.array([0.5, np.nan], dtype)
        launch(extremes_with_nan_kept, -(-n // BLOCK), BLOCK, low, high, x)
        even = np.append(x[::2], dtype(0.5))
        yield low, np.array([np.nanmin(even), np.nan], dtype)
        yield high, np.array([np.nanmax(even), np.nan], dtype)


@cuda.jit
def all_bits(bits, x):
    i = cuda.grid(1)
    if i < x.size:
        cuda.atomic.and_(bits, 0, x[i])
        cuda.atomic.or_(bits, 1, x[i])
        cuda.atomic.xor(bits, 2, x[i])


def bits(launch, n, rng):
    for dtype in (np.int32, np.uint32, np.int64, np.uint64):
        x = rng.integers(0, 2**31 - 1, n).astype(dtype)
        got = np.array([2**31 - 1, 0, 0], dtype)
        launch(all_bits, -(-n // BLOCK), BLOCK, got, x)
        yield got, np.array([np.bitwise_and.reduce(x), np.bitwise_or.reduce(x), np.bitwise_xor.reduce(x)])


@cuda.jit
def tickets(up, down, taken, seen, limit):
    """Counters that wrap: ``taken`` marks each number that ``inc`` gave out, ``seen`` each of ``dec``."""
    i = cuda.grid(1)
    if i < taken.size:
        cuda.atomic.add(taken, cuda.atomic.inc(up, 0, limit), 1)
        cuda.atomic.add(seen, cuda.atomic.dec(down, 0, limit), 1)


def wrapping_counters(launch, n, rng):
    for dtype in (np.uint32, np.uint64):
        limit = n // 2
        up, down = np.zeros(1, dtype), np.full(1, limit, dtype)
        taken, seen = np.zeros(n, np.int32), np.zeros(n, np.int32)
        launch(tickets, -(-n // BLOCK), BLOCK, up, down, taken, seen, dtype(limit))
        drawn = np.bincount(np.arange(n) % (limit + 1), minlength=n).astype(np.int32)
        yield taken, drawn
        yield up, np.array([n % (limit + 1)], dtype)
        yield seen[limit::-1], drawn[: limit + 1]
        yield down, np.array([limit - n % (limit + 1)], dtype)


@cuda.jit
def chain(last, before):
    """Who came before me: exchanges form a chain through all threads that ends in the first comer's -1."""
    i = cuda.grid(1)
    if i < before.size:
        before[i] = cuda.atomic.exch(last, 0, i)


def exchanges(launch, n, rng):
    last, before = np.full(1, -1, np.int64), np.full(n, -7, np.int64)
    launch(chain, -(-n // BLOCK), BLOCK, last, before)
    yield np.sort(np.append(before, last)), np.arange(-1, n)


@cuda.jit
def elect(winner, first, winners):
    """Exactly one thread finds 0 and puts its number there; a cell each for every third thread."""
    i = cuda.grid(1)
    if i < winners.size:
        if cuda.atomic.compare_and_swap(winner, 0, i + 1) == 0:
            cuda.atomic.add(winners, 0, 1)
        if cuda.atomic.cas(first, i % 3, -1, i) == -1:
            cuda.atomic.add(winners, 1 if winners.size > 1 else 0, 1)


def elections(launch, n, rng):
    winner, first, winners = np.zeros(1, np.int32), np.full(3, -1, np.int64), np.zeros(n, np.int32)
    launch(elect, -(-n // BLOCK), BLOCK, winner, first, winners)
    counts = np.zeros(n, np.int32)
    counts[0] += 1
    counts[min(1, n - 1)] += min(3, n)
    yield winners, counts
    yield first % 3 * (first >= 0), np.arange(3) * (np.arange(3) < n)
    yield np.array([0 < winner[0] <= n]), np.array([True])


@cuda.jit
def multiply_into(product, x):
    """An atomic product by compare-and-swap in a loop; a first guess will do, the exchange returns the truth."""
    i = cuda.grid(1)
    if i < x.size:
        old = uint32(1)
        while True:
            assumed = old
            old = cuda.atomic.cas(product, 0, assumed, assumed * x[i])
            if old == assumed:
                break


def products(launch, n, rng):
    x = rng.choice(np.array([1, 3, 5, 7], np.uint32), n)
    product = np.ones(1, np.uint32)
    launch(multiply_into, -(-n // BLOCK), BLOCK, product, x)
    yield product, np.multiply.reduce(x, dtype=np.uint32, keepdims=True)


@cuda.jit
def add_under_lock(total, mutex, x):
    """One thread a block takes the lock, adds, and lets go: the retry and the release are in one loop."""
    if cuda.threadIdx.x == 0:
        done = False
        while not done:
            if cuda.atomic.cas(mutex, 0, 0, 1) == 0:
                cuda.threadfence()
                total[0] += x[cuda.blockIdx.x]
                cuda.threadfence()
                cuda.atomic.exch(mutex, 0, 0)
                done = True


def spin_lock(launch, n, rng):
    x, total, mutex = rng.integers(0, 9, n).astype(np.float32), np.zeros(1, np.float32), np.zeros(1, np.int32)
    launch(add_under_lock, n, 32, total, mutex, x)
    yield total, x.sum(keepdims=True)
    yield mutex, np.zeros(1, np.int32)


@cuda.jit
def sum_by_last_block(result, partial, ticket, x):
    """The CUDA samples' threadFenceReduction: the block that draws the last ticket sums the partial sums."""
    sums = cuda.shared.array(BLOCK, float32)
    is_last = cuda.shared.array(1, int32)
    tid = cuda.threadIdx.x
    i = cuda.grid(1)
    sums[tid] = x[i] if i < x.size else float32(0)
    cuda.syncthreads()
    s = BLOCK // 2
    while s > 0:
        if tid < s:
            sums[tid] += sums[tid + s]
        cuda.syncthreads()
        s >>= 1
    if tid == 0:
        partial[cuda.blockIdx.x] = sums[0]
        cuda.threadfence()
        mine = cuda.atomic.inc(ticket, 0, uint32(cuda.gridDim.x))
        is_last[0] = mine == cuda.gridDim.x - 1
    cuda.syncthreads()
    if is_last[0]:
        value = float32(0)
        for k in range(tid, cuda.gridDim.x, BLOCK):
            value += partial[k]
        sums[tid] = value
        cuda.syncthreads()
        if tid == 0:
            whole = float32(0)
            for k in range(BLOCK):
                whole += sums[k]
            result[0] = whole
            ticket[0] = 0


def last_block_reduction(launch, n, rng):
    x, blocks = rng.integers(-9, 9, n).astype(np.float32), -(-n // BLOCK)
    result, ticket = np.empty(1, np.float32), np.zeros(1, np.uint32)
    launch(sum_by_last_block, blocks, BLOCK, result, np.empty(blocks, np.float32), ticket, x)
    yield result, x.sum(keepdims=True)
    yield ticket, np.zeros(1, np.uint32)


@cuda.jit
def rows_after_rows(m):
    """Cooperative: row k of ``m`` depends on all of row k-1, with one grid sync between."""
    column = cuda.grid(1)
    grid = cuda.cg.this_grid()
    rows, columns = m.shape
    opposite = columns - column - 1
    for row in range(1, rows):
        if column < columns:
            m[row, column] = m[row - 1, opposite] + 1
        grid.sync()


def cooperative_grid(launch, n, rng):
    m = np.empty((9, n), np.int32)
    m[0] = np.arange(n)
    expected = m.copy()
    for row in range(1, 9):
        expected[row] = expected[row - 1, ::-1] + 1
    launch(rows_after_rows, -(-n // BLOCK), BLOCK, m)
    yield m, expected


PROGRAMS = (
    *(
        sums_and_extremes,
        extremes_with_nan,
        extremes_that_nan_stops,
        bits,
        wrapping_counters,
        exchanges,
        elections,
        products,
    ),
    *(spin_lock, last_block_reduction, cooperative_grid),
)
