"""Counters of a launch by line: what each block's operations count, times how often it was executed.

A warp executes an instruction where at least one of its lanes is active; diverged lanes execute in turns and
count anew each time. Address arithmetic inside an index, register moves and reads of threadIdx count nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from gpuplay.lockstep.execution.program import Branch, Meet, Program
from gpuplay.lockstep.record import Counts, Place


class Tally:
    """What a launch did with each block of its program, by the block's number.

    ``warps`` and ``lanes`` executed it, ``branches`` warps came to the branch in its end, of which ``divergent`` split,
    ``met`` warps came to the barrier there.
    """

    def __init__(self, blocks: int) -> None:
        self.warps, self.lanes, self.branches, self.divergent, self.met = ([0] * blocks for _ in range(5))


def counted(program: Program, tally: Tally) -> Iterator[tuple[Place, Counts]]:
    """Counts of every line of every block that was executed; lines may come more than once."""
    for number, block in enumerate(program.blocks):
        warps, lanes = tally.warps[number], tally.lanes[number]
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
            yield block.end.place, Counts(branches=tally.branches[number], divergent=tally.divergent[number])
        elif isinstance(block.end, Meet):
            yield block.end.place, Counts(barriers=tally.met[number])
