"""What a GPU says of itself while it works: clocks, power, temperature, throttling, energy.

The NVIDIA Management Library comes with the driver and is asked directly ("NVML API Reference Guide",
"Device Queries"), without a package around it. Importing this module imports nothing but ctypes.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

from gpuplay.errors import GpuplayError
from gpuplay.results.telemetry import Telemetry

LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
SM_CLOCK, MEMORY_CLOCK = 1, 2  # nvmlClockType_t
DIE = 0  # nvmlTemperatureSensors_t

# nvmlClocksEventReasons: what keeps the clocks below their highest. Idleness and clocks that somebody set
# (0x1, 0x2, 0x100) are no throttling.
THROTTLES = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


class NvmlError(GpuplayError):
    """NVML is not here, or does not know the GPU: the reason in words."""


class Nvml:
    """One GPU, by its UUID; NvmlError where NVML cannot be asked. What it does not tell is None.

    ``open_library`` returns the library, or raises OSError; tests give their own.
    """

    def __init__(self, uuid: str, open_library: Callable[[], Any] | None = None) -> None:
        try:
            self._library = (open_library or _open_library)()
        except OSError:
            raise NvmlError(f"{LIBRARY}, which the NVIDIA driver brings, is not found") from None
        if code := self._library.nvmlInit_v2():
            raise NvmlError(f"NVML does not start (error {code})")
        self._device = ctypes.c_void_p()
        if code := self._library.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(self._device)):
            raise NvmlError(f"NVML does not know {uuid} (error {code})")

    def read(self) -> Telemetry:
        """What the GPU is at now."""
        milliwatts = self._unsigned("nvmlDeviceGetPowerUsage")
        reasons = self._reasons()
        return Telemetry(
            sm_mhz=self._unsigned("nvmlDeviceGetClockInfo", SM_CLOCK),
            memory_mhz=self._unsigned("nvmlDeviceGetClockInfo", MEMORY_CLOCK),
            power_w=None if milliwatts is None else milliwatts / 1000,
            celsius=self._unsigned("nvmlDeviceGetTemperature", DIE),
            throttled=None if reasons is None else tuple(text for bit, text in THROTTLES.items() if reasons & bit),
        )

    def joules(self) -> float | None:
        """Energy that the GPU has used since its driver was loaded; GPUs before Volta do not count it."""
        millijoules = self._unsigned("nvmlDeviceGetTotalEnergyConsumption", kind=ctypes.c_ulonglong)
        return None if millijoules is None else millijoules / 1000

    def limits(self) -> dict[str, float | None]:
        """What does not change: the highest clocks in MHz, the power limit in watts."""
        milliwatts = self._unsigned("nvmlDeviceGetEnforcedPowerLimit")
        return {
            "max_sm_mhz": self._unsigned("nvmlDeviceGetMaxClockInfo", SM_CLOCK),
            "max_memory_mhz": self._unsigned("nvmlDeviceGetMaxClockInfo", MEMORY_CLOCK),
            "power_limit_w": None if milliwatts is None else milliwatts / 1000,
        }

    def _reasons(self) -> int | None:
        """The bits of the throttle reasons, by the function's name since driver 535 or the older one."""
        for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
            found = self._unsigned(name, kind=ctypes.c_ulonglong)
            if found is not None:
                return found
        return None

    def _unsigned(self, name: str, *arguments: int, kind: Any = ctypes.c_uint) -> int | None:
        """What a function writes behind its last pointer; None where it is not there or reports an error."""
        function = getattr(self._library, name, None)
        value = kind(0)
        if function is None or function(self._device, *arguments, ctypes.byref(value)):
            return None
        return int(value.value)


def _open_library() -> Any:
    return ctypes.CDLL(LIBRARY)
