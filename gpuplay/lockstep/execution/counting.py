"""Counters by line: what each block's operations count, times how often it was executed, and what accesses cost.

A warp executes an instruction where at least one of its lanes is active; diverged lanes execute in turns and
count anew each time. Address arithmetic inside an index, register moves and reads of threadIdx count nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from gpuplay.lockstep.execution.program import Branch, Meet, Program
from gpuplay.lockstep.record import Counts, Place, WarpMap


class Tally:
    """What a launch did with each block of its program, by the block's number.

    ``warps`` and ``lanes`` executed it, ``branches`` warps came to the branch in its end, of which ``divergent`` split,
    ``met`` warps came to the barrier there.
    """

    def __init__(self, blocks: int) -> None:
        self.warps, self.lanes, self.branches, self.divergent, self.met = ([0] * blocks for _ in range(5))


class Counters:
    """What all launches of a machine counted: of each line, and of its worst warp's request for each array."""

    def __init__(self) -> None:
        self._lines: dict[Place, Counts] = {}
        self._maps: dict[tuple[Place, str, str], WarpMap] = {}

    @property
    def lines(self) -> tuple[tuple[Place, Counts], ...]:
        """Lines in order, with their counts."""
        return tuple(sorted(self._lines.items(), key=lambda entry: (entry[0].file, entry[0].line)))

    @property
    def maps(self) -> tuple[WarpMap, ...]:
        """The worst requests, in the order of their lines."""
        return tuple(sorted(self._maps.values(), key=lambda m: (m.place.file, m.place.line)))

    def add(self, program: Program, tally: Tally) -> None:
        """Add what a launch counted; the counters of the program's accesses begin anew."""
        for place, counts in (*_executed(program, tally), *_accessed(program)):
            self._lines[place] = self._lines.get(place, Counts()) + counts
        for site in program.sites:
            if site.map is not None:
                self._keep_worst(site.map)
            site.reset()

    def _keep_worst(self, found: WarpMap) -> None:
        key = found.place, found.array, found.action
        known = self._maps.get(key)
        if known is None or found.cost - found.ideal > known.cost - known.ideal:
            self._maps[key] = found


def _accessed(program: Program) -> Iterator[tuple[Place, Counts]]:
    """Counts of every access that was made."""
    for site in program.sites:
        if site.requests or site.bytes_asked:
            yield site.place, site.counts()


def _executed(program: Program, tally: Tally) -> Iterator[tuple[Place, Counts]]:
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
