"""What Linux control groups allow this process: processor time and memory, version 1 or 2.

A limit counts at every level above the process, so each function walks up to the mount's root. A
container often shows a path of the host that is not mounted inside; the walk then begins at the
first folder that exists, at the latest the mount's own root.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
UNLIMITED = 2**60  # version 1 writes the largest multiple of a page instead of "max"


def cpu_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of processor time that the tightest group grants; None without a limit."""
    quotas = []
    for folder in _levels(root, "cpu"):
        granted = _words(folder / "cpu.max") or _words(folder / "cpu.cfs_quota_us") + _words(
            folder / "cpu.cfs_period_us"
        )
        if len(granted) == 2 and granted[0].isdigit() and int(granted[1]) > 0:
            quotas.append(int(granted[0]) / int(granted[1]))
    return min(quotas, default=None)


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that the tightest group may hold; None without a limit."""
    limits = [limit for folder in _levels(root, "memory") if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def memory_free(root: Path = ROOT) -> int | None:
    """Bytes that can still be had in the tightest group, its reclaimable file cache counted as free."""
    free = []
    for folder in _levels(root, "memory"):
        limit = _limit(folder)
        used = _number(folder / "memory.current", folder / "memory.usage_in_bytes")
        if limit is not None and used is not None:
            free.append(max(0, limit - max(0, used - _inactive_file(folder))))
    return min(free, default=None)


def _levels(root: Path, controller: str) -> Iterator[Path]:
    """Folders of this process's group and of all groups above it, for one controller."""
    for line in _lines(root / "proc/self/cgroup"):
        number, names, path = [*line.split(":", 2), "", ""][:3]
        if number == "0":
            mounts = ["sys/fs/cgroup", "sys/fs/cgroup/unified"]
        elif controller in names.split(","):
            mounts = [f"sys/fs/cgroup/{names}", f"sys/fs/cgroup/{controller}"]
        else:
            continue
        for mount in mounts:
            folder = root / mount / path.strip("/")
            while folder != (root / mount).parent:
                if folder.is_dir():
                    yield folder
                folder = folder.parent


def _limit(folder: Path) -> int | None:
    limit = _number(folder / "memory.max", folder / "memory.limit_in_bytes")
    return None if limit is None or limit >= UNLIMITED else limit


def _inactive_file(folder: Path) -> int:
    """Bytes of file cache that the kernel gives back on demand."""
    pairs = dict(line.split()[:2] for line in _lines(folder / "memory.stat") if len(line.split()) > 1)
    return int(pairs.get("total_inactive_file", pairs.get("inactive_file", 0)))


def _number(*paths: Path) -> int | None:
    """The whole number in the first of these files that holds one."""
    for path in paths:
        words = _words(path)
        if words and words[0].isdigit():
            return int(words[0])
    return None


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
