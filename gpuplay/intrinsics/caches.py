"""How large the host's caches are, for kernels that choose by it whether their output is worth keeping."""

from __future__ import annotations

import functools
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
USUAL = {2: 2**20, 3: 32 * 2**20}  # where the system does not say
SHARE = 16
_FACTORS = {"K": 2**10, "M": 2**20, "G": 2**30}


def cache_bytes(level: int, cpus: Path = CPUS) -> int:
    """Bytes of one instance of the second or third cache; a usual size where the system does not say.

    Without a third cache, the second is the last one and stands for it.
    """
    found = {}
    for folder in sorted(cpus.glob("cpu0/cache/index*")):
        try:
            size = (folder / "size").read_text().strip()
            found[int((folder / "level").read_text())] = int(size.rstrip("KMG")) * _FACTORS.get(size[-1], 1)
        except (OSError, ValueError):
            continue
    return found.get(level) or found.get(2) or USUAL[level]


@functools.cache
def kept_bytes() -> int:
    """How much data the next pass can hope to find in a cache: the last cache, or `SHARE` second caches.

    The last cache is shared: with other programs, and on a rented machine with guests that this one does
    not see, while it is shown in full. A second cache is a core's own, and designers give each core a few
    times as much of the last one. Measured with 2 of the cores below a last cache of 480 MiB, second
    caches of 2 MiB: results were still found there at 32 MiB, no longer at 64.
    """
    return min(cache_bytes(3), SHARE * cache_bytes(2))
