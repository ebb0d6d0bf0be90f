"""The lockstep machine: launches GPU functions on NumPy arrays, checks every access, counts what it would cost.

SIMT taken literally: every value is a vector over the threads of a batch of blocks, branches split a mask,
loops go round until no lane is active. No clocks, no caches, no occupancy: it never yields a time.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.errors import LockstepFault
from gpuplay.lockstep.execution.batch import Batch
from gpuplay.lockstep.execution.counting import Counters
from gpuplay.lockstep.execution.engine import Engine, Stuck
from gpuplay.lockstep.execution.faults.launches import refused
from gpuplay.lockstep.execution.launch import MOST_PRINTED, LaunchState
from gpuplay.lockstep.execution.program import Program, SharedArray
from gpuplay.lockstep.front.identity import changed, meaning
from gpuplay.lockstep.front.inference import types_of
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.host_memory import GlobalMemory
from gpuplay.lockstep.memory.values import BoxView, View
from gpuplay.lockstep.record import Fault, LaunchedFunction, Note, Report, Source
from gpuplay.lockstep.translate.functions import translate
from gpuplay.machine.limits import Dims, dims
from gpuplay.machine.model import GpuModel

BATCH_LANES = 32 * 1024  # the vectors of a batch and of its shadow then fit in the L2 and L3 cache
SHARED_ALIGNMENT = 256

_PROGRAMS: dict[Any, Program] = {}
_FIRST: WeakKeyDictionary[Any, dict[Hashable, Hashable]] = WeakKeyDictionary()  # what each function first meant


class LockstepMachine:
    """Executes launches; ``report`` has what all of them did.

    ``launch`` raises `LockstepFault` at the end of a launch in which a check fired, unless
    ``keep_going``: then out-of-bounds loads give 0, stores there do not happen, and the faults are in
    the report. ``check_types`` compares the dtype of every variable with the inferred one (AssertionError).
    ``last_first`` serves atomics in the other order: outputs that differ depend on what a GPU leaves open.
    """

    def __init__(
        self,
        model: GpuModel | None = None,
        *,
        keep_going: bool = False,
        check_types: bool = False,
        last_first: bool = False,
    ) -> None:
        self.model = model or GpuModel()
        self.keep_going, self.check_types, self.last_first = keep_going, check_types, last_first
        self._memory = GlobalMemory()
        self._described: dict[int, tuple[Any, Any, tuple[int, int]]] = {}
        self._counters = Counters()
        self._faults: list[Fault] = []
        self._notes: dict[Note, None] = {}
        self._printed: list[str] = []
        self._lines_printed = 0
        self._sources: dict[Source, None] = {}
        self._launches: Counter[LaunchedFunction] = Counter()

    def mark_unset(self, array: Any) -> None:
        """Reading an element of this NumPy array before a thread wrote it is a fault from now on."""
        self._memory.mark_unset(array)

    def mark_copied(self, array: Any, source: Any = None) -> None:
        """The host filled this NumPy array, or copied a source into it: what was unset there is unset here."""
        self._memory.mark_copied(array, source)

    def describe(self, described: Any, matrix: Any, box: tuple[int, int]) -> None:
        """From now on the array ``described``, where a launch gets it, stands for boxes of this matrix."""
        self._described[described.ctypes.data] = described, matrix, box

    def launch(self, function: Any, grid: Any, block: Any, *args: Any, shared: int = 0) -> None:
        """Run all threads of ``grid`` blocks of ``block`` threads; ``shared`` is bytes of dynamic shared memory."""
        blocks, threads = dims("grid", grid), dims("block", block)
        program = _program(function, args)
        self._refuse(function, program, blocks, threads, shared)
        launch = LaunchState(program, blocks, threads, shared, self.check_types, self.last_first)
        with np.errstate(all="ignore"):
            _run(launch, self._bind(program, args))
        self._record(launch, LaunchedFunction(_name(function), blocks, threads, shared + program.static_bytes))
        faults = tuple(launch.faults.values())
        self._faults += faults
        if faults and not self.keep_going:
            raise LockstepFault(faults)

    @property
    def report(self) -> Report:
        """All that was seen so far."""
        launches = tuple(replace(launch, times=times) for launch, times in self._launches.items())
        return Report(
            launches=launches,
            sources=tuple(self._sources),
            lines=self._counters.lines,
            maps=self._counters.maps,
            faults=tuple(self._faults),
            notes=tuple(self._notes),
            printed=tuple(self._printed[:MOST_PRINTED]),
            lines_printed=self._lines_printed,
        )

    def _refuse(self, function: Any, program: Program, grid: Dims, block: Dims, shared: int) -> None:
        """Raise LockstepFault, naming the limit, where the model GPU could not take the launch."""
        fault = refused(self.model, function, program, grid, block, shared)
        if fault is not None:
            self._faults.append(fault)
            raise LockstepFault((fault,))

    def _bind(self, program: Program, args: tuple[Any, ...]) -> list[Any]:
        """The initial slots, arguments in place; what is watched for races is what the program writes."""
        slots = list(program.initial)
        touched: dict[Allocation, set[str]] = {}
        for slot, value in zip(program.arguments, args, strict=True):
            name = program.names[slot]
            slots[slot] = self._argument(value, program.dtypes[slot], name)
            for view in _views(slots[slot]):
                touched.setdefault(view.memory, set()).update(program.touched.get(slot, ()))
        for memory, actions in touched.items():
            memory.watch(loads="load" in actions, stores="store" in actions, atomics="atomic" in actions)
        return slots

    def _argument(self, value: Any, dtype: Any, name: str) -> Any:
        """An argument as the value of a slot."""
        if isinstance(value, np.ndarray) and value.ctypes.data in self._described:
            _, matrix, box = self._described[value.ctypes.data]
            return BoxView(**vars(self._memory.view(value, name)), matrix=self._memory.view(matrix, name), box=box)
        if isinstance(value, np.ndarray):
            return self._memory.view(value, name)
        if isinstance(value, np.void):
            raise GpuplayError(f"argument {name}: a record by itself is not covered; pass the array and an index")
        if isinstance(value, tuple):
            return tuple(self._argument(item, None, name) for item in value)
        return np.asarray(value, dtype)[()]

    def _record(self, state: LaunchState, launch: LaunchedFunction) -> None:
        self._launches[launch] += 1
        self._notes.update(dict.fromkeys((*state.program.notes, *state.notes.values())))
        self._sources.update(dict.fromkeys(state.program.sources))
        self._printed += state.printed
        self._lines_printed += state.lines_printed
        self._counters.add(state.program, state.tally)


def _run(launch: LaunchState, slots: list[Any]) -> None:
    """Execute all blocks, batch after batch, until one has a fault that no thread gets past."""
    program, width = launch.program, launch.order.width
    together = width * program.cluster
    per_batch = launch.blocks if program.cooperative else max(1, BATCH_LANES // together) * program.cluster
    with contextlib.suppress(Stuck):
        for first in range(0, launch.blocks, per_batch):
            blocks = min(per_batch, launch.blocks - first)
            shared = [_shared(array, blocks, launch.dynamic_bytes) for array in program.shared]
            own = [_local(array, blocks * width) for array in program.locals]
            Engine(Batch(launch, first, blocks, list(slots), shared, own)).run()


def _program(function: Any, args: tuple[Any, ...]) -> Program:
    """The translated function for these argument types, kept for later launches."""
    if not hasattr(function, "py_func"):
        raise GpuplayError(f"launch: {_name(function)} is no GPU function; decorate it with @cuda.jit")
    types = types_of(function, args)
    key = meaning(function.py_func), types
    _refuse_change(function, *key)
    if key not in _PROGRAMS:
        _PROGRAMS[key] = translate(function.py_func, types)
    return _PROGRAMS[key]


def _refuse_change(function: Any, means: Hashable, types: Hashable) -> None:
    """GpuplayError where a global was set anew since the function was first launched with these types.

    A GPU would go on with the code that it compiled then.
    """
    first = _FIRST.setdefault(function, {}).setdefault(types, means)
    if first != means and (differs := changed(first, means)):
        name, was, now = differs
        raise GpuplayError(
            f"{_name(function)} reads the global {name}, which was {was} when it was compiled and is {now} now: a GPU "
            f"goes on with {was}, since Numba reads globals once; define the function in the builder, or pass {name}"
        )


def _views(value: Any) -> Iterator[View]:
    """The windows that an argument brings."""
    if isinstance(value, View):
        yield value
        if isinstance(value, BoxView):
            yield value.matrix
    elif isinstance(value, tuple):
        for item in value:
            yield from _views(item)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", "GPU function"))


def _shared(array: SharedArray, blocks: int, dynamic: int) -> Allocation:
    """A shared array of every block of a batch, each part aligned so that it begins at bank 0."""
    nbytes = array.count * array.dtype.itemsize or dynamic
    period = max(-(-nbytes // SHARED_ALIGNMENT), 1) * SHARED_ALIGNMENT
    memory = Allocation(array.name, "shared", np.zeros(blocks * period, np.uint8), array.dtype.itemsize)
    memory.period, memory.alignment = period, array.alignment
    memory.watch(loads=True, stores=True, atomics=array.updated)
    memory.track_unset(nbytes)
    return memory


def _local(array: SharedArray, lanes: int) -> Allocation:
    """A local array of every lane of a batch."""
    period = array.count * array.dtype.itemsize
    memory = Allocation(array.name, "local", np.zeros(lanes * period, np.uint8), array.dtype.itemsize)
    memory.period = period
    memory.track_unset()
    return memory
