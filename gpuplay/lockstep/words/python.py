"""The words of Python itself that are no functions of scalars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda, literal_unroll

from gpuplay.lockstep.emit.call import nothing
from gpuplay.lockstep.front.dtypes import dtype_of, is_array, is_tuple
from gpuplay.lockstep.memory.values import Range, Slice

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT64 = np.dtype(np.int64)


def _range(emit: Emitter, made: Call) -> None:
    dtype = np.dtype(str(made.signature.return_type).removeprefix("range_state_"))
    slots = tuple(emit.number(name, dtype) for name in made.arguments)
    zero, one = dtype.type(0), dtype.type(1)

    def make(batch: Batch) -> Range:
        values = [batch.v[slot] for slot in slots]
        return Range(*((zero, *values, one) if len(values) == 1 else (*values, one)[:3]))

    emit.define(made.target, None, make, slots)


def _length(emit: Emitter, made: Call) -> None:
    kind, source = emit.kind(made.arguments[0]), emit.slot(made.arguments[0])
    if is_array(kind):
        emit.define(made.target, INT64, lambda batch: batch.v[source].shape[0], (source,))
    elif is_tuple(kind):
        emit.build.initial[emit.slot(made.target)] = np.int64(len(kind))
    else:
        raise emit.unsupported(f"len of {kind}")


def _slice(emit: Emitter, made: Call) -> None:
    slots = tuple(-1 if emit.dtype(name) is None else emit.slot(name) for name in made.arguments)

    def make(batch: Batch) -> Slice:
        values = [None if slot < 0 else batch.v[slot] for slot in slots]
        return Slice(*((None, *values, None) if len(values) == 1 else (*values, None)[:3]))

    uses = tuple(slot for slot in slots if slot >= 0)
    emit.define(made.target, None, make, uses)


def _truth(emit: Emitter, made: Call) -> None:
    """A condition of a branch is a truth already, or is compared with 0."""
    emit.convert(made.target, made.arguments[0])


def _complex(emit: Emitter, made: Call) -> None:
    """``complex(real, imaginary)``."""
    dtype = dtype_of(made.signature.return_type)
    assert dtype is not None
    slots = tuple(emit.number(name, dtype) for name in made.arguments)
    unit = dtype.type(1j)

    def make(batch: Batch) -> Any:
        parts = [batch.v[slot] for slot in slots]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1] * unit

    emit.define(made.target, dtype, make, slots)


def _itself(emit: Emitter, made: Call) -> None:
    emit.copy(emit.slot(made.target), emit.slot(made.arguments[0]))


HANDLERS: Vocabulary[object] = {
    range: _range,
    len: _length,
    slice: _slice,
    bool: _truth,
    complex: _complex,
    tuple: _itself,
    type: nothing,  # a class of numbers, which the types know
    literal_unroll: _itself,
    getattr(cuda, "literal_unroll", literal_unroll): _itself,
}
