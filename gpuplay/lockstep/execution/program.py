"""A GPU function as the machine executes it: blocks of operations on slots, with all device functions inlined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gpuplay.lockstep.record import Note, Place, Source

if TYPE_CHECKING:
    import numpy as np

    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.sites import Site

Slot: TypeAlias = int  # the number of a variable, or of a value without a name, in `Batch.v`
Op: TypeAlias = "Callable[[Batch], None]"
Compute: TypeAlias = "Callable[[Batch], Any]"  # the value that a slot is to get


@dataclass(frozen=True)
class Work:
    """What one execution of a block's operations on one line counts, for each warp and for each lane."""

    instructions: int = 0
    float32: int = 0
    float64: int = 0
    integer: int = 0
    special: int = 0
    shuffles: int = 0

    def plus(self, **more: int) -> Work:
        """The same with more of something."""
        return Work(**{name: value + more.get(name, 0) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Jump:
    """All lanes go to block ``target``."""

    target: int


@dataclass(frozen=True)
class Branch:
    """Lanes on which ``condition`` holds go to ``then``."""

    condition: Slot
    then: int
    otherwise: int
    place: Place


@dataclass(frozen=True)
class Leave:
    """The lanes have finished: by a return statement, or at the end of the function."""

    place: Place
    returned: bool = False


@dataclass(frozen=True)
class Meet:
    """Wait for all live threads of the block, of its cluster, or of the grid; ``finish(batch)`` runs when they met."""

    scope: Literal["block", "cluster", "grid"]
    target: int
    place: Place
    uses: tuple[Slot, ...] = ()
    finish: Op | None = None


Terminator: TypeAlias = Jump | Branch | Leave | Meet


@dataclass
class Block:
    """Operations that run one after another, and where lanes go then.

    ``turns_at`` is set where a loop of the source begins at two blocks: the first and last block of the whole loop.
    """

    ops: list[Op] = field(default_factory=list)
    end: Terminator | None = None
    defs: set[Slot] = field(default_factory=set)
    uses: set[Slot] = field(default_factory=set)
    work: dict[Place, Work] = field(default_factory=dict)
    live_in: frozenset[Slot] = frozenset()
    turns_at: tuple[int, int] | None = None

    @property
    def targets(self) -> tuple[int, ...]:
        """Where lanes may go."""
        match self.end:
            case Branch(then=then, otherwise=otherwise):
                return then, otherwise
            case Jump(target=target) | Meet(target=target):
                return (target,)
        return ()


ALIGNED = 16  # bytes: what the memory of a whole launch begins at a multiple of, more than any access needs


@dataclass(frozen=True)
class SharedArray:
    """A shared or local array of a function: ``count`` elements, 0 where the size is dynamic.

    ``updated`` says that atomics touch it; ``alignment`` is what its address is a multiple of for certain, in bytes.
    """

    name: str
    dtype: np.dtype[Any]
    count: int
    updated: bool = True
    alignment: int = ALIGNED


@dataclass
class Program:
    """All that a launch needs: ordered blocks, initial slots, the arguments' slots, memory to set up."""

    blocks: list[Block]
    initial: list[Any]
    arguments: tuple[Slot, ...]
    names: list[str]
    dtypes: list[Any]
    sites: list[Site]
    shared: list[SharedArray]
    locals: list[SharedArray]
    notes: list[Note]
    sources: list[Source]
    fences: bool = False
    cooperative: bool = False
    cluster: int = 1
    touched: dict[Slot, set[str]] = field(default_factory=dict)

    @property
    def static_bytes(self) -> int:
        """Bytes of shared memory that a block has without any that a launch adds."""
        return sum(array.count * array.dtype.itemsize for array in self.shared)

    def place_of(self, number: int) -> Place:
        """A line of a block: the first that does something."""
        block = self.blocks[number]
        if block.work:
            return min(block.work, key=lambda place: place.line)
        if isinstance(block.end, Branch | Leave | Meet):
            return block.end.place
        return self.place_of(block.targets[0])
