"""The clock of the CUDA target, tried with a stand-in for the stream: it holds, counts, and lets go in time."""

import contextlib
import weakref
from types import SimpleNamespace

import pytest

from gpuplay.errors import GpuplayError, WorkerLost
from gpuplay.machine.limits import LaunchError
from gpuplay.machine.model import GpuModel
from gpuplay.targets.cuda.device import Device, DeviceGpu
from gpuplay.targets.cuda.faults import DeviceFaultError
from gpuplay.targets.cuda.target import CudaTarget

KERNEL_MS = 2.0
SWEEP_MS = 7.0
L2_BYTES = 50 << 20
HANDLE = 77


class FakeStream:
    """A stream that takes ``capacity`` operations while it is held; more of them outlast the hold."""

    def __init__(self, capacity=10**9, error=None):
        self.capacity, self.error = capacity, error
        self.flag = [0, 0]
        self.held, self.waiting, self.most_waiting, self.launched = False, 0, 0, 0
        self.clock_ms = 0.0
        self.allotted, self.swept, self.recorded = [], 0, None
        self.handle = HANDLE

    def allot(self, count):
        assert self.flag[0] or not self.held, "allocates while the stream is held"
        self.allotted.append(count)
        return FakeArray(count)

    def fill(self, flat, value):
        assert (flat.size, value) == (self.allotted[-1], 0)

    def sweep(self, _flat):
        self.swept += 1
        self.clock_ms += SWEEP_MS

    def hold(self, *_args):
        self.held, self.waiting = not self.flag[0], 0

    def queue(self, *_args):
        if self.recorded is not None:
            self.recorded += 1
            return
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


class FakeArray:
    def __init__(self, size):
        self.size, self.dtype = size, SimpleNamespace(type=float)

    def ravel(self):
        return self


class Code(int):
    name = "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"


class FakeDriver:  # its functions have the driver's names
    """The functions of ``cuda.bindings.driver`` that capture and replay; ``refuse`` fails at one of them."""

    CUstreamCaptureMode = SimpleNamespace(CU_STREAM_CAPTURE_MODE_RELAXED=2)

    def __init__(self, stream, refuse=""):
        self.stream, self.refuse, self.destroyed, self.launches = stream, refuse, 0, 0

    def cuStreamBeginCapture(self, handle, mode):  # noqa: N802
        assert (handle, mode, self.stream.recorded) == (HANDLE, 2, None)
        self.stream.recorded = 0
        return (0,)

    def cuStreamEndCapture(self, handle):  # noqa: N802
        assert handle == HANDLE
        found, self.stream.recorded = self.stream.recorded, None
        return (Code(901), None) if self.refuse == "end" else (0, {"nodes": found})

    def cuGraphGetNodes(self, graph):  # noqa: N802
        return 0, [], graph["nodes"]

    def cuGraphInstantiate(self, graph, flags):  # noqa: N802
        assert flags == 0
        return (Code(1), None) if self.refuse == "instantiate" else (0, graph["nodes"])

    def cuGraphLaunch(self, executable, handle):  # noqa: N802
        assert handle == HANDLE
        self.launches += 1
        for _ in range(executable):
            self.stream.queue()
        return (0,)

    def cuGraphDestroy(self, _graph):  # noqa: N802
        self.destroyed += 1
        return (0,)

    def cuGraphExecDestroy(self, _executable):  # noqa: N802
        return (0,)


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
    device.functions = SimpleNamespace(
        hold=FakeFunction(stream.hold, "hold"),
        fill=FakeFunction(stream.fill, "fill"),
        sweep=FakeFunction(stream.sweep, "sweep"),
        THREADS=256,
    )
    device._counted = weakref.WeakKeyDictionary()
    device._events = [(FakeEvent(stream), FakeEvent(stream))]
    device._flushed = None
    device.cuda = SimpleNamespace(event=lambda: FakeEvent(stream), device_array=lambda count, **_: stream.allot(count))
    device.gpu, device.l2_bytes, device.uuid = DeviceGpu(device), L2_BYTES, "GPU-1"
    device.driver = FakeDriver(stream)
    return device


def target_on(stream, queue=512, **options):
    target = CudaTarget(**options)
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


def test_a_cold_call_is_timed_alone_after_a_flush_of_twice_the_second_cache():
    stream = FakeStream()
    target = target_on(stream)
    call = launches(target, stream, 3)
    seconds = target.cold_seconds(call, 20)
    assert seconds == pytest.approx(3 * 20 * KERNEL_MS * 1e-3)  # nothing of the flushes
    assert stream.allotted == [2 * L2_BYTES // 4]
    assert stream.swept == 21  # the first one compiles
    assert target.seconds(call, 20) == pytest.approx(seconds)
    assert stream.swept == 21


def test_cold_calls_fit_a_queue_that_is_shorter_than_thought():
    stream = FakeStream(capacity=64)
    target = target_on(stream)
    assert target.cold_seconds(launches(target, stream, 1), 300) == pytest.approx(300 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512


def test_a_graph_replays_what_a_run_launches_as_one_operation():
    stream = FakeStream()
    target = target_on(stream, graph=True)
    device = target.__dict__["_device"]
    call = launches(target, stream, 40)
    assert target.seconds(call, 1000) == pytest.approx(40 * 1000 * KERNEL_MS * 1e-3)
    assert device.driver.launches == 1001  # once before the clock
    assert device.driver.destroyed == 1
    assert target.remark(call) == ""
    assert target.cold_seconds(call, 5) == pytest.approx(40 * 5 * KERNEL_MS * 1e-3)
    assert device.driver.launches == 1006


@pytest.mark.parametrize("refuse", ["end", "instantiate"])
def test_a_run_that_cannot_be_captured_is_timed_launch_by_launch_and_says_so(refuse):
    stream = FakeStream()
    target = target_on(stream, graph=True)
    target.__dict__["_device"].driver.refuse = refuse
    call = launches(target, stream, 4)
    assert target.seconds(call, 10) == pytest.approx(4 * 10 * KERNEL_MS * 1e-3)
    assert target.remark(call).startswith("not captured as a graph, timed launch by launch: cu")
    assert stream.recorded is None


def test_a_run_that_raises_while_it_is_captured_ends_the_capture():
    stream = FakeStream()
    target = target_on(stream, graph=True)

    def run(gpu):
        gpu.launch(function, 1, 32)
        if stream.recorded is not None:
            raise RuntimeError("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")

    function = FakeFunction(stream.queue)
    call = target.bind(run, [])
    assert target.seconds(call, 3) == pytest.approx(3 * KERNEL_MS * 1e-3)
    assert target.remark(call).endswith("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")
    assert stream.recorded is None


def test_operations_of_a_library_are_counted_without_running_them():
    stream = FakeStream()
    device = device_on(stream)
    function = FakeFunction(stream.queue)
    assert device.nodes(lambda: [DeviceGpu(device).launch(function, 1, 32) for _ in range(7)]) == 7
    assert stream.launched == 0


def test_a_kept_call_is_let_go_when_its_problem_is():
    target = target_on(FakeStream(), graph=True)
    call = launches(target, target.__dict__["_device"].stream, 2)
    target.seconds(call, 1)
    alive = weakref.ref(call)
    del call
    assert alive() is None
