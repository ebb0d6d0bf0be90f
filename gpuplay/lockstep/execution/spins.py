"""Loops that wait for what cannot happen.

Threads are scheduled fairly, as compute capability 7.0 and later promise ("Independent Thread Scheduling",
CUDA C++ Programming Guide): a loop whose turn changed nothing is parked until memory changes, and others
go on. A loop that only counts its turns while it polls memory gives way to all others, and has so many turns.
Blocks that have not started cannot run while those that have wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpuplay.lockstep.memory.values import same
from gpuplay.lockstep.record import Note

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.lanes import LaneMask

MOST_POLLS = 100_000  # turns of a loop that polls memory while nobody can change it: some seconds
PATIENCE = 64  # turns of a loop before it is looked at: most loops end, or change something, before
LONG = 1024  # turns of a loop after which stores are looked at, too: they may write what stands there already


class Spins:
    """Watches back edges: which loops turn without changing anything."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.turns: dict[int, int] = {}
        self.last: dict[int, tuple[int, int, dict[int, Any]]] = {}
        self.endless: set[int] = set()
        self.since: dict[int, int] = {}
        self.idle: dict[int, int] = {}
        self.seen: dict[int, tuple[int, int]] = {}

    def parked(self, number: int) -> bool:
        """Whether this loop waits for memory to change."""
        return self.since.get(number) == self.batch.changes

    def choose(self, ready: list[int]) -> int | None:
        """The lowest block, loops that have polled in vain for long last; None where these can only go on polling."""
        if len(ready) == 1 and self.idle.get(ready[0], 0) < MOST_POLLS:
            return ready[0]
        patient = [number for number in ready if not self._tired(number)]
        if patient or not ready:
            return min(patient, default=None)
        fewest = min(ready, key=lambda number: self.idle[number])
        return fewest if self.idle[fewest] < MOST_POLLS else None

    def wake(self, header: int) -> None:
        """Other lanes come to a loop from outside: what was true of those in it need not be true of them."""
        self.since.pop(header, None)
        self.endless.discard(header)
        self.idle.pop(header, None)

    def _tired(self, number: int) -> bool:
        return self.idle.get(number, 0) >= PATIENCE and self.seen[number][0] == self.batch.changes

    def back_edge(self, header: int, mask: LaneMask) -> None:
        """Lanes go round once more."""
        now = self.batch.changes, self.batch.polls
        before = self.seen.get(header, now)
        polled_in_vain = before[0] == now[0] and before[1] < now[1]
        self.idle[header] = self.idle.get(header, 0) + 1 if polled_in_vain else 0
        self.seen[header] = now
        self.turns[header] = self.turns.get(header, 0) + 1
        if self.turns[header] >= PATIENCE:
            self._look(header, mask)
        if self.turns[header] >= LONG:
            self.batch.comparing = True

    def _look(self, header: int, mask: LaneMask) -> None:
        """Park the loop where its last turn changed neither memory nor what its next turn reads.

        One that read nothing that others may change does not even wait: it is ``endless``.
        """
        batch = self.batch
        live = {slot: batch.v[slot] for slot in batch.program.blocks[header].live_in}
        before = self.last.get(header)
        self.last[header] = batch.changes, batch.polls, live
        if before is None or before[0] != batch.changes:
            return
        if all(same(mask.array, value, before[2].get(slot)) for slot, value in live.items()):
            self.since[header] = batch.changes
            if before[1] == batch.polls:
                self.endless.add(header)
                return
            self._note_warp_mates(header, mask)

    def _note_warp_mates(self, header: int, mask: LaneMask) -> None:
        """Say where a lane waits for another one of its warp: before capability 7.0 that would never end."""
        batch = self.batch
        warps = mask.array.reshape(-1, 32).any(axis=1)
        elsewhere = [other.array for number, other in batch.schedule.pending.items() if number != header]
        if any((there.reshape(-1, 32).any(axis=1) & warps).any() for there in elsewhere):
            place = batch.program.place_of(header)
            text = f"line {place.line}: lanes wait in a loop for other lanes of their warp"
            remedy = "let one thread of a warp take the lock, or release it inside the loop"
            batch.launch.notes[place] = Note("same warp wait", text, place, remedy)
