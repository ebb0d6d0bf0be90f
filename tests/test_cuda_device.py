"""The clock of the CUDA target, tried with a stand-in for the stream: it holds, counts, and lets go in time."""

import contextlib
import weakref

import pytest

from gpuplay.errors import GpuplayError, WorkerLost
from gpuplay.limits import LaunchError
from gpuplay.machine_model import GpuModel
from gpuplay.targets.cuda import CudaTarget
from gpuplay.targets.device import Device, DeviceFaultError, DeviceGpu

KERNEL_MS = 2.0


class FakeStream:
    """A stream that takes ``capacity`` operations while it is held; more of them outlast the hold."""

    def __init__(self, capacity=10**9, error=None):
        self.capacity, self.error = capacity, error
        self.flag = [0, 0]
        self.held, self.waiting, self.most_waiting, self.launched = False, 0, 0, 0
        self.clock_ms = 0.0

    def hold(self, *_args):
        self.held, self.waiting = not self.flag[0], 0

    def queue(self, *_args):
        self.launched += 1
        self.clock_ms += KERNEL_MS
        if self.held and not self.flag[0]:
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
            if self.waiting > self.capacity:
                self.held, self.flag[1] = False, 1

    def synchronize(self):
        assert self.flag[0] or not self.held, "waits for a stream that nobody releases"
        if self.error:
            raise RuntimeError(self.error)


class FakeEvent:
    def __init__(self, stream):
        self.stream, self.at = stream, 0.0

    def record(self, _stream):
        self.at = self.stream.clock_ms

    def synchronize(self):
        self.stream.synchronize()

    def elapsed_time(self, end):
        return end.at - self.at


class FakeFunction:
    """What ``@cuda.jit`` returns: indexed by a launch configuration it gives a launcher."""

    def __init__(self, action, name="fake"):
        self.action, self.__name__, self.configured = action, name, []

    def __getitem__(self, configuration):
        self.configured.append(configuration)
        return self.action


class Flag(list):
    """A mapped array of two integers."""

    def __setitem__(self, place, value):
        super().__setitem__(place, [value, value] if isinstance(place, slice) else value)


def device_on(stream, queue=512):
    """A Device around a fake stream, without the construction that needs a GPU."""
    device = object.__new__(Device)
    stream.flag = device._flag = Flag([0, 0])
    device.stream, device.queue, device.operations, device._release_at = stream, queue, 0, None
    device.properties = GpuModel()
    device.context = type("Context", (), {"defer_cleanup": lambda _self: contextlib.nullcontext()})()
    device.functions = type("Functions", (), {"hold": FakeFunction(stream.hold, "hold")})
    device._counted = weakref.WeakKeyDictionary()
    device._begin, device._end = FakeEvent(stream), FakeEvent(stream)
    return device


def target_on(stream, queue=512):
    target = CudaTarget()
    target.__dict__["_device"] = device_on(stream, queue)
    return target


def launches(target, stream, count):
    """A bound run that launches ``count`` GPU functions."""
    function = FakeFunction(stream.queue)

    def run(gpu):
        for _ in range(count):
            gpu.launch(function, 4, 64)

    return target.bind(run, [])


@pytest.mark.parametrize(("each", "loops"), [(1, 1), (1, 2000), (3, 400), (512, 3)])
def test_batches_fit_the_queue_and_add_up(each, loops):
    stream = FakeStream(capacity=512)
    target = target_on(stream)
    seconds = target.seconds(launches(target, stream, each), loops)
    assert seconds == pytest.approx(each * loops * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512
    assert stream.launched == each * (loops + 1)  # one call counts the operations first


def test_a_call_with_more_launches_than_the_queue_takes_lets_go_in_time():
    stream = FakeStream(capacity=600)
    target = target_on(stream)
    assert target.seconds(launches(target, stream, 5000), 2) == pytest.approx(10_000 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512


def test_a_queue_that_is_shorter_than_thought_is_found_and_the_time_taken_again():
    stream = FakeStream(capacity=100)
    target = target_on(stream)
    call = launches(target, stream, 1)
    assert target.seconds(call, 512) == pytest.approx(512 * KERNEL_MS * 1e-3)
    stream.most_waiting = 0
    assert target.seconds(call, 512) == pytest.approx(512 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 100


def test_a_stream_that_cannot_be_held_is_an_error():
    stream = FakeStream(capacity=-1)
    target = target_on(stream)
    with pytest.raises(GpuplayError, match="does not stay held back"):
        target.seconds(launches(target, stream, 1), 4)


def test_a_run_that_raises_leaves_nothing_held():
    stream = FakeStream()
    target = target_on(stream)
    calls = []

    def run(_gpu):
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        target.seconds(target.bind(run, []), 3)
    target.finish()


@pytest.mark.parametrize("code", ["ILLEGAL_ADDRESS", "MISALIGNED_ADDRESS", "LAUNCH_FAILED"])
def test_a_fault_of_the_device_is_named_and_ends_the_worker(code):
    target = target_on(FakeStream(error=f"[700] Call to cuStreamSynchronize results in CUDA_ERROR_{code}"))
    with pytest.raises(DeviceFaultError, match=f"a GPU function .*CUDA_ERROR_{code}") as fault:
        target.finish()
    assert isinstance(fault.value, WorkerLost)


def test_other_errors_pass_unchanged():
    target = target_on(FakeStream(error="anything else"))
    with pytest.raises(RuntimeError, match=r"^anything else$"):
        target.finish()


def test_limits_are_refused_before_the_launch_and_configurations_are_kept():
    stream = FakeStream()
    device = device_on(stream)
    gpu, function = DeviceGpu(device), FakeFunction(stream.queue, "tiled")
    with pytest.raises(LaunchError, match="tiled: block 64×64 is 4096 threads"):
        gpu.launch(function, 1, (64, 64))
    assert stream.launched == 0
    for _ in range(3):
        gpu.launch(function, (2, 3), 64, shared=128)
    assert function.configured == [((2, 3, 1), (64, 1, 1), stream, 128)]
    assert device.operations == 3


def test_too_many_registers_are_named():
    def refuse(*_args):
        raise RuntimeError("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: too many resources")

    function = FakeFunction(refuse, "greedy")
    function.get_max_threads_per_block = lambda: {"sig": 512}
    function.get_regs_per_thread = lambda: {"sig": 128}
    with pytest.raises(GpuplayError, match=r"greedy: .* 128 registers a thread a block has at most 512 threads"):
        DeviceGpu(device_on(FakeStream())).launch(function, 1, 1024)
