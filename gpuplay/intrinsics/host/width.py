"""How wide a vector is here: a fact of the host, which no kernel writes down."""

from __future__ import annotations

import functools
import os

VARIABLE = "GPUPLAY_VECTOR_BITS"
WIDTHS = (0, 128, 256, 512)


@functools.cache
def vector_bits() -> int:
    """Bits of a vector register: 512 with AVX-512, 256 with AVX, else 128 (SSE2, NEON); 0 means one lane.

    The environment variable ``GPUPLAY_VECTOR_BITS`` overrides it, and must be set before the first kernel
    is compiled. A width above the host's still computes the same, in several instructions.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        if given not in map(str, WIDTHS):
            raise ValueError(f"{VARIABLE}={given!r}: one of {', '.join(map(str, WIDTHS))}")
        return int(given)
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 512 if features.get("avx512f") else 256 if features.get("avx") else 128


def lanes(itemsize: int) -> int:
    """Elements of ``itemsize`` bytes in a vector, at least one."""
    return max(1, vector_bits() // (8 * itemsize))
