"""The target ``cuda``: an NVIDIA GPU through numba-cuda.

All work goes onto one stream of the target's own. Time is device time between two events, with
the queue filled while the stream is held back, so that Numba's dispatch of some microseconds a
launch is not what is measured. Importing this module imports neither numba nor numpy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.targets import presence
from gpuplay.targets.device import Device, DeviceGpu

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.machine_model import GpuModel
    from gpuplay.targets.base import Call


class CudaTarget:
    """An NVIDIA GPU. Nothing of Numba or the device is touched before the first array or `gpu`."""

    name = "cuda"

    def __init__(self, device: int = 0) -> None:
        self._index = device

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

    def use_threads(self, threads: int) -> None:
        """The host's threads do not matter to a GPU."""

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

        host = np.ascontiguousarray(values, dtype=flat.dtype).reshape(-1)
        flat[start : start + host.size].copy_to_device(host, stream=self._device.stream)
        self.finish()

    def unset(self, flat: Any, start: int, count: int) -> None:
        """Nothing to be done: on a device the poison itself is what shows."""

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A host copy of ``count`` elements of a flat array."""
        host: NDArray[Any] = flat[start : start + count].copy_to_host(stream=self._device.stream)
        self.finish()
        return host

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `DeviceGpu` before its arrays."""
        return functools.partial(run, DeviceGpu(self._device), *arrays)

    def finish(self) -> None:
        """Wait for the stream; DeviceFaultError where a GPU function brought the device down."""
        self._device.synchronize()

    def seconds(self, call: Call, loops: int) -> float:
        """Device seconds of ``loops`` calls, in batches that fit the queue.

        The first time, a call is made to compile, load and count its operations: compiling or
        loading while the stream is held would wait for ever.
        """
        device = self._device
        operations = device.operations_of(call)
        total, left = 0.0, loops
        while left:
            count = min(left, max(1, device.queue // operations))
            total += device.seconds(call, count)
            left -= count
        return total

    @functools.cached_property
    def _device(self) -> Device:
        if not presence.installed("numba-cuda"):
            raise GpuplayError(f"numba-cuda is not installed; {presence.INSTALL}")  # numba's own copy must not serve
        return Device(self._index)
