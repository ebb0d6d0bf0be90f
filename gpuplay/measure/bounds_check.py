"""Host functions compiled with a check of every index, and what it says: the line, the array and the index.

Numba's own check (``boundscheck``) tells neither; here it does. A ``prange`` is one loop then, since what a worker
thread raises is lost. Vectors of `gpuplay.intrinsics` go by without a check. All this holds for a whole process: it is
installed before the first function is compiled, in a worker of its own.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, cpu, types
from numba.core import ir as numba_ir
from numba.core.lowering import Lower

from gpuplay.errors import OutOfBounds

_at: list[tuple[str, int, str, bool]] = [("", 0, "", False)]  # of what is lowered now: file, line, array, if it writes


def install() -> None:
    """From now on, compile every host function with the check."""
    finalize, lower_inst = cpu.CPUTargetOptions.finalize, Lower.lower_inst

    def finalized(self: Any, flags: Any, options: Any) -> None:
        finalize(self, flags, options)
        flags.boundscheck = True
        flags.auto_parallel = cpu.ParallelOptions(value=False) if flags.auto_parallel.enabled else flags.auto_parallel

    def lowered(self: Any, inst: Any) -> None:
        array, writes = _array_of(inst)
        _at[0] = (inst.loc.filename, inst.loc.line, array, writes)
        lower_inst(self, inst)

    cpu.CPUTargetOptions.finalize = finalized
    Lower.lower_inst = lowered
    cgutils.do_boundscheck = _check


def _check(context: Any, builder: Any, index: Any, extent: Any, axis: Any = None) -> None:
    """What Numba emits for an index of an axis: leave the function where it is out of bounds."""
    file, line, array, writes = _at[0]
    below = builder.icmp_signed("<", index, ir.Constant(index.type, 0))
    beyond = builder.icmp_signed(">=", index, extent)
    with cgutils.if_unlikely(builder, builder.or_(below, beyond)):
        known = axis if isinstance(axis, int) else -1
        told = (file, line, array, int(writes), known, index, extent)
        dynamic = [types.intp if isinstance(one, ir.Value) else None for one in told]
        context.call_conv.return_dynamic_user_exc(builder, OutOfBounds, told, tuple(dynamic))


def _array_of(inst: Any) -> tuple[str, bool]:
    """The name of the array that an instruction indexes, '' where it has none in the source; whether it writes."""
    if isinstance(inst, numba_ir.SetItem | numba_ir.StaticSetItem):
        return _told(inst.target), True
    value = getattr(inst, "value", None)
    if isinstance(value, numba_ir.Expr) and value.op in ("getitem", "static_getitem"):
        return _told(value.value), False
    return "", False


def _told(variable: Any) -> str:
    """A variable's name as the source has it."""
    name = str(variable.name).partition(".")[0]
    return "" if name.startswith("$") else name
