"""The functions of `gpuplay.intrinsics.device.approximate`: exact, then rounded; a GPU errs within stated bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gpuplay.intrinsics.device.approximate import fast_exp2, fast_reciprocal, fast_tanh
from gpuplay.lockstep.front.dtypes import dtype_of

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.memory.values import Number

FLOAT32 = np.dtype(np.float32)


def _special(function: Callable[[Number], Number]) -> Handler:
    """One special function of a float32."""

    def handler(emit: Emitter, made: Call) -> None:
        x = emit.number(made.arguments[0], FLOAT32)
        emit.count(special=1)
        emit.define(made.target, FLOAT32, lambda batch: function(batch.v[x]), (x,))

    return handler


def _reciprocal(emit: Emitter, made: Call) -> None:
    """One special function of a float32 or float64."""
    dtype = dtype_of(made.signature.return_type)
    assert dtype is not None
    x, one = emit.number(made.arguments[0], dtype), dtype.type(1)
    emit.count(special=1)
    emit.define(made.target, dtype, lambda batch: one / batch.v[x], (x,))


def _exp2_without_denormals(x: Number) -> Number:
    power = np.exp2(x)
    return np.where(power < np.finfo(np.float32).tiny, np.float32(0), power)[()]


HANDLERS: Vocabulary[object] = {
    fast_tanh: _special(np.tanh),
    fast_exp2: _special(_exp2_without_denormals),
    fast_reciprocal: _reciprocal,
}
