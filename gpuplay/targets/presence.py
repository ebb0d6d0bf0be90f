"""Whether CUDA and PyTorch can run here, asked without importing them, numba or numpy.

Of CUDA the driver library itself is asked.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

DRIVER_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
INSTALL = "pip install 'gpuplay[cuda]'"
INSTALL_PEERS = "pip install 'gpuplay[peers]'"
INSTALL_12 = "pip install 'gpuplay[cuda12]'"

SWITCHES = ("NUMBA_ENABLE_CUDASIM", "NUMBA_DISABLE_CUDA")

# Values of CUresult in cuda.h.
NO_DEVICE = 100
MISMATCHES = (803, 804)


def why_not(device: int = 0, open_driver: Callable[[], Any] | None = None) -> str:
    """An empty string where a GPU, its driver and numba-cuda are here, else one line with what mends it.

    ``open_driver`` returns the driver library, or raises OSError; tests give their own.
    """
    if sys.platform == "darwin":
        return "CUDA needs an NVIDIA GPU, and macOS supports none"
    try:
        driver = (open_driver or _open_driver)()
    except OSError:
        return (
            f"no NVIDIA driver here ({DRIVER_LIBRARY} not found); "
            "for an NVIDIA GPU install its driver from https://www.nvidia.com/drivers"
        )
    return _driver_fault(driver, device) or _library_fault(driver_version(driver)) or _environment_fault(*SWITCHES)


def driver_version(driver: Any) -> tuple[int, int]:
    """The newest CUDA version that the driver serves, (major, minor); (0, 0) where it does not say."""
    version = ctypes.c_int(0)
    if driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return 0, 0
    return version.value // 1000, version.value % 1000 // 10


def installed(distribution: str) -> str:
    """The version of an installed distribution, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _open_driver() -> Any:
    return ctypes.CDLL(DRIVER_LIBRARY)


def _driver_fault(driver: Any, device: int) -> str:
    """What keeps the driver from giving us the device."""
    code = driver.cuInit(0)
    count = ctypes.c_int(0)
    if code == 0:
        code = driver.cuDeviceGetCount(ctypes.byref(count))
    if code in MISMATCHES:
        return "the NVIDIA driver's library and kernel module differ in version; reboot this machine"
    if code == NO_DEVICE or (code == 0 and count.value == 0):
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "" if hidden is None else f"; CUDA_VISIBLE_DEVICES is {hidden!r}, unset it"
        return f"the NVIDIA driver finds no GPU{why or '; run nvidia-smi to see what it finds'}"
    if code != 0:
        return f"the NVIDIA driver does not start (error {code}); run nvidia-smi to see why"
    if not 0 <= device < count.value:
        return f"there is no GPU {device}: give --device 0{f' to {count.value - 1}' if count.value > 1 else ''}"
    return ""


def _library_fault(version: tuple[int, int]) -> str:
    """What is missing beside the driver: numba-cuda, with CUDA libraries that are not newer than the driver.

    Libraries run on any driver of their own major version or a later one (CUDA Compatibility guide,
    "Minor Version Compatibility"). cuda-bindings carries the major version of them all.
    """
    install = INSTALL_12 if version[0] == 12 else INSTALL
    if not installed("numba-cuda"):
        return f"numba-cuda is not installed; {install}"
    libraries = int((installed("cuda-bindings") or "0").partition(".")[0])
    if libraries > version[0] > 0:
        mend = INSTALL_12 if version[0] == 12 else "update the driver"
        return f"the driver serves CUDA {version[0]}.{version[1]}, the libraries here are CUDA {libraries}; {mend}"
    return ""


def without_torch() -> str:
    """An empty string, or that PyTorch is not installed, with what mends it."""
    return "" if importlib.util.find_spec("torch") else f"PyTorch is not installed; {INSTALL_PEERS}"


def simulated() -> str:
    """An empty string, or the variable that puts Numba's simulator in the place of its CUDA compiler."""
    return _environment_fault("NUMBA_ENABLE_CUDASIM")


def _environment_fault(*variables: str) -> str:
    """A variable that keeps Numba from using the device or its compiler."""
    for variable in variables:
        if os.environ.get(variable, "0") not in ("", "0"):
            return f"{variable} is set; unset {variable}"
    return ""
