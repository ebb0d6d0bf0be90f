"""Each check of the lockstep machine fires on a planted bug, names its lines and threads, and is silent on the twin."""

import inspect
import re

import numpy as np
import pytest
from numba import cuda, float32, float64
from programs import boxes, bugs, copies, races

from gpuplay.lockstep.errors import LockstepFault, Unsupported
from gpuplay.lockstep.machine import LockstepMachine
from gpuplay.lockstep.record import Place
from gpuplay.machine.model import GpuModel

BUGS = (*races.BUGS, *bugs.BUGS, *copies.BUGS, *boxes.BUGS)
MARK = re.compile(r"# fault: (?P<kind>[a-z ]+?)(?: by (?P<thread>block .*))?$")


def marks(bug):
    """Where the source of a bug says that it goes wrong: line number → kind and thread, if it names one."""
    lines, first = inspect.getsourcelines(bug)
    found = [(number, MARK.search(line.rstrip())) for number, line in enumerate(lines, first)]
    return {number: mark.groupdict() for number, mark in found if mark}


def faults_of(bug, *, mended=False, keep_going=False):
    machine = LockstepMachine(keep_going=keep_going)
    if mended or keep_going:
        bug(mended)(machine)
    else:
        with pytest.raises(LockstepFault) as caught:
            bug(mended)(machine)
        assert machine.report.faults == caught.value.faults
    return machine.report.faults


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found_on_its_lines(bug):
    marked = marks(bug)
    faults = faults_of(bug)
    (kind,) = {mark["kind"] for mark in marked.values()}
    assert {fault.kind for fault in faults} == {kind}
    parties = [place for fault in faults for place in (fault.place, fault.other) if place]
    assert {place.file for place in parties} == {inspect.getsourcefile(bug)}
    named, told = {fault.place.line for fault in faults}, {place.line for place in parties}
    assert named <= set(marked) <= told
    if kind == "race":
        assert told == set(marked)
    for fault in faults:
        assert fault.thread is not None
        thread = marked[fault.place.line]["thread"]
        assert thread is None or str(fault.thread) == thread


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_mended_twin_is_silent(bug):
    assert faults_of(bug, mended=True) == ()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_machine_that_keeps_going_reports_the_same_bug(bug):
    (kind,) = {mark["kind"] for mark in marks(bug).values()}
    assert kind in {fault.kind for fault in faults_of(bug, keep_going=True)}


@pytest.mark.parametrize("bug", races.BUGS, ids=lambda bug: bug.__name__)
def test_a_race_names_two_threads(bug):
    for fault in faults_of(bug):
        assert fault.other is not None
        assert fault.other_thread is not None
        assert fault.other_thread != fault.thread
        assert fault.array


