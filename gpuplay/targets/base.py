"""What a target does: hold arrays, run, tell time; what it may leave to `Defaults`.

A new target is a row (`gpuplay.kinds.kind.Kind`) and one file: a class that has what `Arrays` and `Clock` ask for. One
in the memory of this process takes both from `gpuplay.targets.host.HostTarget`, and may be two lines long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.machine.model import GpuModel
    from gpuplay.results.telemetry import Telemetry

Call: TypeAlias = Callable[[], object]


class Arrays(Protocol):
    """Arrays where the target computes, and runs bound to them."""

    def flat(self, count: int, dtype: str) -> Any:
        """A new one-dimensional array on the target, its start aligned to 256 bytes."""

    def view(self, flat: Any, start: int, shape: tuple[int, ...]) -> Any:
        """A C-contiguous window of ``shape`` into a flat array, from element ``start``."""

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array, from element ``start``; done when it returns."""

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A host copy of ``count`` elements of a flat array."""

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """A function without arguments that runs once; it may return before the work is done."""

    def finish(self) -> None:
        """Wait until all work given to the target is done."""


class Clock(Protocol):
    """The target's own time of a call."""

    def seconds(self, call: Call, loops: int) -> float:
        """Seconds that ``loops`` calls take on the target, without host overhead where it can tell."""

    def cold_seconds(self, call: Call, loops: int) -> float:
        """The same with the caches flushed before each of the calls; the flushing is not counted."""


class Target(Arrays, Clock, Protocol):
    """A place where variants run. Everything but ``why_not`` may import numba, hence runs in a worker."""

    name: str
    keeps_bits: bool  # whether an element that no run touches is read as it was written, to the bit

    def why_not(self) -> str:
        """An empty string where the target can run, else one line that says why not and what mends it."""

    def gpu(self) -> GpuModel | None:
        """The properties of the GPU behind the target; None for targets on the host."""

    def use_threads(self, threads: int) -> None:
        """Let the next calls run on this many host threads."""

    def unset(self, flat: Any, start: int, count: int) -> None:
        """Elements that hold poison now: a target that sees every access reports who reads them unwritten."""

    def wait(self) -> None:
        """Wait until all work given to the target is done, and do nothing else."""

    def queued(self, call: Call) -> Call:
        """What is timed for a call: the call itself, or what stands for it on the target."""

    def remark(self, call: Call) -> str:
        """What makes the times of a call less than was asked for, in a line; '' where nothing."""

    def watch(self, call: Call, call_s: float, span_s: float, *, energy: bool = False) -> Telemetry | None:
        """What the GPU says of itself at work on calls of ``call_s`` for about ``span_s``, energy if asked for.

        None where nothing is known.
        """

    def algorithm(self, call: Call) -> str:
        """What a library's call really ran, where it can be found out; else ''."""


class Defaults:
    """What a target answers that is always here, has no GPU and no sensors, and runs calls as they are given."""

    keeps_bits = True

    def why_not(self) -> str:
        """Nothing keeps it from running."""
        return ""

    def gpu(self) -> GpuModel | None:
        """There is no GPU behind it."""
        return None

    def use_threads(self, threads: int) -> None:
        """One thread is all there is."""

    def unset(self, flat: Any, start: int, count: int) -> None:
        """Nothing to be done: the poison itself is what shows."""

    def settle(self) -> None:
        """Nothing to be done: calls leave what they made in the arrays, which may be read and written at once."""

    def wait(self) -> None:
        """Nothing is left to wait for."""

    def queued(self, call: Call) -> Call:
        """The call itself."""
        return call

    def remark(self, call: Call) -> str:  # noqa: ARG002 - a name of the protocol's
        """Nothing is done otherwise than asked."""
        return ""

    def watch(self, call: Call, call_s: float, span_s: float, *, energy: bool = False) -> Telemetry | None:  # noqa: ARG002
        """There is nothing to watch."""
        return None

    def algorithm(self, call: Call) -> str:  # noqa: ARG002
        """What a library calls is named by the kernel's declaration."""
        return ""
