"""What the lanes of a warp tell each other: shuffles, votes, matches. A program is as in ``reductions``."""

import numpy as np
from numba import cuda, int32, int64

FULL = 0xFFFFFFFF
BLOCK = 64


@cuda.jit
def shuffle_all_ways(out, x):
    """Every thread takes part, beyond the end with 0; columns of ``out``: idx, up, down, xor, broadcast."""
    i = cuda.grid(1)
    value = x[i] if i < x.size else x.dtype.type(0)
    rotated = cuda.shfl_sync(FULL, value, (cuda.laneid + 5) % 32)
    up = cuda.shfl_up_sync(FULL, value, 3)
    down = cuda.shfl_down_sync(FULL, value, 7)
    flipped = cuda.shfl_xor_sync(FULL, value, 16)
    first = cuda.shfl_sync(0xFFFFFFFF, value, 0)
    if i < x.size:
        out[i, 0] = rotated
        out[i, 1] = up
        out[i, 2] = down
        out[i, 3] = flipped
        out[i, 4] = first


def shuffles(launch, n, rng):
    threads = BLOCK * -(-n // BLOCK)
    lanes = np.arange(32)
    for dtype in (np.int32, np.int64, np.float32, np.float64):
        x = rng.integers(-100, 100, n).astype(dtype)
        out = np.zeros((n, 5), dtype)
        launch(shuffle_all_ways, threads // BLOCK, BLOCK, out, x)
        warps = np.append(x, np.zeros(threads - n, dtype)).reshape(-1, 32)
        sources = (
            (lanes + 5) % 32,
            np.where(lanes >= 3, lanes - 3, lanes),
            np.where(lanes + 7 < 32, lanes + 7, lanes),
            lanes ^ 16,
            0 * lanes,
        )
        yield out, np.stack([warps[:, source].reshape(-1)[:n] for source in sources], axis=1)


@cuda.jit
def vote(out, x):
    i = cuda.grid(1)
    positive = i < x.size and x[i] > 0
    everyone = cuda.all_sync(FULL, positive)
    someone = cuda.any_sync(FULL, positive)
    unanimous = cuda.eq_sync(FULL, positive)
    ballot = cuda.ballot_sync(FULL, positive)
    if i < x.size:
        out[i, 0] = everyone
        out[i, 1] = someone
        out[i, 2] = unanimous
        out[i, 3] = ballot
        out[i, 4] = cuda.popc(ballot & ((1 << cuda.laneid) - 1))


def votes(launch, n, rng):
    threads = BLOCK * -(-n // BLOCK)
    for low in (-5, 1, -9):
        x = rng.integers(low, low + 10, n).astype(np.int32)
        out = np.zeros((n, 5), np.int64)
        launch(vote, threads // BLOCK, BLOCK, out, x)
        positive = np.append(x > 0, np.zeros(threads - n, bool)).reshape(-1, 32)
        ballots = (positive << np.arange(32)).sum(axis=1).astype(np.uint32).astype(np.int32)
        everyone, someone = positive.all(axis=1), positive.any(axis=1)
        per_warp = np.stack([everyone, someone, everyone | ~someone, ballots], axis=1).astype(np.int64)
        before = np.cumsum(positive, axis=1) - positive
        yield out, np.column_stack([per_warp.repeat(32, axis=0)[:n], before.reshape(-1)[:n]])


@cuda.jit
def match(any_of, all_of, agreed, x):
    i = cuda.grid(1)
    value = x[i] if i < x.size else int32(-1)
    same = cuda.match_any_sync(FULL, value)
    whole, unanimous = cuda.match_all_sync(FULL, value)
    if i < x.size:
        any_of[i] = same
        all_of[i] = whole
        agreed[i] = unanimous


def matches(launch, n, rng):
    threads = BLOCK * -(-n // BLOCK)
    for high in (1, 4):
        x = rng.integers(0, high, n).astype(np.int32)
        any_of, all_of, agreed = np.zeros(n, np.uint32), np.zeros(n, np.uint32), np.zeros(n, np.bool_)
        launch(match, threads // BLOCK, BLOCK, any_of, all_of, agreed, x)
        warps = np.append(x, np.full(threads - n, -1, np.int32)).reshape(-1, 32)
        same = warps[:, :, None] == warps[:, None, :]
        masks = (same * (1 << np.arange(32))).sum(axis=2).reshape(-1)[:n].astype(np.uint32)
        unanimous = same.all(axis=(1, 2)).repeat(32)[:n]
        yield any_of, masks
        yield all_of, np.where(unanimous, FULL, 0).astype(np.uint32)
        yield agreed, unanimous


@cuda.jit
def aggregate(counter, slots, x):
    """Stream compaction: the lanes that keep their element elect a leader, who takes slots for all of them."""
    i = cuda.grid(1)
    keep = i < x.size and x[i] % 3 == 0
    ballot = cuda.ballot_sync(FULL, keep)
    leader = cuda.ffs(ballot) - 1
    base = int64(0)
    if cuda.laneid == leader:
        base = int64(cuda.atomic.add(counter, 0, cuda.popc(ballot)))
    cuda.syncwarp()
    base = cuda.shfl_sync(FULL, base, max(leader, 0))
    if keep:
        slots[base + cuda.popc(ballot & cuda.lanemask_lt())] = x[i]


def compaction(launch, n, rng):
    x = rng.integers(0, 1000, n).astype(np.int32)
    kept = x[x % 3 == 0]
    counter, slots = np.zeros(1, np.int32), np.full(n, -1, np.int32)
    launch(aggregate, -(-n // BLOCK), BLOCK, counter, slots, x)
    yield counter, np.array([kept.size], np.int32)
    yield np.sort(slots[: kept.size]), np.sort(kept)
    yield slots[kept.size :], np.full(n - kept.size, -1, np.int32)


@cuda.jit
def partial_warp_sum(out, x):
    """Only the first 16 lanes shuffle, and name themselves alone in the mask."""
    tid = cuda.threadIdx.x
    value = x[cuda.blockIdx.x, tid]
    if tid < 16:
        for distance in (8, 4, 2, 1):
            value += cuda.shfl_xor_sync(0xFFFF, value, distance)
    out[cuda.blockIdx.x, tid] = value


def half_warps(launch, n, rng):
    x = rng.integers(-99, 99, (n, 32)).astype(np.float32)
    out = np.empty_like(x)
    launch(partial_warp_sum, n, 32, out, x)
    expected = x.copy()
    expected[:, :16] = x[:, :16].sum(axis=1, keepdims=True)
    yield out, expected


@cuda.jit
def active_lanes(out, x):
    i = cuda.grid(1)
    if i < x.size and x[i] % 2:
        out[i] = cuda.activemask()


def active_masks(launch, n, rng):
    x = np.arange(n, dtype=np.int32)
    out = np.zeros(n, np.uint32)
    launch(active_lanes, -(-n // 32), 32, out, x)
    odd = np.append(x % 2 == 1, np.zeros(-n % 32, bool)).reshape(-1, 32)
    masks = (odd << np.arange(32)).sum(axis=1).repeat(32)[:n]
    yield out, np.where(x % 2, masks, 0).astype(np.uint32)


@cuda.jit
def count_in_block(counts, anyone, everyone, x):
    """The barriers that also count: one result for all threads of the block, beyond the end included."""
    i = cuda.grid(1)
    negative = i < x.size and x[i] < 0
    count = cuda.syncthreads_count(int32(negative))
    some = cuda.syncthreads_or(1 if negative else 0)
    all_of_them = cuda.syncthreads_and(int32(negative or i >= x.size))
    if i < x.size:
        counts[i] = count
        anyone[i] = some != 0
        everyone[i] = all_of_them != 0


def counting_barriers(launch, n, rng):
    for high in (5, -1, 9):
        x = rng.integers(high - 10, high, n).astype(np.int32)
        counts, anyone, everyone = np.zeros(n, np.int32), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        launch(count_in_block, -(-n // BLOCK), BLOCK, counts, anyone, everyone, x)
        blocks = [x[start : start + BLOCK] < 0 for start in range(0, n, BLOCK)]
        yield counts, np.concatenate([np.full(b.size, b.sum(), np.int32) for b in blocks])
        yield anyone, np.concatenate([np.full(b.size, b.any()) for b in blocks])
        yield everyone, np.concatenate([np.full(b.size, b.all()) for b in blocks])


PROGRAMS = (shuffles, votes, matches, compaction, half_warps, active_masks, counting_barriers)
