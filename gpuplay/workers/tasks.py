"""The border between the main process and a worker: what may be asked, and how it is sent.

The worker's desk implements `Tasks`, and `sent` is what the main process calls in its place: a type checker sees the
same arguments and results on both sides. Nowhere else is a task a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from gpuplay.errors import GpuplayError

if TYPE_CHECKING:
    from gpuplay.catalog.origin import Origin
    from gpuplay.kernel import Kernel, Problem
    from gpuplay.machine.gpu import FoundGpu
    from gpuplay.machine.model import Machine
    from gpuplay.plan.cells import Plan, PlannedCell
    from gpuplay.plan.request import Request
    from gpuplay.plan.settings import Settings
    from gpuplay.results.cell import Cell
    from gpuplay.results.compiled import Compiled
    from gpuplay.results.result import ErrorReport
    from gpuplay.results.turns import BuiltCell, Explained, Stepped, Turn


class Tasks(Protocol):
    """What a worker does when it is asked."""

    def check_bounds(self) -> None:
        """Compile every host function with a check of all indices from now on; before anything is loaded."""

    def take_turns(self) -> None:
        """Let parallel loops tell their turns from now on, where nothing is compiled; before anything is loaded."""

    def load(self, origin: Origin) -> Kernel:
        """Load a declaration and send it back as plain data; the first task of every other worker."""

    def plan(self, request: Request, machine: Machine) -> Plan:
        """Evaluate sizes, costs and constraints of the loaded kernel."""

    def open(self, settings: Settings) -> None:
        """Begin to measure the loaded kernel."""

    def build(self, cell: Cell) -> BuiltCell:
        """Build and verify a cell."""

    def turn(self, cell: Cell, budget_s: float, fewest: int, *, last: bool) -> Turn:
        """Take one block of samples."""

    def verify_again(self, cell: Cell) -> tuple[str, ErrorReport]:
        """Run a cell once more and judge its outputs."""

    def out_of_bounds(self, cell: Cell) -> str:
        """Run a cell once, in a worker that checks all indices: what was outside of an array, or ''."""

    def meeting(self, cell: Cell) -> str:
        """Run a cell once, in a worker that takes parallel loops turn by turn: which turns meet, or ''."""

    def forecast(self, cell: Cell, limit_s: float) -> float:
        """Predict the seconds of one call from smaller problems."""

    def step(self, cell: Cell) -> Stepped:
        """Verify a CUDA variant's cell on the lockstep machine."""

    def step_small(self, cell: Cell) -> Stepped:
        """Verify a CUDA variant on the lockstep machine at small sizes."""

    def launch_refusal(self, cell: Cell) -> str:
        """The limit that a launch of a CUDA variant's cell exceeds, or ''; nothing is run."""

    def explain(self, planned: PlannedCell, seed: int, limit_s: float) -> Explained:
        """Run a cell's CUDA variant once on the lockstep machine: what it counted, and the verdict."""

    def inspect_gpu(self, cell: Cell, capability: tuple[int, int], want: str) -> Compiled:
        """Compile a CUDA variant for a capability, without a GPU."""

    def inspect_host(self, cell: Cell, seed: int) -> Compiled:
        """Compile a CPU variant by one call, as the first task that compiles in this process."""

    def constants(self) -> str:
        """A hash of the constants in a user's file and its neighbours, which may come from anywhere; '' if bundled."""

    def drop(self, problem: Problem) -> None:
        """Forget a problem's arrays and cells."""

    def facts(self) -> dict[str, Any]:
        """Versions and threads of the libraries as the worker sees them."""

    def roofs(self) -> dict[str, Any]:
        """Measure the attainable rates of this machine's cores."""

    def gpu_roofs(self, device: int) -> dict[str, Any]:
        """Measure the attainable rates of a GPU."""

    def gpu(self, device: int) -> FoundGpu:
        """What stands behind the CUDA target: properties and facts, or the reason why there is none."""


@dataclass(frozen=True)
class Task:
    """A call of one of the `Tasks`, as it crosses the border."""

    name: str
    args: tuple[object, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """An exception as data: a kernel's error must never unwind the worker or the parent."""

    text: str
    trace: str
    error: GpuplayError | None = None


class TaskError(Exception):
    """A task raised inside the worker; the worker lives on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def sent(send: Callable[[Task], object]) -> Tasks:
    """The tasks of a worker, each of which ``send`` carries to it and waits for."""
    return cast("Tasks", _Sender(send))


def done(desk: Tasks, task: Task) -> object:
    """What comes of a task where it is done."""
    return getattr(desk, task.name)(*task.args, **task.options)


class _Sender:
    """Makes a `Task` of every call."""

    def __init__(self, send: Callable[[Task], object]) -> None:
        self._send = send

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*args: object, **options: object) -> object:
            return self._send(Task(name, args, options))

        return ask
