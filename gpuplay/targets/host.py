"""Targets on the host: interpreted Python over lists, NumPy, and Numba on the host's cores.

All arrays start on a 256-byte boundary and have had every page touched. Time is wall-clock time
around a plain loop of calls.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError, KernelFileError
from gpuplay.targets.base import Defaults

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.targets.base import Call

ALIGNMENT = 256  # bytes
USUAL_CACHE = 128 << 20  # bytes; no smaller cache needs to be known


class HostTarget(Defaults):
    """What the targets on the host share: arrays in this process' memory, and a wall clock.

    ``cache_bytes`` are those of the largest cache, which `cold_seconds` flushes.
    """

    name: str
    cache_bytes = USUAL_CACHE

    def flat(self, count: int, dtype: str) -> NDArray[Any]:
        """A new one-dimensional array of zeros that starts on a 256-byte boundary, all its pages touched."""
        nbytes = count * np.dtype(dtype).itemsize
        raw = np.empty(nbytes + ALIGNMENT, dtype=np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        flat: NDArray[Any] = raw[start : start + nbytes].view(dtype)
        flat.fill(0)
        return flat

    def view(self, flat: Any, start: int, shape: tuple[int, ...]) -> Any:
        """A C-contiguous window of ``shape`` into a flat array, from element ``start``."""
        return flat[start : start + math.prod(shape)].reshape(shape)

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array, from element ``start``."""
        self.settle()
        flat[start : start + values.size] = values.reshape(-1)

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A copy of ``count`` elements of a flat array."""
        self.settle()
        copied: NDArray[Any] = flat[start : start + count].copy()
        return copied

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with its arrays; nothing but the run itself is left to be called."""
        return functools.partial(run, *arrays)

    def finish(self) -> None:
        """Bring what a call left elsewhere into the arrays; it returned when it was done."""
        self.settle()

    def seconds(self, call: Call, loops: int) -> float:
        """Wall-clock seconds that ``loops`` calls take together."""
        repeats = range(loops)
        start = time.perf_counter()
        for _ in repeats:
            call()
        return time.perf_counter() - start

    def cold_seconds(self, call: Call, loops: int) -> float:
        """The same, each call after a buffer of twice ``cache_bytes`` was written."""
        total = 0.0
        for _ in range(loops):
            np.add(self._flushed, 1.0, out=self._flushed)
            total += self.seconds(call, 1)
        return total

    @functools.cached_property
    def _flushed(self) -> NDArray[Any]:
        return np.zeros(2 * self.cache_bytes // 8)


class NumpyTarget(HostTarget):
    """Library calls through NumPy, with the threads of its BLAS."""

    name = "numpy"

    def use_threads(self, threads: int) -> None:
        """Set the number of threads of every BLAS that this process has loaded."""
        self._pools.limit(limits=threads, user_api="blas")

    @functools.cached_property
    def _pools(self) -> Any:
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController()


class CpuTarget(HostTarget):
    """Functions that Numba compiles for the host's cores."""

    name = "cpu"

    def use_threads(self, threads: int) -> None:
        """Set the number of threads of ``prange``; GpuplayError above the number Numba started with."""
        import numba

        most = int(numba.config.NUMBA_NUM_THREADS)
        if threads > most:
            raise GpuplayError(f"{threads} threads: Numba has {most} here; ask for at most --threads {most}")
        numba.set_num_threads(threads)


class PythonTarget(HostTarget):
    """Interpreted loops over nested lists of Python numbers.

    The NumPy arrays stay the truth: lists are made of them before the first call after a change,
    outside the timed calls, and `settle` writes every list back, inputs too, so that verification
    sees what the run did to them. Between calls an element is a Python float, in double precision.
    """

    name = "python"
    keeps_bits = False  # a signalling NaN on its way through a Python float is quiet

    def __init__(self) -> None:
        self._changes = 0
        self._unsaved: _ListCall | None = None

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array; lists made before are made anew."""
        self.settle()
        self._changes += 1
        super().write(flat, start, values)

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on lists of the arrays' values."""
        return _ListCall(self, run, arrays)

    def settle(self) -> None:
        """Write the lists of the last runs back into their arrays."""
        call, self._unsaved = self._unsaved, None
        if call is not None:
            call.save()
            self._changes += 1
            call.loaded_at = self._changes

    def seconds(self, call: Call, loops: int) -> float:
        """Wall-clock seconds of the calls, without the making of lists."""
        return super().seconds(call.ready() if isinstance(call, _ListCall) else call, loops)

    def prepare(self, call: _ListCall) -> None:
        """Bring a call's lists up to date with its arrays, and remember that they will need saving."""
        if self._unsaved is not call:
            self.settle()
        if call.loaded_at != self._changes:
            call.load()
            call.loaded_at = self._changes
        self._unsaved = call


class _ListCall:
    """A run bound to lists; callable, and able to load and save those lists."""

    def __init__(self, target: PythonTarget, run: Callable[..., object], arrays: Sequence[Any]) -> None:
        self._target = target
        self._run = run
        self._arrays = arrays
        self._lists: list[Any] = []
        self.loaded_at = -1

    def __call__(self) -> object:
        return self.ready()()

    def ready(self) -> Call:
        """The run on lists that are up to date, with no more to be done before it."""
        self._target.prepare(self)
        return functools.partial(self._run, *self._lists)

    def load(self) -> None:
        """Make the lists from the arrays; a NumPy scalar becomes a Python number."""
        self._lists = [array.tolist() for array in self._arrays]

    def save(self) -> None:
        """Write the lists back; KernelFileError where the run left another shape or no numbers."""
        for position, (array, values) in enumerate(zip(self._arrays, self._lists, strict=True)):
            if not isinstance(array, np.ndarray):
                continue
            try:
                with np.errstate(over="ignore"):
                    saved = np.asarray(values, dtype=array.dtype)
            except (TypeError, ValueError) as error:
                raise KernelFileError(f"argument {position}: the run left no {array.dtype} array: {error}") from error
            if saved.shape != array.shape:
                raise KernelFileError(
                    f"argument {position}: the run left shape {saved.shape}; the array has {array.shape}"
                )
            array[...] = saved
