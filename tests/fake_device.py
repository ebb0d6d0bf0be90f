"""Stand-ins for a GPU's stream, events and driver, and a device and a target around them."""

import contextlib
import weakref
from types import SimpleNamespace

from gpuplay.machine.model import GpuModel
from gpuplay.targets.cuda.device import Device, DeviceGpu
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
