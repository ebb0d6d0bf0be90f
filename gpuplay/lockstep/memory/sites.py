"""Counters of one memory access, or of one other operation, as it stands in the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpuplay.lockstep.record import Action, Atomics, Banks, Counts, Place, Space, Thread, Traffic, WarpMap

if TYPE_CHECKING:
    from gpuplay.lockstep.memory.values import View


@dataclass(eq=False)
class Site:
    """One access in the source: where it stands, the array's name there, and what it did so far."""

    place: Place
    array: str
    action: Action
    width: int
    space: Space = "global"
    requests: int = 0
    cost: int = 0
    ideal: int = 0
    bytes_asked: int = 0
    ways: int = 0
    worst: int = 0
    hottest: int = 0
    base: int = 0
    offset: int = 0
    view: View | None = None
    map: WarpMap | None = None

    def counts(self) -> Counts:
        """The counters in their place in `Counts`."""
        atomics = Atomics()
        if self.action == "atomic":
            atomics = Atomics(self.requests, self.bytes_asked // self.width, self.worst, self.hottest)
        if self.space == "local":
            return Counts(local_bytes=self.bytes_asked)
        if self.space == "shared":
            banks = Banks(self.requests, self.cost, self.ideal, self.ways, self.bytes_asked)
            if self.action == "load":
                return Counts(shared_loads=banks)
            return Counts(shared_stores=banks) if self.action == "store" else Counts(atomics=atomics)
        if self.space == "constant":
            return Counts()
        traffic = Traffic(self.requests, self.cost, self.ideal, self.bytes_asked)
        if self.action == "load":
            return Counts(global_loads=traffic)
        return Counts(global_stores=traffic) if self.action == "store" else Counts(atomics=atomics)

    def reset(self) -> None:
        """Forget what was counted: the next launch begins."""
        self.requests = self.cost = self.ideal = self.bytes_asked = 0
        self.ways = self.worst = self.hottest = 0
        self.map = None

    def draw(self, addresses: tuple[int | None, ...], thread: Thread, cost: int, ideal: int, ways: int) -> None:
        """Keep one warp's addresses: those of the request that cost most."""
        self.map = WarpMap(
            self.place,
            self.array,
            self.space,
            self.action,
            self.width,
            addresses,
            thread,
            cost,
            ideal,
            ways,
            self.offset,
        )
