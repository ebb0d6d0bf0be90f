"""A bitonic sort, histograms and a Monte-Carlo π. A program is as in ``reductions``."""

import numpy as np
from numba import cuda, int32
from numba.cuda.random import init_xoroshiro128p_states_cpu, xoroshiro128p_dtype, xoroshiro128p_uniform_float32

BINS = 17
WIDTH = 64
DRAWS = 20


@cuda.jit
def bitonic_step(values, j, k):
    """Compare and exchange the pairs at distance j in sorted runs of k, in global memory."""
    i = cuda.threadIdx.x + cuda.blockDim.x * cuda.blockIdx.x
    ixj = i ^ j
    if ixj > i and ixj < values.size:
        ascending = (i & k) == 0
        if (ascending and values[i] > values[ixj]) or (not ascending and values[i] < values[ixj]):
            values[i], values[ixj] = values[ixj], values[i]


@cuda.jit
def bitonic_block(values):
    """All steps for a row of WIDTH values a block, in shared memory."""
    keys = cuda.shared.array(WIDTH, int32)
    tid = cuda.threadIdx.x
    keys[tid] = values[cuda.blockIdx.x, tid]
    k = 2
    while k <= WIDTH:
        j = k >> 1
        while j:
            cuda.syncthreads()
            other = tid ^ j
            if other > tid:
                up = not tid & k
                if (keys[tid] > keys[other]) == up:
                    keys[tid], keys[other] = keys[other], keys[tid]
            j >>= 1
        k <<= 1
    cuda.syncthreads()
    values[cuda.blockIdx.x, tid] = keys[tid]


def bitonic_sort(launch, n, rng):
    size = 1 << (n - 1).bit_length()
    values = rng.integers(-50, 50, size).astype(np.float32)
    expected = np.sort(values)
    k = 2
    while k <= size:
        j = k // 2
        while j > 0:
            launch(bitonic_step, -(-size // 64), 64, values, j, k)
            j //= 2
        k *= 2
    yield values, expected


def bitonic_sort_of_rows(launch, n, rng):
    values = rng.integers(-1000, 1000, (min(n, 40), WIDTH)).astype(np.int32)
    expected = np.sort(values, axis=1)
    launch(bitonic_block, values.shape[0], WIDTH, values)
    yield values, expected


@cuda.jit
def histogram(bins, x, lowest, highest):
    """The example of Numba's documentation: values outside of the range are left out."""
    nbins = bins.shape[0]
    bin_width = (highest - lowest) / nbins
    start = cuda.grid(1)
    stride = cuda.gridsize(1)
    for i in range(start, x.shape[0], stride):
        bin_number = int32((x[i] - lowest) / bin_width)
        if bin_number >= 0 and bin_number < nbins and x[i] >= lowest:
            cuda.atomic.add(bins, bin_number, 1)


@cuda.jit
def privatised_histogram(bins, x):
    """A histogram a block in shared memory, added to the one in global memory at the end."""
    mine = cuda.shared.array(BINS, int32)
    for b in range(cuda.threadIdx.x, BINS, cuda.blockDim.x):
        mine[b] = 0
    cuda.syncthreads()
    i = cuda.grid(1)
    while i < x.size:
        cuda.atomic.add(mine, x[i], 1)
        i += cuda.gridsize(1)
    cuda.syncthreads()
    for b in range(cuda.threadIdx.x, BINS, cuda.blockDim.x):
        if mine[b]:
            cuda.atomic.add(bins, b, mine[b])


def histogram_by_global_atomics(launch, n, rng):
    x, bins = rng.integers(-3, 12, n).astype(np.float32), np.zeros(8, np.int32)
    launch(histogram, 2, 64, bins, x, np.float32(0), np.float32(8))
    yield bins, np.array([np.count_nonzero(x == b) for b in range(8)], np.int32)


def histogram_by_shared_atomics(launch, n, rng):
    x, bins = rng.integers(0, BINS, n).astype(np.uint8), np.zeros(BINS, np.int32)
    launch(privatised_histogram, 3, 96, bins, x)
    yield bins, np.bincount(x, minlength=BINS).astype(np.int32)


@cuda.jit
def compute_pi(rng_states, iterations, out):
    """The example of Numba's documentation: the share of random points within the quarter circle."""
    thread_id = cuda.grid(1)
    if thread_id >= out.size:
        return
    inside = 0
    for _ in range(iterations):
        x = xoroshiro128p_uniform_float32(rng_states, thread_id)
        y = xoroshiro128p_uniform_float32(rng_states, thread_id)
        if x**2 + y**2 <= 1.0:
            inside += 1
    out[thread_id] = 4.0 * inside / iterations


def _uniform(states):
    """The next float32 of every generator, by NumPy: xoroshiro128+ of Blackman and Vigna."""
    s0, s1 = states["s0"].copy(), states["s1"].copy()
    result = s0 + s1
    s1 ^= s0
    states["s0"] = (s0 << np.uint64(55) | s0 >> np.uint64(9)) ^ s1 ^ (s1 << np.uint64(14))
    states["s1"] = s1 << np.uint64(36) | s1 >> np.uint64(28)
    return ((result >> np.uint64(11)) * 2.0**-53).astype(np.float32)


def monte_carlo_pi(launch, n, rng):
    states, out = np.empty(n, xoroshiro128p_dtype), np.empty(n, np.float32)
    init_xoroshiro128p_states_cpu(states, 1, 0)
    own = states.copy()
    launch(compute_pi, -(-n // 64), 64, states, DRAWS, out)
    inside = np.zeros(n, np.int64)
    for _ in range(DRAWS):
        x, y = _uniform(own), _uniform(own)
        inside += x**2 + y**2 <= 1
    yield out, (4.0 * inside / DRAWS).astype(np.float32)
    yield states["s0"], own["s0"]
    yield states["s1"], own["s1"]


@cuda.jit
def normalised(out, x, mean, deviation):
    """Elementwise with a grid-stride loop; ``mean`` and ``deviation`` are scalars of the host."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = (x[i] - mean) / deviation


def standardise(launch, n, rng):
    x = rng.random(n, np.float32)
    for dtype in (np.float32, np.float64):
        out = np.empty(n, dtype)
        launch(normalised, 3, 32, out, x, np.float32(0.5), 2.5)
        yield out, ((x - np.float32(0.5)).astype(np.float64) / 2.5).astype(dtype)


PROGRAMS = (
    *(bitonic_sort, bitonic_sort_of_rows, histogram_by_global_atomics, histogram_by_shared_atomics),
    *(monte_carlo_pi, standardise),
)
