"""An open NVIDIA device: its stream, its clock, and what a run launches through.

Everything here runs in a worker, on a machine with a GPU. Importing the module imports no numba.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from gpuplay.errors import GpuplayError
from gpuplay.machine.limits import dims, refuse_copy, refuse_launch
from gpuplay.machine.model import GpuModel
from gpuplay.targets.cuda import graphs, tensor_maps
from gpuplay.targets.cuda.faults import name_fault, name_register_limit

if TYPE_CHECKING:
    from gpuplay.targets.base import Call

T = TypeVar("T")

QUEUE = 512  # operations held back at a time; a stream takes about a thousand before the host must wait
HOLD_POLLS = 2_000_000  # reads over the bus, some microsecond each: the hold gives up after seconds
FILL_BLOCKS_PER_MULTIPROCESSOR = 8
FLUSHED_L2S = 2  # the buffer whose reading flushes the second cache is so many times as large
UNKNOWN_L2 = 64 << 20


class Device:
    """The open device: its stream, its clock, and the hold that lets the queue fill."""

    def __init__(self, index: int) -> None:
        from cuda.bindings import driver
        from numba import cuda
        from numba.cuda.core import config

        from gpuplay.targets.cuda import gpu_functions

        if not hasattr(cuda, "implementation") or config.ENABLE_CUDASIM:
            raise GpuplayError("numba.cuda is not numba-cuda on a real device: unset NUMBA_ENABLE_CUDASIM")
        config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small problems are part of every sweep
        self.cuda: Any = cuda
        self.driver: Any = driver
        self.functions = gpu_functions
        device = cuda.select_device(index)
        self.context: Any = cuda.current_context()
        self.properties = GpuModel(
            name=str(device.name),
            capability=(int(device.compute_capability[0]), int(device.compute_capability[1])),
            multiprocessors=int(device.MULTIPROCESSOR_COUNT),
            threads_per_block=int(device.MAX_THREADS_PER_BLOCK),
            shared_bytes_per_block=int(device.MAX_SHARED_MEMORY_PER_BLOCK),
            shared_bytes_opt_in=int(device.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
            shared_bytes_reserved=int(device.RESERVED_SHARED_MEMORY_PER_BLOCK),
            shared_bytes=int(device.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
            registers=int(device.MAX_REGISTERS_PER_MULTIPROCESSOR),
            resident_warps=int(device.MAX_THREADS_PER_MULTIPROCESSOR) // int(device.WARP_SIZE),
            resident_blocks=int(device.MAX_BLOCKS_PER_MULTIPROCESSOR),
            warp_size=int(device.WARP_SIZE),
            modelled=False,
        )
        self.uuid = str(device.uuid)
        self.l2_bytes = int(device.L2_CACHE_SIZE)
        self.stream: Any = cuda.stream()
        self.queue = QUEUE
        self.operations = 0
        self.gpu = DeviceGpu(self)
        self._release_at: int | None = None
        self._flushed: Any = None
        self._counted: weakref.WeakKeyDictionary[Call, int] = weakref.WeakKeyDictionary()
        self._flag: Any = cuda.mapped_array(2, dtype="int32")
        self._events: list[tuple[Any, Any]] = [(cuda.event(), cuda.event())]
        self._warm_hold()

    def count(self) -> None:
        """Count an operation that was queued; where the queue is nearly full, let it drain."""
        self.operations += 1
        if self._release_at is not None and self.operations >= self._release_at:
            self._release()

    def operations_of(self, call: Call) -> int:
        """Operations that one call queues, found by making it the first time that it is asked about."""
        if call not in self._counted:
            before = self.operations
            call()
            self.synchronize()
            self._counted[call] = max(1, self.operations - before)
        return self._counted[call]

    def synchronize(self) -> None:
        """Wait until the stream is empty; DeviceFaultError where a GPU function brought the device down."""
        try:
            self.stream.synchronize()
        except Exception as error:
            name_fault(error)
            raise

    def seconds(self, call: Call, count: int, before: Call | None = None) -> float:
        """Device seconds of ``count`` calls that are queued while the stream is held back.

        With ``before`` each call follows one of that, which is left out of the time. If the hold gave up
        before the queue was complete, the driver took fewer operations than we thought: the host stood
        still, and the time is taken again with half of them.
        """
        while before is not None and len(self._events) < count:
            self._events.append((self.cuda.event(), self.cuda.event()))
        while True:
            elapsed = self._held(lambda: self._queued(call, count, before))
            if not int(self._flag[1]):
                return elapsed
            if self.queue == 1:
                raise GpuplayError("the GPU's clock cannot be read: the stream does not stay held back")
            self.queue //= 2
            if count > 1:
                half = count // 2
                return self.seconds(call, half, before) + self.seconds(call, count - half, before)

    def flush(self) -> None:
        """Queue the reading of a buffer twice the size of the second cache: what calls left there is pushed out.

        It is read, not written, so that no lines are left whose writing back the next call would have to wait for.
        """
        if self._flushed is None:
            count = FLUSHED_L2S * (int(self.l2_bytes) or UNKNOWN_L2) // 4
            self._flushed = self.cuda.device_array(count, dtype="float32", stream=self.stream)
            self.gpu.fill(self._flushed, 0.0)
        blocks = self.properties.multiprocessors * FILL_BLOCKS_PER_MULTIPROCESSOR
        self.gpu.launch(self.functions.sweep, blocks, self.functions.THREADS, self._flushed)

    def _held(self, queue: Callable[[], list[tuple[Any, Any]]]) -> float:
        """Hold the stream, queue, release; the seconds between the events of each pair that ``queue`` recorded."""
        with self.context.defer_cleanup():  # freeing memory waits for the device, which waits for us
            self._hold()
            try:
                pairs = queue()
            finally:
                self._release()
            try:
                pairs[-1][1].synchronize()
            except Exception as error:
                name_fault(error)
                raise
        return sum(float(begin.elapsed_time(end)) for begin, end in pairs) * 1e-3

    def _queued(self, call: Call, count: int, before: Call | None) -> list[tuple[Any, Any]]:
        """Queue calls between two events, each call between two of its own where something comes before it."""
        if before is None:
            begin, end = self._events[0]
            begin.record(self.stream)
            for _ in range(count):
                call()
            end.record(self.stream)
            return self._events[:1]
        for begin, end in self._events[:count]:
            before()
            begin.record(self.stream)
            call()
            end.record(self.stream)
        return self._events[:count]

    def captured(self, call: Call) -> graphs.Graph:
        """What a call queues, as a graph; CaptureError where it cannot be captured."""
        with self.context.defer_cleanup():
            return graphs.capture(call, int(self.stream.handle), self.driver)

    def nodes(self, call: Call) -> int:
        """Operations of a call that does not launch through `gpu`; CaptureError where they cannot be counted."""
        with self.context.defer_cleanup():
            return graphs.nodes(call, int(self.stream.handle), self.driver)

    def at_work(self, call: Call, count: int, read: Callable[[], T]) -> T:
        """What ``read`` finds while the device works on ``count`` calls, which are done when this returns."""
        for _ in range(count):
            call()
        found = read()
        self.synchronize()
        return found

    def _hold(self) -> None:
        self._flag[:] = 0
        self._release_at = self.operations + self.queue
        self.functions.hold[1, 1, self.stream](self._flag, 0, HOLD_POLLS)

    def _release(self) -> None:
        self._release_at = None
        self._flag[0] = 1

    def _warm_hold(self) -> None:
        """Compile and load the hold and the fill while nothing is held."""
        self._flag[:] = 1
        self.functions.hold[1, 1, self.stream](self._flag, 0, 1)
        for event in self._events[0]:
            event.record(self.stream)
        self.stream.synchronize()


class DeviceGpu:
    """What a run launches through: `gpuplay.machine.model.Gpu` on a real device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._launchers: dict[tuple[Any, ...], Callable[..., object]] = {}
        self._maps: dict[tuple[Any, ...], Any] = {}
        self._granted: dict[tuple[Any, tuple[Any, ...]], int] = {}

    @property
    def properties(self) -> GpuModel:
        """Properties of the device."""
        return self._device.properties

    def launch(
        self, function: Any, grid: int | tuple[int, ...], block: int | tuple[int, ...], *args: Any, shared: int = 0
    ) -> None:
        """Launch on the target's stream; LaunchError where the geometry exceeds a limit of the device."""
        key = (function, grid, block, shared)
        launcher = self._launchers.get(key)
        if launcher is None:
            blocks, threads = dims("grid", grid), dims("block", block)
            refuse_launch(self.properties, function, blocks, threads, shared)
            launcher = self._launchers[key] = function[blocks, threads, self._device.stream, shared]
        if 2 * shared > self.properties.shared_bytes_per_block:  # static arrays may take as much again
            self._grant(function, args, shared)
        try:
            launcher(*args)
        except Exception as error:
            name_register_limit(function, block, error)
            name_fault(error)
            raise
        self._device.count()

    def fill(self, array: Any, value: float) -> None:
        """Set every element of a C-contiguous device array, by a launch like any other."""
        flat = array.ravel()
        threads = self._device.functions.THREADS
        most = self.properties.multiprocessors * FILL_BLOCKS_PER_MULTIPROCESSOR
        blocks = min(most, -(-flat.size // threads))
        self.launch(self._device.functions.fill, blocks, threads, flat, array.dtype.type(value))

    def copy(self, destination: Any, source: Any) -> None:
        """Copy one device array into another of the same shape and dtype."""
        refuse_copy(destination, source)
        destination.copy_to_device(source, stream=self._device.stream)
        self._device.count()

    def tensor_map(self, array: Any, box: tensor_maps.Box) -> Any:
        """A description in device memory, written at the first call; LaunchError where the matrix has none."""
        address = int(array.__cuda_array_interface__["data"][0])
        key = address, array.shape, str(array.dtype), box
        if key not in self._maps:
            tensor_maps.refuse_map(self.properties, array, box, address)
            words = self._device.cuda.device_array(tensor_maps.WORDS, dtype="uint64", stream=self._device.stream)
            words.copy_to_device(tensor_maps.encoded(array, box), stream=self._device.stream)
            self._device.synchronize()
            self._maps[key] = words
        return self._maps[key]

    def _grant(self, function: Any, args: tuple[Any, ...], shared: int) -> None:
        """Let a function have more dynamic shared memory than blocks have by themselves.

        Numba has no way to ask for it. The attribute belongs to the loaded function, one for each set of types.
        """
        kinds = tuple((arg.dtype, arg.ndim) if hasattr(arg, "dtype") else type(arg) for arg in args)
        key = function, kinds  # Numba's own types take longer to find than a launch
        if self._granted.get(key, 0) >= shared:
            return
        from cuda.bindings import driver as binding
        from numba.cuda.cudadrv.driver import driver

        loaded = function.compile(tuple(map(function.typeof_pyval, args))).library.get_cufunc()
        attribute = binding.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        driver.cuKernelSetAttribute(attribute, shared, loaded.handle, loaded.device.id)
        self._granted[key] = shared
