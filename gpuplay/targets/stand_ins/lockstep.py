"""The target ``lockstep``: CUDA variants on gpuplay's own machine, checked and counted, never timed.

It runs in any process whose Numba is not the simulator. Array elements that were poisoned are unset
to the machine: a thread that reads one before a thread has written it is at fault.
"""

from __future__ import annotations

import functools
import inspect
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gpuplay import paths
from gpuplay.catalog.fingerprint import package_hash
from gpuplay.errors import GpuplayError
from gpuplay.targets import presence
from gpuplay.targets.cuda import tensor_maps
from gpuplay.targets.stand_ins.hosted import HostedGpu, HostedTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.lockstep.machine import LockstepMachine
    from gpuplay.lockstep.record import Report
    from gpuplay.machine.limits import Dims
    from gpuplay.machine.model import GpuModel
    from gpuplay.targets.base import Call

KEPT_CACHES = 3  # states of gpuplay's sources: a user has one, who works on gpuplay several


class LockstepTarget(HostedTarget):
    """The lockstep machine. With ``keep_going`` a check that fires is in the report, and the run goes on.

    ``check_types`` compares every value's dtype with the one that Numba infers (AssertionError). While ``last_first``
    is set, calls serve atomics in the other order.
    """

    name = "lockstep"

    def __init__(self, *, keep_going: bool = False, check_types: bool = False) -> None:
        self._options = {"keep_going": keep_going, "check_types": check_types}
        self.last_first = False
        self._latest: LockstepGpu | None = None
        self._unset: dict[tuple[int, int], weakref.ref[NDArray[Any]]] = {}
        self._machine: LockstepMachine | None = None

    @property
    def report(self) -> Report:
        """What the machine saw in the latest call."""
        if self._machine is None:
            raise GpuplayError("the lockstep machine has run nothing yet")
        return self._machine.report

    @property
    def idle(self) -> bool:
        """Whether the latest call asked the GPU for nothing: no launch, no copy, no fill."""
        return not (self.report.launches or (self._latest and self._latest.moved))

    def why_not(self) -> str:
        """Why the machine cannot run in this process."""
        return presence.simulated()

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array; they count as written."""
        super().write(flat, start, values)
        self._unset.pop(_window(flat[start : start + values.size]), None)

    def unset(self, flat: Any, start: int, count: int) -> None:
        """From the next call on, these elements are unset until a thread writes them."""
        unset, window = self._unset, _window(flat[start : start + count])
        unset[window] = weakref.ref(_owner(flat), lambda _: unset.pop(window, None))  # another may lie there next

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `LockstepGpu` before its arrays, on a new machine at each call."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        machines = _machines()

        def call() -> object:
            model = self.gpu()
            machine = self._machine = machines(model, **self._options, last_first=self.last_first)
            for array in arrays:
                if isinstance(array, np.ndarray) and array.size and _window(array) in self._unset:
                    machine.mark_unset(array)
            self._latest = LockstepGpu(model, machine)
            with _only_through_gpu():
                return run(self._latest, *arrays)

        return call


class LockstepGpu(HostedGpu):
    """Launches on the lockstep machine; ``moved`` once it filled or copied an array."""

    moved = False

    def __init__(self, properties: GpuModel, machine: LockstepMachine) -> None:
        super().__init__(properties)
        self._machine = machine

    def fill(self, array: Any, value: float) -> None:
        """Set every element of an array."""
        super().fill(array, value)
        self._machine.mark_copied(array)
        self.moved = True

    def copy(self, destination: Any, source: Any) -> None:
        """Copy one array into another of the same shape and dtype; what was unset there is unset here."""
        super().copy(destination, source)
        self._machine.mark_copied(destination, source)
        self.moved = True

    def tensor_map(self, array: Any, box: tensor_maps.Box) -> Any:
        """A description that stands for the matrix and the box wherever it is passed."""
        described = super().tensor_map(array, box)
        self._machine.describe(described, array, box)
        return described

    def _take(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        self._machine.launch(function, grid, block, *args, shared=shared)


@functools.cache
def _machines() -> type[LockstepMachine]:
    """The machine's class. Its compiled helpers are cached by gpuplay's sources alone, not anew for every kernel's."""
    from numba.core import config

    of_kernel = config.CACHE_DIR
    if of_kernel:
        config.CACHE_DIR = str(paths.kept_folder("lockstep", package_hash(), KEPT_CACHES))
    try:
        from gpuplay.lockstep.machine import LockstepMachine
    finally:
        config.CACHE_DIR = of_kernel
    return LockstepMachine


@contextmanager
def _only_through_gpu() -> Iterator[None]:
    """Refuse Numba's own launches: the machine would not see them, and where there is a GPU they would run on it."""
    from numba.cuda.dispatcher import CUDADispatcher

    ways = {way: vars(CUDADispatcher)[way] for way in ("__getitem__", "__call__", "call", "forall")}
    for way in ways:
        setattr(CUDADispatcher, way, _refuse_launch)
    try:
        yield
    finally:
        for way, own in ways.items():
            setattr(CUDADispatcher, way, own)


def _refuse_launch(function: Any, *_args: Any, **_more: Any) -> NoReturn:
    """What a GPU function does in a run that launches it by itself."""
    frames = (frame for frame, _ in traceback.walk_stack(inspect.currentframe()))
    known = (frame for frame in frames if not frame.f_globals.get("__name__", "").startswith((__name__, "numba.")))
    place, name = next(known), function.__name__
    raise GpuplayError(
        f"{name} is launched directly ({Path(place.f_code.co_filename).name}:{place.f_lineno}); "
        f"launch through gpu.launch({name}, grid, block, …)"
    )


def _owner(array: NDArray[Any]) -> NDArray[Any]:
    """The array that holds the storage of a window, and lives as long as any of its windows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _window(array: NDArray[Any]) -> tuple[int, int]:
    """Where the elements of a contiguous array lie: its address, its bytes."""
    return array.ctypes.data, array.nbytes
