"""Whether CUDA and PyTorch can run here, asked without importing them, numba or numpy.

Of CUDA the driver library itself is asked.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpuplay.errors import TargetMissing, UsageError

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


def find_device(text: str, open_driver: Callable[[], Any] | None = None) -> int:
    """The number of a GPU that is given by its number or its UUID, of which the beginning is enough.

    UsageError where no GPU, or more than one, has such a UUID. A number is not asked about: `why_not` is.
    """
    if text.isdecimal():
        return int(text)
    if not text.startswith("GPU-"):
        raise UsageError(f"--device {text}: give a number from 0, or a UUID such as GPU-1a2b3c4d")
    try:
        driver = (open_driver or _open_driver)()
    except OSError:
        raise TargetMissing(f"--device {text}: {why_not(0, open_driver)}") from None
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        raise TargetMissing(f"--device {text}: {_driver_fault(driver, 0)}")
    known = [_uuid(driver, number) for number in range(count.value)]
    fitting = [number for number in range(len(known)) if known[number].startswith(text)]
    if len(fitting) != 1:
        problem = "more than one GPU begins so" if fitting else "there is no such GPU"
        raise UsageError(f"--device {text}: {problem}; there {_listed(known)}")
    return fitting[0]


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


def _uuid(driver: Any, number: int) -> str:
    """The UUID of a device, written as nvidia-smi does; empty where the driver does not tell."""
    found = ctypes.create_string_buffer(16)
    ask = getattr(driver, "cuDeviceGetUuid_v2", None) or driver.cuDeviceGetUuid
    return "" if ask(found, number) else f"GPU-{uuid.UUID(bytes=found.raw)}"


def _listed(known: list[str]) -> str:
    """'are 0 (GPU-…), 1 (GPU-…)'."""
    named = ", ".join(f"{number} ({text})" for number, text in enumerate(known))
    return f"{'is' if len(known) == 1 else 'are'} {named or 'none'}"


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


def without_torch_gpu(device: int = 0) -> str:
    """Why PyTorch cannot use a GPU: there is none, no PyTorch, or one that was built without CUDA. Imports nothing."""
    return why_not(device) or without_torch() or _torch_build() or _overridden()


def without_cupy(device: int = 0) -> str:
    """Why CuPy cannot use a GPU: there is none, or no CuPy."""
    if reason := why_not(device) or _overridden():
        return reason
    major = int((installed("cuda-bindings") or "13").partition(".")[0])
    return "" if importlib.util.find_spec("cupy") else f"CuPy is not installed; pip install cupy-cuda{major}x"


def _torch_build() -> str:
    """What is wrong with the PyTorch that is installed: its file of versions says what it was built for."""
    found = importlib.util.find_spec("torch")
    file = Path(found.origin).with_name("version.py") if found and found.origin else None
    text = file.read_text(encoding="utf-8") if file and file.is_file() else ""
    if re.search(r"^cuda\b.*=\s*None", text, re.MULTILINE):
        version = re.search(r"__version__ = '([^']*)'", text)
        return f"PyTorch {version[1] if version else ''} is built without CUDA; see https://pytorch.org/get-started"
    return ""


def _overridden() -> str:
    """A variable that would make all libraries compute in another precision than their rows say."""
    return "NVIDIA_TF32_OVERRIDE is set; unset it" if "NVIDIA_TF32_OVERRIDE" in os.environ else ""


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
