"""GPU functions of gpuplay's own. Importing this module imports numba: workers only."""

from __future__ import annotations

from typing import Any

from numba import cuda

THREADS = 256


def _fill(flat: Any, value: Any) -> None:
    """Set every element of ``flat`` (n,) to ``value``, a thread an element or more."""
    for i in range(cuda.grid(1), flat.size, cuda.gridsize(1)):
        flat[i] = value


def _sweep(flat: Any) -> None:
    """Read all of ``flat`` (n,), which holds nothing below zero: the store keeps the compiler from leaving it out."""
    total = flat.dtype.type(0)
    for i in range(cuda.grid(1), flat.size, cuda.gridsize(1)):
        total += flat[i]
    if total < 0:
        flat[0] = total


def _hold(flag: Any, zero: int, polls: int) -> None:
    """One thread keeps its stream busy until ``flag[0]`` is set, or reports 1 in ``flag[1]`` after ``polls`` reads.

    ``ldcv`` reads the host's memory anew each time, but the compiler may hoist a read whose address does not
    change: ``i & zero`` makes it look as if it did.
    """
    for i in range(polls):
        if cuda.ldcv(flag, i & zero) != 0:
            return
    flag[1] = 1


fill: Any = cuda.jit(cache=True)(_fill)
sweep: Any = cuda.jit(cache=True)(_sweep)
hold: Any = cuda.jit(cache=True)(_hold)
