"""What the lockstep machine saw: counters by source line, faults, notes, and one warp's addresses.

Plain frozen values, which cross process boundaries; this module imports neither numba nor numpy.
Counts are those of the source: a compiler may hoist, merge or fuse what is counted here. The words
are those of the CUDA C++ Programming Guide and of Nsight Compute: a *request* is one warp executing
one access, a *sector* is 32 bytes of global memory, a *wavefront* is one pass over the 32 banks of
shared memory, 4 bytes wide each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

SECTOR_BYTES = 32
BANKS = 32
BANK_BYTES = 4
WARP = 32

FaultKind: TypeAlias = Literal[
    "out of bounds",
    "race",
    "barrier",
    "deadlock",
    "endless",
    "unset",
    "shuffle",
    "warp",
    "launch",
    "alignment",
    "division",
    "exception",
]
NoteKind: TypeAlias = Literal["float64", "same warp wait"]
Space: TypeAlias = Literal["global", "shared", "local", "constant"]
Action: TypeAlias = Literal["load", "store", "atomic"]
_Sum = TypeVar("_Sum", "Traffic", "Banks", "Atomics", "Counts")


def _added(left: _Sum, right: _Sum, worst: tuple[str, ...] = ()) -> _Sum:
    """Field by field: the sum, or the larger one of the fields in ``worst``."""
    if any(right is nothing for nothing in _NOTHING):
        return left
    both = zip(vars(left).items(), vars(right).values(), strict=True)
    return type(left)(**{name: max(a, b) if name in worst else a + b for (name, a), b in both})


@dataclass(frozen=True)
class Traffic:
    """Accesses to global memory. ``ideal_sectors`` is the least that the bytes asked for would fit in.

    ``bytes_asked`` counts every active lane's element, a broadcast word once for each lane;
    ``ideal_sectors`` is summed request by request, from the bytes that are distinct.
    """

    requests: int = 0
    sectors: int = 0
    ideal_sectors: int = 0
    bytes_asked: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return _added(self, other)

    @property
    def bytes_moved(self) -> int:
        """Whole sectors: what passes between the L1 and the L2 cache at least once."""
        return self.sectors * SECTOR_BYTES


@dataclass(frozen=True)
class Banks:
    """Accesses to shared memory. ``worst_ways`` is the largest conflict: words of one bank in one wavefront's lanes."""

    requests: int = 0
    wavefronts: int = 0
    ideal_wavefronts: int = 0
    worst_ways: int = 0
    bytes_asked: int = 0

    def __add__(self, other: Banks) -> Banks:
        return _added(self, other, ("worst_ways",))


@dataclass(frozen=True)
class Atomics:
    """Atomic operations, by warps and by lanes. ``worst`` is the most lanes of one warp at one address.

    ``hottest`` is the most operations that any one address received in a launch.
    """

    requests: int = 0
    operations: int = 0
    worst: int = 0
    hottest: int = 0

    def __add__(self, other: Atomics) -> Atomics:
        return _added(self, other, ("worst", "hottest"))


NO_TRAFFIC, NO_BANKS, NO_ATOMICS = Traffic(), Banks(), Atomics()
_NOTHING = (NO_TRAFFIC, NO_BANKS, NO_ATOMICS)


@dataclass(frozen=True)
class Counts:
    """What a line, a launch or all launches of a run did.

    ``lanes`` is the sum of active lanes over ``warp_instructions``: 32 a warp instruction where no
    lane is masked. ``divergent`` counts branches at which a warp split, of ``branches`` executed by
    warps. Operations are counted by lane: ``float32`` and ``float64`` (fma as two), ``integer``,
    ``special`` (exp, sin, sqrt, division: what the special-function units serve).
    ``barriers`` counts warps arriving at a barrier. ``local`` is bytes moved to and from local arrays.
    """

    warp_instructions: int = 0
    lanes: int = 0
    branches: int = 0
    divergent: int = 0
    barriers: int = 0
    shuffles: int = 0
    float32: int = 0
    float64: int = 0
    integer: int = 0
    special: int = 0
    local_bytes: int = 0
    global_loads: Traffic = NO_TRAFFIC
    global_stores: Traffic = NO_TRAFFIC
    shared_loads: Banks = NO_BANKS
    shared_stores: Banks = NO_BANKS
    atomics: Atomics = NO_ATOMICS

    def __add__(self, other: Counts) -> Counts:
        return _added(self, other)

    @property
    def active_share(self) -> float:
        """Active lanes of a warp instruction over 32, from 0 to 1; 1 where nothing was executed."""
        return self.lanes / (WARP * self.warp_instructions) if self.warp_instructions else 1.0

    @property
    def flops(self) -> int:
        """Floating-point operations of both widths, fma as two; a special function counts as one."""
        return self.float32 + self.float64 + self.special

    @property
    def intensity(self) -> float | None:
        """FLOPs for each byte of global memory moved; None where none was."""
        moved = self.global_loads.bytes_moved + self.global_stores.bytes_moved
        return self.flops / moved if moved else None


