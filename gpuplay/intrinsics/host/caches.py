"""How large the host's caches are, for kernels that choose by it whether their output is worth keeping."""

from __future__ import annotations

import functools

from gpuplay.machine import host

USUAL = {"l2": 2**20, "l3": 32 * 2**20}  # where the system does not say
SHARE = 16


@functools.cache
def kept_bytes() -> int:
    """How much data the next pass can hope to find in a cache: the last cache, or `SHARE` second caches.

    The last cache is shared: with other programs, and on a rented machine with guests that this one does
    not see, while it is shown in full. A second cache is a core's own, and designers give each core a few
    times as much of the last one. Measured with 2 of the cores below a last cache of 480 MiB, second
    caches of 2 MiB: results were still found there at 32 MiB, no longer at 64.
    """
    caches = host.data_caches()
    second = caches["l2"] or USUAL["l2"]
    last = caches["l3"] or caches["l2"] or USUAL["l3"]  # without a third cache, the second is the last one
    return min(last, SHARE * second)
