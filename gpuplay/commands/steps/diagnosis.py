"""The facts behind ``gpuplay doctor``: what is installed, what the GPU's driver says, whether they fit.

Runs in the main process. What only a worker can know (libraries, threading layer, roofs) is handed in.
No CUDA context is made; the driver is only asked for its version.
"""

from __future__ import annotations

import ctypes
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gpuplay
from gpuplay import targets
from gpuplay.kinds import known
from gpuplay.machine import describe, host
from gpuplay.targets import presence

ROOT = Path("/")
NVIDIA, DISPLAY = "0x10de", "0x03"  # PCI vendor, and the class of display controllers
QUERY = ("name", "driver_version", "memory.total", "compute_cap")
RUNTIMES = ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12", "cuda-bindings")
COMPILERS = ("nvidia-cuda-nvcc", "nvidia-cuda-nvcc-cu12")


def collect(worker: Mapping[str, Any] | None, roofs: Mapping[str, Any] | None, trouble: str = "") -> dict[str, Any]:
    """All facts, as plain data for `gpuplay.views.doctor`.

    Parameters
    ----------
    worker : what `gpuplay.measure.libraries.worker_facts` returned in a worker; None where none could start.
    roofs : the roofs kept or just measured; None where there are none.
    trouble : why there is no worker, as one line.
    """
    return {
        "gpuplay": gpuplay.__version__,
        "machine": describe.facts(),
        "worker": None if worker is None else dict(worker),
        "trouble": trouble,
        "roofs": None if roofs is None else dict(roofs),
        "torch": "" if presence.without_torch() else presence.installed("torch"),
        "targets": target_facts(),
        "cuda": cuda_facts(),
        "pip": _pip(),
    }


def target_facts() -> list[dict[str, str]]:
    """The targets that installed packages offer: name, package, and what keeps each from running here."""
    return [
        {"name": one.name, "package": one.package, "why_not": one.fault or targets.why_not(one.name)}
        for one in known.offers()
    ]


def cuda_facts(root: Path = ROOT) -> dict[str, Any]:
    """The GPU side: hardware, driver, and the wheels that compile for it. None for what is not there."""
    devices = _devices()
    return {
        "possible": sys.platform in ("linux", "win32"),
        "hardware": bool(devices) or _hardware(root),
        "devices": devices,
        "driver": devices[0]["driver"] if devices else _kernel_module(root),
        "driver_cuda": _driver_cuda(),
        "numba_cuda": presence.installed("numba-cuda"),
        "toolkit": _first(RUNTIMES),
        "ptxas": _first(COMPILERS),
        "why_not": targets.why_not("cuda"),
    }


def _devices() -> list[dict[str, str]]:
    """Name, driver, memory and compute capability of each GPU, as nvidia-smi tells them."""
    command = ["nvidia-smi", "--query-gpu=" + ",".join(QUERY), "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    keys = ("name", "driver", "memory", "capability")
    return [dict(zip(keys, row, strict=True)) for row in rows if len(row) == len(keys)]


def _hardware(root: Path) -> bool:
    """Whether an NVIDIA display controller sits on the PCI bus, driver or not (Linux)."""
    return any(
        host.text(folder / "vendor") == NVIDIA and (host.text(folder / "class") or "").startswith(DISPLAY)
        for folder in (root / "sys/bus/pci/devices").glob("*")
    )


def _kernel_module(root: Path) -> str | None:
    """Version of the loaded NVIDIA kernel module (Linux)."""
    found = re.search(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s", host.text(root / "proc/driver/nvidia/version") or "")
    return found[1] if found else None


def _driver_cuda() -> str | None:
    """The newest CUDA that the driver supports, such as ``13.0``; None without a driver library."""
    try:
        major, minor = presence.driver_version(ctypes.CDLL(presence.DRIVER_LIBRARY))
    except (OSError, AttributeError):
        return None
    return f"{major}.{minor}" if major else None


def _first(distributions: tuple[str, ...]) -> str | None:
    return next((found for name in distributions if (found := presence.installed(name))), None)


def _pip() -> str:
    """How this Python's pip is called, as short as it can be typed from the current folder."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    if platform.system() == "Windows":
        return f"{python} -m pip"
    return f"'{python}' -m pip" if " " in str(python) else f"{python} -m pip"