@pytest.mark.parametrize(
    ("bug", "array", "index"),
    [
        (bugs.off_by_one_edge, "x", (100,)),
        (bugs.store_behind_the_end, "y", (65,)),
        (bugs.wrong_axis, "x", (5, 0)),
        (bugs.negative_index, "x", (-1,)),
        (bugs.beyond_a_slice, "window", (4,)),
        (bugs.beyond_shared, "tile", (33,)),
        (bugs.beyond_dynamic_shared, "buffer", (16,)),
        (bugs.beyond_local, "last", (8,)),
        (bugs.atomic_out_of_bounds, "bins", (9,)),
        (bugs.unset_shared, "tile", (0,)),
        (bugs.unset_local, "mine", (3,)),
        (bugs.unset_workspace, "workspace", (99,)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_access_names_its_array_and_index(bug, array, index):
    fault = faults_of(bug)[0]
    assert (fault.array, fault.index) == (array, index)
    assert array in fault.message


def test_a_race_tells_what_stood_in_the_word():
    @cuda.jit
    def mirrored(y, x):
        tile = cuda.shared.array(64, float32)
        i = cuda.threadIdx.x
        tile[i] = x[i]
        y[i] = tile[63 - i]

    x, machine = np.linspace(0.1, 0.7, 64, dtype=np.float32), LockstepMachine(keep_going=True)
    machine.launch(mirrored, 1, 64, np.zeros(64, np.float32), x)
    (fault,) = machine.report.faults
    assert fault.value == str(x[fault.index])


@pytest.mark.parametrize("dtype", [np.int32, np.uint8], ids=["int32", "uint8"])
def test_a_division_by_zero_tells_what_was_divided(dtype):
    @cuda.jit
    def divide(y, x, d):
        i = cuda.grid(1)
        y[i] = x[i] % d[i]

    d = np.ones(64, dtype)
    d[[37, 50]] = 0
    machine = LockstepMachine(keep_going=True)
    machine.launch(divide, 1, 64, np.zeros(64, dtype), np.arange(100, 164, dtype=dtype), d)
    (fault,) = machine.report.faults
    assert fault.value == "137"
    assert "thread 37 divides 137 by zero" in fault.message


def test_both_sides_of_an_in_place_stencil_between_blocks_are_of_different_blocks():
    for fault in faults_of(races.stencil_between_blocks):
        assert fault.thread.block != fault.other_thread.block


def test_a_machine_that_keeps_going_drops_stores_and_loads_zero_out_of_bounds():
    @cuda.jit
    def shift(y, x):
        i = cuda.grid(1)
        y[i + 1] = x[i + 1]

    x, y = np.ones(32, np.float32), np.full(32, 7, np.float32)
    machine = LockstepMachine(keep_going=True)
    machine.launch(shift, 1, 32, y, x)
    np.testing.assert_array_equal(y, [7, *[1] * 31])
    machine.launch(shift, 1, 32, np.full(33, 7, np.float32), x)
    assert {fault.kind for fault in machine.report.faults} == {"out of bounds"}


def test_threads_that_have_returned_are_not_waited_for_at_a_barrier():
    @cuda.jit
    def reverse(y, x):
        tile = cuda.shared.array(64, float32)
        tid = cuda.threadIdx.x
        if tid >= x.size:
            return
        tile[tid] = x[tid]
        cuda.syncthreads()
        y[tid] = tile[x.size - 1 - tid]

    x, y = np.arange(41, dtype=np.float32), np.empty(41, np.float32)
    machine = LockstepMachine()
    machine.launch(reverse, 1, 64, y, x)
    np.testing.assert_array_equal(y, x[::-1])


def test_a_lock_taken_by_all_lanes_of_a_warp_works_and_is_noted():
    @cuda.jit
    def add(total, mutex):
        while cuda.atomic.cas(mutex, 0, 0, 1) != 0:
            pass
        cuda.atomic.add(total, 0, 1)
        cuda.atomic.exch(mutex, 0, 0)

    total, machine = np.zeros(1, np.int32), LockstepMachine()
    machine.launch(add, 2, 32, total, np.zeros(1, np.int32))
    assert total[0] == 64
    assert "same warp wait" in {note.kind for note in machine.report.notes}


@cuda.jit
def idle(y):
    y[cuda.grid(1)] = 0


@cuda.jit
def greedy(y):
    tile = cuda.shared.array((80, 80), float64)
    tile[0, cuda.threadIdx.x] = 1
    y[cuda.grid(1)] = tile[0, cuda.threadIdx.x]


@pytest.mark.parametrize(
    ("function", "grid", "block", "shared", "limit"),
    [
        (idle, 1, 1025, 0, "1024"),
        (idle, 1, (32, 33), 0, "1024"),
        (idle, 1, (1, 1, 65), 0, "64"),
        (idle, (1, 65536), 1, 0, "65535"),
        (idle, 1, 32, 232449, "232448"),
        (greedy, 1, 32, 0, "49152"),
    ],
    ids=["threads", "threads-2d", "depth", "grid-y", "dynamic-shared", "static-shared"],
)
def test_a_launch_beyond_a_limit_is_refused_by_the_limits_name(function, grid, block, shared, limit):
    machine = LockstepMachine()
    with pytest.raises(LockstepFault, match=limit) as caught:
        machine.launch(function, grid, block, np.zeros(2048), shared=shared)
    assert [fault.kind for fault in caught.value.faults] == ["launch"]
    assert function.__name__ in str(caught.value)


def test_limits_are_those_of_the_model():
    machine = LockstepMachine(GpuModel(threads_per_block=64))
    with pytest.raises(LockstepFault, match="64"):
        machine.launch(idle, 1, 65, np.zeros(65))


@cuda.jit
def meeting(y):
    cuda.cg.this_grid().sync()
    y[0] = 0


@pytest.mark.parametrize(("grid", "block", "most"), [(17, 256, 16), (65, 32, 64), ((3, 1, 2), 1000, 4)])
def test_blocks_that_meet_must_all_be_on_the_gpu_at_once(grid, block, most):
    machine = LockstepMachine(GpuModel(multiprocessors=2))
    with pytest.raises(LockstepFault, match=f"room for {most} at once") as caught:
        machine.launch(meeting, grid, block, np.zeros(1))
    assert [fault.kind for fault in caught.value.faults] == ["launch"]
    machine.launch(idle, int(np.prod(grid)), block, np.zeros(8192))


def test_as_many_blocks_as_the_gpu_has_room_for_may_meet():
    @cuda.jit
    def counted(total, seen):
        cuda.atomic.add(total, 0, 1)
        cuda.cg.this_grid().sync()
        seen[cuda.grid(1)] = total[0]

    seen = np.zeros(4096, np.int32)
    LockstepMachine(GpuModel(multiprocessors=2)).launch(counted, 16, 256, np.zeros(1, np.int32), seen)
    assert (seen == 4096).all()


@cuda.jit
def backwards(y, x):
    reversed_view = x[::-1]
    y[cuda.grid(1)] = reversed_view[cuda.grid(1)]


def test_what_is_not_covered_is_refused_with_its_line():
    lines, first = inspect.getsourcelines(backwards.py_func)
    with pytest.raises(Unsupported, match="slice with a step") as caught:
        LockstepMachine().launch(backwards, 1, 32, np.zeros(32), np.zeros(32))
    assert caught.value.place == Place(__file__, first + lines.index("    reversed_view = x[::-1]\n"))
    assert caught.value.construct
