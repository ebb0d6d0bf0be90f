"""The arrays of a problem, also for a one-file kernel that declares only its inputs and its output's shape."""

from __future__ import annotations

import math

from gpuplay.catalog import Loaded
from gpuplay.errors import KernelFileError
from gpuplay.kernel import WRITTEN, Array, Problem


def declared_arrays(loaded: Loaded, problem: Problem) -> tuple[Array, ...]:
    """All arrays in the order of a run's arguments: written ones first, then those that are read.

    Where the kernel declares no arrays, the inputs are drawn at n = 64 and n = 128 and each extent
    continued to the problem's n: a constant, a line, or a power. Files that need more declare arrays.
    """
    kernel = loaded.kernel
    if kernel.arrays is not None:
        arrays = tuple(loaded.call(kernel.arrays, problem))
    else:
        assert kernel.output is not None
        shape = loaded.call(kernel.output, problem)
        out = Array("out", tuple(shape) if isinstance(shape, tuple | list) else (int(shape),), "out")
        arrays = (out, *_inferred(loaded, problem))
    if not any(array.role in ("out", "inout") for array in arrays):
        raise KernelFileError(f"kernel {kernel.name}: no array has the role out or inout")
    written = tuple(array for array in arrays if array.role in WRITTEN)
    return written + tuple(array for array in arrays if array.role not in WRITTEN)


def _inferred(loaded: Loaded, problem: Problem) -> tuple[Array, ...]:
    small, double = (_drawn(loaded, Problem(problem.kernel, n, problem.params)) for n in (64, 128))
    arrays = []
    for name, (shape, dtype) in small.items():
        extents = tuple(_extent(a, b, problem.n) for a, b in zip(shape, double[name][0], strict=True))
        arrays.append(Array(name, extents, "in", dtype))
    return tuple(arrays)


def _extent(at_64: int, at_128: int, n: int) -> int:
    """Continue an extent from its values at 64 and 128: a line with a small offset, else a power of n."""
    slope = (at_128 - at_64) // 64
    offset = at_64 - 64 * slope
    if abs(offset) < 64 and 128 * slope + offset == at_128:
        return slope * n + offset
    return max(1, round(at_64 * math.pow(n / 64, math.log2(at_128 / at_64))))


def _drawn(loaded: Loaded, problem: Problem) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of every input as drawn; floating inputs take the problem's dtype."""
    import numpy as np

    drawn = loaded.call(loaded.kernel.inputs, problem, np.random.default_rng(0))
    if not isinstance(drawn, dict):
        raise KernelFileError(f"kernel {loaded.kernel.name}: inputs(problem, rng) must return a dict of arrays")
    arrays = {name: np.asarray(value) for name, value in drawn.items()}
    return {name: (a.shape, "" if a.dtype.kind == "f" else str(a.dtype)) for name, a in arrays.items()}