@dataclass(frozen=True)
class Place:
    """A line of source."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Thread:
    """Which thread: the indices (x, y, z) of its block in the grid and of itself in the block."""

    block: tuple[int, int, int]
    thread: tuple[int, int, int]

    def __str__(self) -> str:
        return f"block {_shown(self.block)} thread {_shown(self.thread)}"


@dataclass(frozen=True)
class Fault:
    """A check that fired, with its first occurrence; ``count`` is how often it fired at these places.

    ``message`` is one sentence with names and values; ``remedy`` one more, what to do about it.
    ``other`` and ``other_thread`` are the second party: of a race, of a barrier that others wait at.
    ``value`` is what stands in the word of a race before the access, or the dividend of a division.
    """

    kind: FaultKind
    message: str
    place: Place | None = None
    thread: Thread | None = None
    other: Place | None = None
    other_thread: Thread | None = None
    array: str = ""
    index: tuple[int, ...] = ()
    value: str = ""
    remedy: str = ""
    count: int = 1

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.kind}: {self.message}"


@dataclass(frozen=True)
class Note:
    """What is no error but costs: a line that computes in float64 though all arrays are float32."""

    kind: NoteKind
    message: str
    place: Place
    remedy: str = ""


@dataclass(frozen=True)
class WarpMap:
    """What the 32 lanes of one warp touched in one request: the worst request of a line and array.

    ``addresses`` are byte offsets from the start of the array (of the block's array in shared memory),
    None for lanes that were not active. ``offset`` is where element 0 lies from a 256-byte boundary
    (global) or from bank 0 (shared), in bytes; ``cost`` is sectors or wavefronts, ``ideal`` the least.
    """

    place: Place
    array: str
    space: Space
    action: Action
    width: int
    addresses: tuple[int | None, ...]
    thread: Thread
    cost: int
    ideal: int
    ways: int = 1
    offset: int = 0


@dataclass(frozen=True)
class Source:
    """The text of one function that was executed: where it stands, its first line's number, its lines."""

    name: str
    file: str
    first: int
    lines: tuple[str, ...]
    device: bool = False


@dataclass(frozen=True)
class LaunchedFunction:
    """A GPU function at one geometry, ``times`` launched. ``shared_bytes`` a block, static and dynamic."""

    function: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int = 0
    times: int = 1


@dataclass(frozen=True)
class Report:
    """All that the machine saw in the launches of a run; of what threads ``printed`` the first lines."""

    launches: tuple[LaunchedFunction, ...] = ()
    sources: tuple[Source, ...] = ()
    lines: tuple[tuple[Place, Counts], ...] = ()
    maps: tuple[WarpMap, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = field(default_factory=tuple)
    printed: tuple[str, ...] = ()
    lines_printed: int = 0

    @property
    def total(self) -> Counts:
        """The sum over all lines."""
        total = Counts()
        for _, counts in self.lines:
            total = total + counts
        return total

    def at(self, place: Place) -> Counts:
        """What one line did; zeros where it did nothing."""
        return dict(self.lines).get(place, Counts())


def _shown(indices: tuple[int, int, int]) -> str:
    """Indices (x, y, z) without the trailing zeros: 3 or (3, 1)."""
    used = indices[: max((i + 1 for i, index in enumerate(indices) if index), default=1)]
    return str(used[0]) if len(used) == 1 else f"({', '.join(map(str, used))})"
