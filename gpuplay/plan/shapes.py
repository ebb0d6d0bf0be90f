"""The arrays of a problem, also for a one-file kernel that declares only its inputs and its output's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gpuplay.catalog.load import Loaded
from gpuplay.errors import KernelFileError
from gpuplay.kernel import WRITTEN, Array, Problem

Drawn = Mapping[str, Any]


def declared_arrays(loaded: Loaded, problem: Problem, drawn: Drawn | None = None) -> tuple[Array, ...]:
    """All arrays in the order of a run's arguments: written ones first, then those that are read.

    Where the kernel declares no arrays, their shapes are those of the inputs ``drawn``. A plan has
    none yet: then inputs are drawn at n = 64 and n = 128 and each extent is continued to the
    problem's n as a constant, a line, or a power.
    """
    kernel = loaded.kernel
    if kernel.arrays is not None:
        arrays = tuple(loaded.call(kernel.arrays, problem))
    else:
        assert kernel.output is not None
        shape = loaded.call(kernel.output, problem)
        extents = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
        if not all(isinstance(extent, int) for extent in extents):
            raise KernelFileError(f"kernel {kernel.name}: output must return whole numbers, not {shape!r}")
        out = Array("out", extents, "out")
        arrays = (out, *(_arrays_of(drawn) if drawn is not None else _inferred(loaded, problem)))
    if not any(array.role in ("out", "inout") for array in arrays):
        raise KernelFileError(f"kernel {kernel.name}: no array has the role out or inout")
    for array in arrays:
        if array.role in WRITTEN and not array.shape:
            raise KernelFileError(
                f"kernel {kernel.name}: {array.name} is written, so it needs a shape; (1,) for a number"
            )
    written = tuple(array for array in arrays if array.role in WRITTEN)
    return written + tuple(array for array in arrays if array.role not in WRITTEN)


def _arrays_of(drawn: Drawn) -> tuple[Array, ...]:
    """The arrays as drawn; floating ones take the problem's dtype."""
    import numpy as np

    arrays = {name: np.asarray(value) for name, value in drawn.items()}
    return tuple(Array(n, a.shape, "in", "" if a.dtype.kind == "f" else str(a.dtype)) for n, a in arrays.items())


def _inferred(loaded: Loaded, problem: Problem) -> tuple[Array, ...]:
    small, double = (_drawn_at(loaded, problem, n) for n in (64, 128))
    return tuple(
        replace(a, shape=tuple(_extent(x, y, problem.n) for x, y in zip(a.shape, b.shape, strict=True)))
        for a, b in zip(small, double, strict=True)
    )


def _extent(at_64: int, at_128: int, n: int) -> int:
    """Continue an extent from its values at 64 and 128: a line with a small offset, else a power of n."""
    slope = (at_128 - at_64) // 64
    offset = at_64 - 64 * slope
    if abs(offset) < 64 and 128 * slope + offset == at_128:
        return slope * n + offset
    return max(1, round(at_64 * math.pow(n / 64, math.log2(at_128 / at_64))))


def _drawn_at(loaded: Loaded, problem: Problem, n: int) -> tuple[Array, ...]:
    import numpy as np

    drawn = loaded.call(loaded.kernel.inputs, replace(problem, n=n), np.random.default_rng(0))
    if not isinstance(drawn, dict):
        raise KernelFileError(f"kernel {loaded.kernel.name}: inputs(problem, rng) must return a dict of arrays")
    return _arrays_of(drawn)
