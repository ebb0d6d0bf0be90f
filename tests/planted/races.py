"""How often each of 8 values occurs, in turns that meet and in turns that do not."""

import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange

from gpuplay.kernel import Array, Kernel, Variant

BINS = 8


def all_into_one(_p):
    @njit(parallel=True)
    def run(counts, x):
        counts[:] = 0
        for i in prange(x.size):
            counts[x[i]] += 1

    return run


def a_row_each(_p):
    @njit(parallel=True)
    def run(counts, x):
        parts = np.zeros((4, BINS), np.int32)
        for part in prange(4):
            for i in range(part * x.size // 4, (part + 1) * x.size // 4):
                parts[part, x[i]] += 1
        for bin_ in prange(BINS):
            counts[bin_] = parts[:, bin_].sum()

    return run


def a_bin_each(_p):
    @njit(parallel=True)
    def run(counts, x):
        for bin_ in prange(BINS):
            total = 0
            for i in range(x.size):
                total += x[i] == bin_
            counts[bin_] = total

    return run


def last_wins(_p):
    @njit(parallel=True)
    def run(counts, x):
        for bin_ in range(BINS):
            for i in prange(x.size):
                counts[bin_] = counts[bin_] + (x[i] == bin_) if i else np.int32(x[i] == bin_)

    return run


def by_a_sum(_p):
    @njit(parallel=True)
    def run(counts, x):
        for bin_ in range(BINS):
            total = 0
            for i in prange(x.size):
                total += x[i] == bin_
            counts[bin_] = total

    return run


def added_up(_p):
    @njit(parallel=True)
    def run(counts, x):
        counts[:] = 0
        for i in prange(x.size):
            one = np.zeros(BINS, np.int32)
            one[x[i]] = 1
            counts += one

    return run


def another_shape(_p):
    @njit(parallel=True)
    def run(counts, x):
        counts[:] = 0
        table = counts.reshape((2, BINS // 2))
        for i in prange(x.size):
            table[x[i] // 4, x[i] % 4] += 1

    return run


def by_thread(_p):
    @njit(parallel=True)
    def run(counts, x):
        parts = np.zeros((get_num_threads(), BINS), np.int32)
        for i in prange(x.size):
            parts[get_thread_id(), x[i]] += 1
        counts[:] = parts.sum(axis=0)

    return run


def the_same_value(_p):
    @njit(parallel=True)
    def run(counts, x):
        for _ in prange(x.size):
            counts[0] = np.int32(7)
        for bin_ in prange(BINS):
            counts[bin_] = (x == bin_).sum()

    return run


KERNEL = Kernel(
    name="races",
    summary="how often each of 8 values occurs",
    size="2^12..2^16",
    inputs=lambda p, rng: {"x": rng.integers(0, BINS, p.n, dtype=np.int32)},
    arrays=lambda p: (Array("counts", (BINS,), "out", "int32"), Array("x", (p.n,), "in", "int32")),
    reference=lambda _p, x: np.bincount(x.astype(np.int64), minlength=BINS),
    dtypes=("float32",),
    variants=(
        Variant("cpu:all_into_one", "MIMD", "all turns add into one array", all_into_one),
        Variant("cpu:last_wins", "MIMD", "all turns write one element", last_wins),
        Variant("cpu:a_row_each", "MIMD", "a row of counts for each part", a_row_each),
        Variant("cpu:a_bin_each", "MIMD", "a bin a turn", a_bin_each),
        Variant("cpu:by_a_sum", "MIMD", "a sum that Numba reduces", by_a_sum),
        Variant("cpu:added_up", "MIMD", "an array that Numba reduces", added_up),
        Variant("cpu:another_shape", "MIMD", "all turns add into one array, by rows", another_shape),
        Variant("cpu:by_thread", "MIMD", "a row of counts for each thread", by_thread),
        Variant("cpu:the_same_value", "MIMD", "all turns write the same value", the_same_value),
    ),
)
