"""What the CUDA typing rules infer for scalars, and when two results are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.cuda.descriptor import cuda_target
from numba.np.numpy_support import as_dtype, from_dtype

from gpuplay.lockstep.scalars.operators import cast

F4, F8, I4, I8, U4, U8, B1 = (np.dtype(name) for name in ("f4", "f8", "i4", "i8", "u4", "u8", "?"))


def inferred(fn: Any, *dtypes: np.dtype[Any]) -> tuple[tuple[np.dtype[Any], ...], Any] | None:
    """Operands and result of what the CUDA typing rules make of a call; None where they refuse it."""
    context = cuda_target.typing_context
    context.refresh()
    try:
        found = context.resolve_function_type(fn, tuple(from_dtype(dtype) for dtype in dtypes), {})
    except Exception:  # noqa: BLE001 - whatever Numba raises, the operands are refused
        return None
    if found is None:
        return None
    operands = [part for kind in found.args for part in (kind if isinstance(kind, types.BaseTuple) else (kind,))]
    result = found.return_type
    several = isinstance(result, types.BaseTuple)
    return tuple(map(as_dtype, operands)), tuple(map(as_dtype, result)) if several else as_dtype(result)


def same(a: Any, b: Any) -> np.ndarray:
    """Equal value for value, zeros by their sign, NaNs to each other."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f":
        return a == b
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def converted(values: Any, target: np.dtype[Any]) -> Any:
    step = cast(values.dtype, target)
    return values if step is None else step(values)
