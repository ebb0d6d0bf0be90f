"""Counters of a launch by line: what each block's operations count, times how often it was executed.

A warp executes an instruction where at least one of its lanes is active; diverged lanes execute in turns and
count anew each time. Address arithmetic inside an index, register moves and reads of threadIdx count nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpuplay.lockstep.execution.program import Branch, Meet
from gpuplay.lockstep.record import Counts, Place

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.engine import Engine


def counted(engine: Engine) -> Iterator[tuple[Place, Counts]]:
    """Counts of every line of every block that was executed; lines may come more than once."""
    for number, block in enumerate(engine.program.blocks):
        warps, lanes = map(int, engine.executed[number])
        if not warps:
            continue
        for place, work in block.work.items():
            yield (
                place,
                Counts(
                    warp_instructions=work.instructions * warps,
                    lanes=work.instructions * lanes,
                    shuffles=work.shuffles * warps,
                    float32=work.float32 * lanes,
                    float64=work.float64 * lanes,
                    integer=work.integer * lanes,
                    special=work.special * lanes,
                ),
            )
        if isinstance(block.end, Branch):
            branches, divergent = map(int, engine.splits[number])
            yield block.end.place, Counts(branches=branches, divergent=divergent)
        elif isinstance(block.end, Meet):
            yield block.end.place, Counts(barriers=int(engine.met[number]))
