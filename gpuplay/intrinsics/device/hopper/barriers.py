"""Barriers in shared memory that count arrivals and bytes: PTX's ``mbarrier``. Importing this module imports numba.

A barrier is one uint64 of a shared array. It goes through phases 0, 1, 2, …; a phase is over when all arrivals
that the barrier was set up for have come and all bytes that were announced have been copied. Whoever waits
names the parity of a phase, its lowest bit. Nobody has to stand still to arrive, and what an arriving
thread did before is visible to all who waited for that phase.

PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier"; bytes need compute capability 9.0.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic
from gpuplay.intrinsics.device.shared_addresses import CONVERGENT, INT, emit, shared_address, whole_number


def check_barriers(what: str, barriers: Any, index: Any) -> None:
    """TypingError unless it is an element of a one-dimensional contiguous array of uint64."""
    kind = getattr(barriers, "dtype", None)
    if getattr(barriers, "ndim", 0) != 1 or getattr(barriers, "layout", "") != "C" or kind != types.uint64:
        raise TypingError(f"{what}: barriers are a one-dimensional shared array of uint64; given {barriers}")
    whole_number(what, "the barrier's index", index)


def _on_barrier(what: str, text: str, barriers: Any, index: Any, *more: Any) -> Any:
    """The signature and the code of an instruction on a barrier, with a 32-bit operand behind it or none."""
    check_barriers(what, barriers, index)
    for operand in more:
        whole_number(what, "a count", operand)

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        array, at, *operands = values
        place = shared_address(context, builder, called.args[0], array, at)
        emit(builder, text, ",".join("r" * (1 + len(operands))), place, *operands)
        return context.get_dummy_value()

    return typing.signature(types.void, barriers, types.intp, *[types.uint32] * len(more)), generate


@intrinsic
def init_barrier(typingctx: Any, barriers: Any, index: Any, arrivals: Any) -> Any:
    """Set up ``barriers[index]`` for so many arrivals a phase; by one thread, before `publish_barriers`."""
    return _on_barrier("init_barrier", "mbarrier.init.shared::cta.b64 [$0], $1;", barriers, index, arrivals)


@intrinsic
def publish_barriers(typingctx: Any) -> Any:
    """Make barriers that this thread has set up known to copies; a barrier of the block makes them known to threads."""

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        emit(builder, "fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta;", "")
        return context.get_dummy_value()

    return typing.signature(types.void), generate


@intrinsic
def arrive(typingctx: Any, barriers: Any, index: Any) -> Any:
    """Arrive at ``barriers[index]`` and go on: what this thread did before is done for those who wait."""
    return _on_barrier("arrive", "mbarrier.arrive.shared::cta.b64 _, [$0];", barriers, index)


@intrinsic
def arrive_expecting(typingctx: Any, barriers: Any, index: Any, count: Any) -> Any:
    """Arrive at ``barriers[index]`` and announce ``count`` bytes, without which the phase is not over."""
    text = "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;"
    return _on_barrier("arrive_expecting", text, barriers, index, count)


@intrinsic
def phase_is_over(typingctx: Any, barriers: Any, index: Any, parity: Any) -> Any:
    """Whether the latest phase of this parity (0 or 1) of ``barriers[index]`` is over; the thread may sleep a while.

    Of a new barrier the phase of parity 1, which has never been, is over.
    """
    check_barriers("phase_is_over", barriers, index)
    whole_number("phase_is_over", "parity", parity)
    text = "{ .reg .pred over; mbarrier.try_wait.parity.shared::cta.b64 over, [$1], $2; selp.u32 $0, 1, 0, over; }"

    def generate(context: Any, builder: Any, called: Any, values: Any) -> Any:
        array, at, bit = values
        place = shared_address(context, builder, called.args[0], array, at)
        code = ir.InlineAsm(ir.FunctionType(INT, [INT, INT]), text, "=r,r,r,~{memory}", side_effect=True)
        over = builder.call(code, [place, bit], attrs=CONVERGENT)
        return builder.icmp_unsigned("!=", over, ir.Constant(INT, 0))

    return typing.signature(types.boolean, barriers, types.intp, types.uint32), generate


@intrinsic
def wait_for_phase(typingctx: Any, barriers: Any, index: Any, parity: Any) -> Any:
    """Wait until the latest phase of this parity of ``barriers[index]`` is over, as `phase_is_over` has it."""
    text = "{ .reg .pred over; again: mbarrier.try_wait.parity.shared::cta.b64 over, [$0], $1; @!over bra again; }"
    return _on_barrier("wait_for_phase", text, barriers, index, parity)
