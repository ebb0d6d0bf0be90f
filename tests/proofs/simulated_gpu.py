"""A target for tests, ``simulator``: CUDA variants on Numba's simulator, right or wrong, never timed.

A GPU thread is an operating-system thread there, so arrays must be small. The simulator is on only
where NUMBA_ENABLE_CUDASIM=1 was in the environment before numba was imported: a worker of its own,
which opens the target before it loads a kernel. It runs Python, so it knows no instructions below Numba's
vocabulary, but for the fast approximations, and none of a warp: a GPU function that uses `gpuplay.intrinsics.ptx`
or shuffles raises `BeyondSimulator`.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.targets.stand_ins.hosted import HostedGpu, HostedTarget

if TYPE_CHECKING:
    from gpuplay.machine.limits import Dims
    from gpuplay.targets.base import Call


_UNKNOWN = re.compile(r"\w+_sync|syncwarp|activemask|lanemask_lt|nanosleep|literal_unroll")  # of numba.cuda
COMPILER_OPTIONS = ("forceinline", "inline", "launch_bounds", "lineinfo", "lto", "max_registers", "cache")


class BeyondSimulator(GpuplayError):
    """A GPU function uses an instruction that the simulator does not know."""


class SimulatorTarget(HostedTarget):
    """Numba's simulator of CUDA, block after block."""

    name = "simulator"

    def __init__(self) -> None:
        if not self.why_not():
            _tolerate_compiler_options()
            _share_shared_arrays()

    def why_not(self) -> str:
        """Why this process cannot simulate."""
        on = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")
        return "" if on else "the simulator needs NUMBA_ENABLE_CUDASIM=1 before numba is imported"

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run with a `SimulatedGpu` before its arrays."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        return functools.partial(run, SimulatedGpu(self.gpu()), *arrays)


class SimulatedGpu(HostedGpu):
    """Launches on Numba's simulator."""

    def _take(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        for name in _unknown(function.fn, set()):
            raise BeyondSimulator(f"{function.__name__} uses {name}, which Numba's simulator does not know")
        function[grid, block, 0, shared](*args)


def _unknown(function: FunctionType, seen: set[FunctionType]) -> Iterator[str]:
    """Names of what the simulator cannot do, in a function and in the device functions that it calls."""
    if function in seen:
        return
    seen.add(function)
    yield from (name for name in function.__code__.co_names if _UNKNOWN.fullmatch(name))
    named = {name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__}
    captured = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    named |= {name: cell.cell_contents for name, cell in captured}
    for module in [value for value in named.values() if isinstance(value, ModuleType)]:
        named |= {name: getattr(module, name) for name in function.__code__.co_names if hasattr(module, name)}
    for name, value in named.items():
        if type(value).__name__ == "_Intrinsic":
            yield name
        elif isinstance(inner := getattr(value, "fn", None), FunctionType):
            yield from _unknown(inner, seen)


def _tolerate_compiler_options() -> None:
    """Let ``cuda.jit`` ignore options that only a compiler understands, where the simulator would raise."""
    from numba import cuda

    if hasattr(cuda.jit, "__wrapped__"):
        return
    simulated = cuda.jit

    @functools.wraps(simulated)
    def jit(*args: Any, **options: Any) -> Any:
        return simulated(*args, **{name: value for name, value in options.items() if name not in COMPILER_OPTIONS})

    cuda.jit = jit


def _share_shared_arrays() -> None:
    """Let all threads of a block get one array from a line with ``cuda.shared.array``.

    The simulator looks for the array that another thread made there and makes one where there is none, without a lock:
    a thread that is interrupted in between gives its block two arrays, each with what some of the threads wrote.
    """
    from numba.cuda.simulator import kernelapi

    kind = kernelapi.FakeCUDAShared
    if hasattr(kind.array, "__wrapped__"):
        return
    unguarded, lock = kind.array, threading.Lock()

    @functools.wraps(unguarded)
    def array(self: Any, *args: Any, **more: Any) -> Any:
        caller = sys._getframe(1)
        line = caller.f_code.co_filename, caller.f_lineno
        with lock:
            self._allocations = vars(self).setdefault("_by_line", {}).setdefault(line, {})
            return unguarded(self, *args, **more)

    kind.array = array
