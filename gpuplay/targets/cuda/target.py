"""The target ``cuda``: an NVIDIA GPU through numba-cuda.

All work goes onto one stream of the target's own. Time is device time between two events, with
the queue filled while the stream is held back, so that Numba's dispatch of some microseconds a
launch is not what is measured. Importing this module imports neither numba nor numpy.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.targets import presence
from gpuplay.targets.base import Defaults
from gpuplay.targets.cuda import graphs
from gpuplay.targets.cuda.device import Device, DeviceGpu
from gpuplay.targets.cuda.nvml import Nvml, NvmlError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.machine.model import GpuModel
    from gpuplay.results.telemetry import Telemetry
    from gpuplay.targets.base import Call

COLD_OPERATIONS = 3  # beside each call's own: the flush, and two events
DISPATCH_S = 10e-6  # of a launch from Python, at the most: a shorter call leaves the GPU waiting for the next one


class CudaTarget(Defaults):
    """An NVIDIA GPU. Nothing of Numba or the device is touched before the first array or `gpu`.

    With ``graph`` a run is captured once, and its replays are timed.
    """

    name = "cuda"

    def __init__(self, device: int = 0, *, graph: bool = False) -> None:
        self._index = device
        self._graph = graph
        self._queued: weakref.WeakKeyDictionary[Call, tuple[Call | None, int]] = weakref.WeakKeyDictionary()
        self._remarks: weakref.WeakKeyDictionary[Call, str] = weakref.WeakKeyDictionary()

    def why_not(self) -> str:
        """Why there is no GPU to use, in a line with what mends it. Imports neither numba nor numpy."""
        return presence.why_not(self._index)

    def why_not_in_worker(self) -> str:
        """The same, found out by compiling and running a GPU function; a worker's last doubt."""
        if reason := self.why_not():
            return reason
        try:
            flat = self.flat(4, "float32")
            self._device.gpu.fill(flat, 2.0)
            total = float(self.read(flat, 0, 4).sum())
        except GpuplayError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  whatever Numba, the driver or a library raises is the answer
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            return f"CUDA fails at its first use: {first}; run numba -s, or {presence.INSTALL}"
        return "" if total == 8.0 else "the GPU returns wrong values"

    def gpu(self) -> GpuModel:
        """The properties of the device."""
        return self._device.properties

    def flat(self, count: int, dtype: str) -> Any:
        """A new one-dimensional device array; the driver aligns allocations to 256 bytes or more."""
        device = self._device
        try:
            return device.cuda.device_array(count, dtype=dtype, stream=device.stream)
        except Exception as error:
            if "OUT_OF_MEMORY" not in str(error):
                raise
            free, total = device.context.get_memory_info()
            raise GpuplayError(
                f"{count} {dtype} elements do not fit on the GPU: {free} of its {total} bytes are free"
            ) from error

    def view(self, flat: Any, start: int, shape: tuple[int, ...]) -> Any:
        """A C-contiguous window of ``shape`` into a flat array, from element ``start``."""
        return flat[start : start + math.prod(shape)].reshape(shape)

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array, from element ``start``; done when it returns."""
        import numpy as np

        self.settle()
        host = np.ascontiguousarray(values, dtype=flat.dtype).reshape(-1)
        flat[start : start + host.size].copy_to_device(host, stream=self._device.stream)
        self.finish()

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A host copy of ``count`` elements of a flat array."""
        self.settle()
        host: NDArray[Any] = flat[start : start + count].copy_to_host(stream=self._device.stream)
        self.finish()
        return host

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `DeviceGpu` before its arrays."""
        return functools.partial(run, DeviceGpu(self._device), *arrays)

    def finish(self) -> None:
        """Wait for the stream; DeviceFaultError where a GPU function brought the device down."""
        self.settle()
        self._device.synchronize()

    def wait(self) -> None:
        """The same: a GPU function leaves nothing else to be done."""
        self._device.synchronize()

    def seconds(self, call: Call, loops: int) -> float:
        """Device seconds of ``loops`` calls, in batches that fit the queue.

        The first time, a call is made to compile, load and count its operations: compiling or
        loading while the stream is held would wait for ever.
        """
        return self._timed(call, loops)

    def cold_seconds(self, call: Call, loops: int) -> float:
        """The same with the second cache flushed before each call, which has a clock of its own."""
        self._device.flush()  # the first time, compiles and allocates
        self._device.synchronize()
        return self._timed(call, loops, self._device.flush)

    def queued(self, call: Call) -> Call:
        """The call itself, or the replay of its graph."""
        return self._ready(call)[0]

    def remark(self, call: Call) -> str:
        """What makes the times of a call less than was asked for, in a line; '' where nothing."""
        return self._remarks.get(call, "")

    def watch(self, call: Call, call_s: float, span_s: float, *, energy: bool = False) -> Telemetry | None:
        """What the GPU says of itself at work on calls of ``call_s`` for about ``span_s``; None without NVML.

        Energy is known where calls come fast enough to keep the GPU at work.
        """
        if isinstance(self._nvml, str):
            return None
        nvml, (queued, _) = self._nvml, self._ready(call)
        count = max(1, math.ceil(min(span_s / call_s, span_s / DISPATCH_S)))
        self.finish()
        before = nvml.joules()
        reading = self._device.at_work(queued, count, nvml.read)
        after = nvml.joules()
        if not energy or before is None or after is None or call_s < 2 * DISPATCH_S:
            return reading
        return replace(reading, energy_j=(after - before) / count)

    def facts(self) -> dict[str, Any]:
        """What identifies the device and bounds it: UUID, bytes of memory and of its second cache, limits of NVML.

        ``nvml`` is why these are not known, else empty.
        """
        device = self._device
        known = {"uuid": device.uuid, "l2_bytes": device.l2_bytes, "memory_bytes": device.context.get_memory_info()[1]}
        if isinstance(self._nvml, str):
            return {**known, "nvml": self._nvml}
        return {**known, "nvml": "", **self._nvml.limits()}

    def _timed(self, call: Call, loops: int, before: Call | None = None) -> float:
        device = self._device
        queued, operations = self._ready(call)
        operations += COLD_OPERATIONS if before else 0
        total, left = 0.0, loops
        while left:
            count = min(left, max(1, device.queue // operations))
            total += device.seconds(queued, count, before)
            left -= count
        return total

    def _ready(self, call: Call) -> tuple[Call, int]:
        """What is queued for a call, the call itself or the replay of its graph, and its operations."""
        if call not in self._queued:
            operations = self._operations(call)
            replay = self._replay(call) if self._graph else None
            self._queued[call] = replay, 1 if replay else operations  # the call itself as a value would never be let go
        replay, operations = self._queued[call]
        return replay or call, operations

    def _operations(self, call: Call) -> int:
        """Operations that a call queues."""
        return self._device.operations_of(call)

    def _replay(self, call: Call) -> Call | None:
        """The call's graph, replayed once; None, with a remark, where it cannot be captured."""
        try:
            replay = self._captured(call)
        except graphs.CaptureError as error:
            self._remarks[call] = f"not captured as a graph, timed launch by launch: {error}"
            return None
        replay()
        self.finish()
        return replay

    def _captured(self, call: Call) -> Call:
        """The graph of what a call queues; CaptureError where there is none."""
        return self._device.captured(call)

    @functools.cached_property
    def _nvml(self) -> Nvml | str:
        """NVML for this device, or the reason why it cannot be asked."""
        try:
            return Nvml(self._device.uuid)
        except NvmlError as error:
            return str(error)

    @functools.cached_property
    def _device(self) -> Device:
        if not presence.installed("numba-cuda"):
            raise GpuplayError(f"numba-cuda is not installed; {presence.INSTALL}")  # numba's own copy must not serve
        return Device(self._index)
