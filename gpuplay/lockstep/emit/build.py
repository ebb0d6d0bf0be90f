"""What grows while a launch's functions are translated: blocks, slots, accesses, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gpuplay.lockstep.execution.program import Block, SharedArray, Slot
from gpuplay.lockstep.memory.sites import Site
from gpuplay.lockstep.record import Action, Note, Place, Source


@dataclass
class Build:
    """A program in the making, which all functions share that are translated into it."""

    blocks: list[Block] = field(default_factory=list)
    initial: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    dtypes: list[Any] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    shared: dict[Any, SharedArray] = field(default_factory=dict)
    shared_slots: dict[Slot, Any] = field(default_factory=dict)
    locals: list[SharedArray] = field(default_factory=list)
    sources: dict[Any, Source] = field(default_factory=dict)
    promotions: dict[Place, str] = field(default_factory=dict)
    fences: bool = False
    cluster: int = 1
    flows: dict[Slot, set[Slot]] = field(default_factory=dict)
    touches: list[tuple[Slot, Action]] = field(default_factory=list)

    def block(self) -> int:
        """A new block's number."""
        self.blocks.append(Block())
        return len(self.blocks) - 1

    def slot(self, name: str = "", dtype: Any = None, value: Any = None) -> Slot:
        """A new slot's number."""
        self.initial.append(value)
        self.names.append(name)
        self.dtypes.append(dtype)
        return len(self.initial) - 1

    def touched(self, arguments: tuple[Slot, ...]) -> dict[Slot, set[str]]:
        """What may happen to each argument, by whatever name the function then calls it."""
        found: dict[Slot, set[str]] = {slot: set() for slot in arguments}
        for slot, action in self.touches:
            seen, waiting = {slot}, [slot]
            while waiting:
                sources = self.flows.get(waiting.pop(), set()) - seen
                seen |= sources
                waiting += sources
            for argument in seen & found.keys():
                found[argument].add(action)
        return found

    def shared_arrays(self) -> list[SharedArray]:
        """Shared arrays in order, with whether atomics touch them."""
        touched = self.touched(tuple(self.shared_slots))
        updated = {key for slot, key in self.shared_slots.items() if "atomic" in touched[slot]}
        return [replace(array, updated=key in updated) for key, array in self.shared.items()]

    def float64_notes(self, arguments: tuple[Any, ...]) -> list[Note]:
        """Lines that turn to float64 although no argument is."""
        if any("float64" in str(kind) or "complex128" in str(kind) for kind in arguments):
            return []
        remedy = "write np.float32(…) around the constant, or x.dtype.type(…)"
        return [Note("float64", text, place, remedy) for place, text in sorted(self.promotions.items(), key=_by_line)]


def _by_line(entry: tuple[Place, str]) -> tuple[str, int]:
    return entry[0].file, entry[0].line
