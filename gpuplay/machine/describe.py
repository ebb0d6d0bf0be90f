"""What machine this is: processor, caches, memory, power, load.

Nothing here needs numba or numpy. Linux has been tried; macOS and Windows are written from their
documentation.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from gpuplay.machine import cgroups, host, model
from gpuplay.machine.host import CPU, ROOT

LINUX = sys.platform.startswith("linux")
WINDOWS_AVX2, WINDOWS_AVX512F = 40, 41  # PF_AVX2_… and PF_AVX512F_INSTRUCTIONS_AVAILABLE of winnt.h


def facts(root: Path = ROOT) -> dict[str, Any]:
    """Everything known about this machine, as plain data. Sizes in bytes; None for what is not known.

    ``cores`` and ``threads`` are those this process may use: affinity and a control group's quota
    are respected, and so is its memory limit. ``root`` stands in for ``/`` in tests.
    """
    vector, bits = _vector(root)
    cores, threads = _usable(root)
    memory = psutil.virtual_memory()
    limit, free = cgroups.memory_limit(root), cgroups.memory_free(root)
    return {
        "cpu": _model(root),
        "cores": cores,
        "threads": threads,
        "vector": vector,
        "vector_bits": bits,
        "caches": host.data_caches(root),
        "memory_bytes": memory.total if limit is None else min(memory.total, limit),
        "memory_available_bytes": memory.available if free is None else min(memory.available, free),
        "os": _system(),
        "python": platform.python_version(),
        "governor": host.text(root / CPU / "cpu0/cpufreq/scaling_governor"),
        "power": _power(root),
        "load": _load(),
    }


def fingerprint(machine: Mapping[str, Any]) -> str:
    """A short stable name of the hardware, under which measured roofs are kept."""
    parts = [machine["cpu"], machine["cores"], machine["vector"], round(machine["memory_bytes"] / 2**30)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def machine() -> model.Machine:
    """What a variant's ``applies`` may ask of the machine; what is not known keeps the contract's default."""
    usual = model.Machine()
    caches = host.data_caches(ROOT)
    return model.Machine(
        cores=_usable(ROOT)[0],
        vector_bits=_vector(ROOT)[1],
        l1_bytes=caches["l1d"] or usual.l1_bytes,
        l2_bytes=caches["l2"] or usual.l2_bytes,
        l3_bytes=caches["l3"] or usual.l3_bytes,
    )


def last_cache_bytes(root: Path = ROOT) -> int:
    """Bytes of all last-level caches that the usable cores reach, taken together; 32 MiB where not known."""
    caches = host.data_caches(root)
    level, size = next(((name, caches[name]) for name in ("l3", "l2") if caches[name]), ("", None))
    if size is None:
        return 32 * 2**20
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
    shared = set()
    for cpu in allowed:
        for folder in (root / CPU / f"cpu{cpu}/cache").glob("index*"):
            if host.text(folder / "level") == level[1:]:
                shared.add(host.text(folder / "shared_cpu_list") or "")
    return size * max(1, len(shared))


def _model(root: Path) -> str:
    if sys.platform == "darwin":
        return host.sysctl("machdep.cpu.brand_string") or platform.machine()
    if LINUX:
        fields = dict(_cpuinfo(root))
        name = next((fields[key] for key in ("model name", "Model", "cpu model", "uarch") if key in fields), "")
        return " ".join(name.split()) or platform.machine()
    return platform.processor() or platform.machine()


def _vector(root: Path) -> tuple[str, int]:
    """Name and width in bits of the widest vector instructions."""
    x86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686", "x86")
    if not x86:
        sve = host.text(root / "proc/sys/abi/sve_default_vector_length")
        return ("SVE", int(sve) * 8) if sve and sve.isdigit() and " sve" in _flags(root) else ("NEON", 128)
    flags = _flags(root)
    if "avx512f" in flags:
        return "AVX-512", 512
    return ("AVX2", 256) if "avx2" in flags else ("SSE", 128)


def _flags(root: Path) -> str:
    """Lower-case names of the processor's features, each after a blank."""
    if sys.platform == "darwin":
        both = [host.sysctl("machdep.cpu.features"), host.sysctl("machdep.cpu.leaf7_features")]
        return " " + " ".join(both).lower()
    if sys.platform == "win32":
        import ctypes

        present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        named = {"avx2": WINDOWS_AVX2, "avx512f": WINDOWS_AVX512F}
        return "".join(f" {name}" for name, number in named.items() if present(number))
    fields = dict(_cpuinfo(root))
    return " " + fields.get("flags", fields.get("Features", "")).lower()


def _usable(root: Path) -> tuple[int, int]:
    """Physical cores and hardware threads that this process may use, each at least 1."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    threads = len(allowed) or psutil.cpu_count() or 1
    places = {_core(root, cpu) for cpu in allowed}
    cores = len(places) or psutil.cpu_count(logical=False) or threads
    granted = cgroups.cpu_quota(root)
    ceiling = threads if granted is None else max(1, math.ceil(granted))
    return min(cores, ceiling), min(threads, ceiling)


def _core(root: Path, cpu: int) -> tuple[str, str]:
    """Package and core of one hardware thread; the thread's own number where the system does not say."""
    topology = root / CPU / f"cpu{cpu}/topology"
    return host.text(topology / "physical_package_id") or "", host.text(topology / "core_id") or f"cpu{cpu}"


def _power(root: Path) -> str | None:
    """Where the power comes from and the mode it is spent in, as far as the system says."""
    said = []
    battery = None
    if hasattr(psutil, "sensors_battery"):
        with suppress(Exception):  # a broken battery driver raises whatever it likes
            battery = psutil.sensors_battery()
    if battery is not None:
        plug = "mains" if battery.power_plugged else "battery"
        said.append(f"on {plug}, charged {battery.percent:.0f} %")
    profile = host.text(root / "sys/firmware/acpi/platform_profile")
    if profile:
        said.append(f"profile {profile}")
    return ", ".join(said) or None


def _load() -> list[float] | None:
    try:
        return [round(value, 2) for value in psutil.getloadavg()]
    except OSError:
        return None


def _system() -> str:
    if LINUX:
        with suppress(OSError):
            name = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
            return f"{name}, Linux {platform.release()}"
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.release()}"


def _cpuinfo(root: Path) -> Iterator[tuple[str, str]]:
    """Pairs of ``/proc/cpuinfo``, the first processor's last, so that a dict keeps the first."""
    first = (host.text(root / "proc/cpuinfo") or "").split("\n\n")
    for line in reversed("\n".join(first).splitlines()):
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip(), value.strip()
