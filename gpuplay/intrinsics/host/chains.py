"""Chains of fused multiply-adds in vector registers: what a core can do when nothing makes it wait."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

STEPS = 4  # multiply-adds of each chain in one turn of the loop, so that counting it costs nothing


@intrinsic(prefer_literal=True)
def fma_chains(typingctx: Any, seeds: Any, turns: Any, lanes: Any, chains: Any) -> Any:
    """Run ``chains`` independent chains ``x = x·c + d``, each on a vector of ``lanes`` elements.

    ``seeds`` is a C-contiguous array of ``(chains + 2)·lanes`` floats: the starting vectors, then c
    and d. The chains' last values are written back. ``lanes`` and ``chains`` are literal integers.
    The work is ``2·STEPS·chains·lanes·turns`` FLOPs, at least one turn.

    A fused multiply-add takes 4 or 5 cycles until its result can be used, and a core starts two in
    each cycle (some start four): so 8 to 16 chains keep its pipes full. A multiplication and an
    addition that may be contracted are emitted, so that a machine without fma still has a peak.
    """
    if not isinstance(lanes, types.IntegerLiteral) or not isinstance(chains, types.IntegerLiteral):
        raise TypingError("fma_chains: lanes and chains are literal integers")
    width, count = lanes.literal_value, chains.literal_value
    signature = types.void(seeds, types.intp, lanes, chains)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        vector = ir.VectorType(context.get_value_type(called.args[0].dtype), width)
        data = context.make_array(called.args[0])(context, builder, arguments[0]).data
        index = arguments[1].type
        start = builder.bitcast(data, vector.as_pointer())
        places = [builder.gep(start, [ir.Constant(index, number)]) for number in range(count + 2)]
        *values, factor, summand = [builder.load(place, align=8) for place in places]
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)

        builder.position_at_end(loop)
        turn = builder.phi(index)
        turn.add_incoming(ir.Constant(index, 0), before)
        carried = [builder.phi(vector) for _ in values]
        current: list[Any] = list(carried)
        for _ in range(STEPS):
            products = [builder.fmul(x, factor, flags=("contract",)) for x in current]
            current = [builder.fadd(x, summand, flags=("contract",)) for x in products]
        for phi, first, last in zip(carried, values, current, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(last, loop)
        following = builder.add(turn, ir.Constant(index, 1))
        turn.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, arguments[1]), loop, after)

        builder.position_at_end(after)
        for place, value in zip(places, current, strict=False):
            builder.store(value, place, align=8)
        return context.get_dummy_value()

    return signature, generate
