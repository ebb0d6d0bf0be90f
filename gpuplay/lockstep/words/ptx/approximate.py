"""The functions of `gpuplay.intrinsics.device.approximate`: exact, then rounded; a GPU errs within stated bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.intrinsics.device.approximate import fast_exp2, fast_reciprocal, fast_tanh
from gpuplay.lockstep.front.dtypes import dtype_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.memory.values import Number

FLOAT32 = np.dtype(np.float32)


def _special(function: Callable[[Number], Number]) -> Handler:
    """One special function of a float32."""

    def handler(t: Emitter, made: Call) -> None:
        x = t.number(made.arguments[0], FLOAT32)
        t.count(special=1)
        t.define(made.target, FLOAT32, lambda e: function(e.v[x]), (x,))

    return handler


def _reciprocal(t: Emitter, made: Call) -> None:
    """One special function of a float32 or float64."""
    dtype = dtype_of(made.signature.return_type)
    assert dtype is not None
    x, one = t.number(made.arguments[0], dtype), dtype.type(1)
    t.count(special=1)
    t.define(made.target, dtype, lambda e: one / e.v[x], (x,))


def _exp2_without_denormals(x: Number) -> Number:
    power = np.exp2(x)
    return np.where(power < np.finfo(np.float32).tiny, np.float32(0), power)[()]


HANDLERS: dict[Any, Any] = {
    fast_tanh: _special(np.tanh),
    fast_exp2: _special(_exp2_without_denormals),
    fast_reciprocal: _reciprocal,
}
