"""What the host's system says of itself: files below /proc and /sys, settings of macOS, the data caches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path("/")
CPU = Path("sys/devices/system/cpu")


def data_caches(root: Path = ROOT) -> dict[str, int | None]:
    """Bytes of one instance of each data cache that the first usable core sees; None where the system does not say."""
    sizes: dict[str, int | None] = {"l1d": None, "l2": None, "l3": None}
    if sys.platform == "darwin":
        for name in sizes:
            keys = [f"hw.perflevel0.{name}cachesize", f"hw.{name}cachesize"]
            sizes[name] = next((int(size) for key in keys if (size := sysctl(key)).isdigit() and int(size)), None)
        return sizes
    first = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    for folder in sorted((root / CPU / f"cpu{first}/cache").glob("index*")):
        name = "l" + (text(folder / "level") or "")
        name += "d" if name == "l1" and text(folder / "type") == "Data" else ""
        size = text(folder / "size") or ""
        if name in sizes and size:
            factor = {"K": 2**10, "M": 2**20, "G": 2**30}.get(size[-1], 1)
            sizes[name] = int(size.rstrip("KMG")) * factor
    return sizes


def sysctl(key: str) -> str:
    """The value of a macOS setting; empty where there is none."""
    try:
        done = subprocess.run(["/usr/sbin/sysctl", "-n", key], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def text(path: Path) -> str | None:
    """What a file says, stripped; None where it is empty or cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
