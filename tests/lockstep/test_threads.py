"""Threads that wait, return and count: what the lockstep machine lets happen, and what it names."""

from __future__ import annotations

import numpy as np
import pytest
from numba import cuda, int32

from gpuplay.lockstep.errors import LockstepFault, Unsupported
from gpuplay.lockstep.machine import LockstepMachine

FACTOR = 0


def test_blocks_that_count_their_tries_get_their_turn():
    @cuda.jit
    def in_order(flag):
        tries = 0
        while cuda.atomic.add(flag, 0, 0) < cuda.blockIdx.x:
            tries += 1
        cuda.atomic.add(flag, 0, 1)

    flag = np.zeros(1, np.int32)
    LockstepMachine().launch(in_order, 4, 1, flag)
    assert flag[0] == 4


def test_a_deadlock_is_named_though_its_loop_counts():
    @cuda.jit
    def wait(flag):
        tries = 0
        while cuda.atomic.add(flag, 0, 0) < 1:
            tries += 1

    with pytest.raises(LockstepFault) as caught:
        LockstepMachine().launch(wait, 1, 32, np.zeros(1, np.int32))
    assert [fault.kind for fault in caught.value.faults] == ["deadlock"]


def test_a_thread_that_comes_to_a_loop_where_another_waits_does_not_wait_for_it():
    @cuda.jit
    def meet(flag):
        t = cuda.threadIdx.x
        for _ in range(2):
            while True:
                if cuda.atomic.add(flag, 0, 0) >= t:
                    break
        if t == 0:
            cuda.atomic.add(flag, 0, 1)

    flag = np.zeros(1, np.int32)
    LockstepMachine().launch(meet, 1, 2, flag)
    assert flag[0] == 1


def test_threads_may_return_while_others_wait_at_a_barrier_in_a_loop():
    @cuda.jit
    def fewer(y, limits):
        t = cuda.threadIdx.x
        for s in range(4):
            if t >= limits[s]: return  # fmt: skip # noqa: E701 - as learners write it
            cuda.syncthreads()
            y[t] += 1

    y = np.zeros(64)
    LockstepMachine().launch(fewer, 1, 64, y, np.array([64, 48, 16, 2]))
    assert y.tolist() == [4] * 2 + [3] * 14 + [2] * 32 + [1] * 16


def test_no_thread_may_return_before_all_of_the_grid_meet():
    @cuda.jit
    def some(y):
        if cuda.grid(1) >= 3:
            return
        cuda.cg.this_grid().sync()
        y[cuda.grid(1)] = 1

    with pytest.raises(LockstepFault) as caught:
        LockstepMachine().launch(some, 1, 32, np.zeros(32))
    assert [fault.kind for fault in caught.value.faults] == ["barrier"]


@pytest.mark.parametrize("factor", [8, 16])
def test_a_global_that_was_set_anew_counts(factor):
    global FACTOR  # noqa: PLW0603 - the point of the test
    FACTOR = factor

    @cuda.jit
    def fill(y):
        y[cuda.threadIdx.x] = FACTOR

    y = np.zeros(32)
    LockstepMachine().launch(fill, 1, 32, y)
    assert (y == factor).all()


def test_a_load_out_of_bounds_gives_0_where_the_machine_keeps_going():
    @cuda.jit
    def copy(y, x):
        y[cuda.threadIdx.x] = x[cuda.threadIdx.x]

    for given, expected in ((np.full(3, 7.0), [7, 7, 7, 0, 0]), (np.zeros(0), [0] * 5)):
        y, machine = np.ones(5), LockstepMachine(keep_going=True)
        machine.launch(copy, 1, 5, y, given)
        assert y.tolist() == expected
        assert [fault.kind for fault in machine.report.faults] == ["out of bounds"]


def test_each_array_that_is_too_short_is_named():
    @cuda.jit
    def add(c, a, b):
        i = cuda.threadIdx.x
        c[i] = a[i] + b[i]

    machine = LockstepMachine(keep_going=True)
    machine.launch(add, 1, 5, np.zeros(3), np.zeros(3), np.zeros(3))
    assert {fault.array for fault in machine.report.faults} == {"a", "b", "c"}


def test_a_literal_negative_index_counts_from_the_end_beside_another_index_too():
    @cuda.jit
    def last_row(y, x):
        y[cuda.threadIdx.x] = x[-1, cuda.threadIdx.x]

    y, x = np.zeros(5), np.arange(10.0).reshape(2, 5)
    LockstepMachine().launch(last_row, 1, 5, y, x)
    assert (y == x[-1]).all()


def test_a_function_of_a_function_of_the_same_factory_is_no_recursion():
    def scaled(inner, factor):
        @cuda.jit(device=True)
        def outer(x):
            return inner(x) * factor

        return outer

    @cuda.jit(device=True)
    def itself(x):
        return x

    six_times = scaled(scaled(itself, 2.0), 3.0)

    @cuda.jit
    def fill(y):
        y[cuda.threadIdx.x] = six_times(1.0)

    y = np.zeros(5)
    LockstepMachine().launch(fill, 1, 5, y)
    assert (y == 6).all()


def test_a_range_ends_at_the_end_of_its_integers():
    @cuda.jit
    def turns(y):
        n = 0
        for _ in range(int32(0), int32(2**31 - 1), int32(2**30)):
            n += 1
        y[cuda.threadIdx.x] = n

    y = np.zeros(5)
    LockstepMachine().launch(turns, 1, 5, y)
    assert (y == 2).all()


def test_an_item_of_a_tuple_wraps_from_the_end_and_not_beyond():
    @cuda.jit
    def items(y, shift):
        y[cuda.threadIdx.x] = (1.0, 2.0, 3.0)[cuda.threadIdx.x + shift]

    y = np.zeros(4)
    LockstepMachine().launch(items, 1, 4, y, -1)
    assert y.tolist() == [3, 1, 2, 3]
    with pytest.raises(LockstepFault, match="thread 3"):
        LockstepMachine().launch(items, 1, 4, y, 0)


def test_a_field_at_no_multiple_of_its_size_is_refused_by_name():
    packed = np.zeros(4, np.dtype([("a", "i1"), ("b", "f4")]))

    @cuda.jit
    def fields(y, x):
        y[cuda.threadIdx.x] = x[cuda.threadIdx.x]["b"]

    with pytest.raises(Unsupported, match="'b'"):
        LockstepMachine().launch(fields, 1, 4, np.zeros(4), packed)


def test_a_race_through_a_row_names_the_indices_of_the_line():
    @cuda.jit
    def rows(y):
        tile = cuda.shared.array((4, 8), np.float32)
        t = cuda.threadIdx.x
        tile[t // 8, t % 8] = t
        row = tile[3 - t // 8]
        y[t] = row[7 - t % 8]

    with pytest.raises(LockstepFault) as caught:
        LockstepMachine().launch(rows, 1, 32, np.zeros(32))
    [fault] = caught.value.faults
    assert (fault.array, fault.index) == ("row", (7,))
