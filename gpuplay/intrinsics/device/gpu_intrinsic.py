"""``@intrinsic`` for GPU functions, with an identity that is the same in every process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from numba.cuda.extending import intrinsic as _intrinsic
except ImportError:  # numba's own CUDA copy, which the lockstep machine does with
    from numba.extending import intrinsic as _intrinsic


def intrinsic(define: Callable[..., Any]) -> Any:
    """Numba's decorator, for a function at the top of a module.

    Numba gives an intrinsic a random identity, which becomes part of the key under which the disk cache
    keeps every function that closes over one: each process would compile anew, and the cache would grow.
    """
    made = _intrinsic(define)
    made._set_uuid(f"{define.__module__}.{define.__qualname__}")  # noqa: SLF001  there is no public way
    return made
