"""A worker process: takes tasks from its standard input, one at a time, and sends back what came of them.

The parent sets the environment before the interpreter starts, since Numba reads it on import. File
descriptors 1 and 2 end in a log that the parent can quote; the replies have a descriptor of their own.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gpuplay.catalog.load import Loaded, load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.errors import GpuplayError
from gpuplay.kernel import Kernel, Problem, without_functions
from gpuplay.machine.gpu import FoundGpu
from gpuplay.machine.model import Machine
from gpuplay.plan.cells import Plan, PlannedCell
from gpuplay.plan.make import make_plan
from gpuplay.plan.request import Request
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.results.result import ErrorReport
from gpuplay.targets import presence
from gpuplay.workers.messages import one_line
from gpuplay.workers.tasks import Failure, Task, Tasks, done

if TYPE_CHECKING:
    from gpuplay.measure.bench import Bench
    from gpuplay.measure.stepping import Stepper
    from gpuplay.results.compiled import Compiled
    from gpuplay.results.turns import BuiltCell, Explained, Stepped, Turn

PARENT_DEATH_SIGNAL = 1  # prctl option PR_SET_PDEATHSIG of Linux


@dataclass
class Desk:
    """The `Tasks` as a worker does them, with what it keeps between them."""

    loaded: Loaded | None = None
    settings: Settings | None = None
    bench: Bench | None = None
    stepper: Stepper | None = None

    def check_bounds(self) -> None:
        """Compile every host function with a check of all indices from now on."""
        from gpuplay.measure import bounds_check

        bounds_check.install()

    def take_turns(self) -> None:
        """Let parallel loops tell their turns from now on."""
        from gpuplay.targets.stand_ins import turns

        turns.install()

    def load(self, origin: Origin) -> Kernel:
        """Load a declaration and send it back as plain data."""
        if origin.kind == "file" and _names_cuda(Path(origin.path)) and presence.why_not():
            from gpuplay.lockstep.front import signatures

            signatures.put_off()
        self.loaded = load_kernel(origin)
        return without_functions(self.loaded.kernel)

    def plan(self, request: Request, machine: Machine) -> Plan:
        """Evaluate sizes, costs and constraints of the loaded kernel."""
        assert self.loaded is not None
        return make_plan(self.loaded, request, machine)

    def open(self, settings: Settings) -> None:
        """Begin to measure the loaded kernel."""
        from gpuplay.measure import cache_keys
        from gpuplay.measure.bench import Bench
        from gpuplay.measure.stepping import Stepper

        cache_keys.install()
        assert self.loaded is not None
        self.settings = settings
        self.bench = Bench(self.loaded, settings)
        self.stepper = Stepper(self.loaded, settings)

    def build(self, cell: Cell) -> BuiltCell:
        """Build and verify a cell."""
        assert self.bench is not None
        return self.bench.build(cell)

    def turn(self, cell: Cell, budget_s: float, fewest: int, *, last: bool) -> Turn:
        """Take one block of samples."""
        assert self.bench is not None
        return self.bench.turn(cell, budget_s, fewest, last=last)

    def verify_again(self, cell: Cell) -> tuple[str, ErrorReport]:
        """Run a cell once more and judge its outputs."""
        assert self.bench is not None
        return self.bench.verify_again(cell)

    def out_of_bounds(self, cell: Cell) -> str:
        """Run a cell once: what was outside of an array, or ''."""
        assert self.bench is not None
        return self.bench.out_of_bounds(cell)

    def meeting(self, cell: Cell) -> str:
        """Run a cell once, turn by turn: which turns meet, or ''."""
        from gpuplay.measure.turn_taking import meeting

        assert self.loaded is not None
        assert self.settings is not None
        return meeting(self.loaded, cell, self.settings)

    def forecast(self, cell: Cell, limit_s: float) -> float:
        """Predict the seconds of one call from smaller problems."""
        assert self.bench is not None
        return self.bench.forecast(cell, limit_s)

    def step(self, cell: Cell) -> Stepped:
        """Verify a CUDA variant's cell on the lockstep machine."""
        assert self.stepper is not None
        return self.stepper.step(cell)

    def step_small(self, cell: Cell) -> Stepped:
        """Verify a CUDA variant on the lockstep machine at small sizes."""
        assert self.stepper is not None
        return self.stepper.step_small(cell)

    def launch_refusal(self, cell: Cell) -> str:
        """The limit that a launch of a CUDA variant's cell exceeds, or ''; nothing is run."""
        assert self.stepper is not None
        return self.stepper.refusal(cell)

    def explain(self, planned: PlannedCell, seed: int, limit_s: float) -> Explained:
        """Run a cell's CUDA variant once on the lockstep machine: what it counted, and the verdict."""
        from gpuplay.measure.explaining import explain

        assert self.loaded is not None
        return explain(self.loaded, planned, seed, limit_s)

    def inspect_gpu(self, cell: Cell, capability: tuple[int, int], want: str) -> Compiled:
        """Compile a CUDA variant for a capability, without a GPU."""
        from gpuplay.measure.inspecting import compiled_for

        assert self.loaded is not None
        return compiled_for(self.loaded, cell, capability, want=want)

    def inspect_host(self, cell: Cell, seed: int) -> Compiled:
        """Compile a CPU variant by one call, as the first task that compiles in this process."""
        from gpuplay.measure.inspecting import compiled_here

        assert self.loaded is not None
        return compiled_here(self.loaded, cell, seed)

    def constants(self) -> str:
        """A hash of the constants in a user's file and its neighbours; '' if bundled."""
        from gpuplay.measure.cache_keys import constants

        assert self.loaded is not None
        origin = self.loaded.origin
        return constants(Path(origin.path).parent) if origin.kind == "file" else ""

    def drop(self, problem: Problem) -> None:
        """Forget a problem's arrays and cells."""
        assert self.bench is not None
        assert self.stepper is not None
        self.bench.drop(problem)
        self.stepper.drop(problem)

    def facts(self) -> dict[str, Any]:
        """Versions and threads of the libraries as this process sees them."""
        from gpuplay.measure.libraries import worker_facts

        return worker_facts()

    def roofs(self) -> dict[str, Any]:
        """Measure the attainable rates of this machine's cores."""
        from gpuplay.measure.probes import host_roofs

        return host_roofs()

    def gpu_roofs(self, device: int) -> dict[str, Any]:
        """Measure the attainable rates of a GPU."""
        from gpuplay.measure import gpu_probes
        from gpuplay.targets import open_target

        return gpu_probes.probe(open_target("cuda", device))

    def gpu(self, device: int) -> FoundGpu:
        """What stands behind the CUDA target: properties and facts, or the reason why there is none."""
        from gpuplay.targets.cuda.target import CudaTarget

        target = CudaTarget(device)
        reason = target.why_not_in_worker()
        return FoundGpu(reason) if reason else FoundGpu("", target.gpu(), target.facts())


def _names_cuda(path: Path) -> bool:
    """Whether a kernel's file may have GPU functions: Numba's CUDA side takes long to import."""
    try:
        return b"cuda" in path.read_bytes()
    except OSError:
        return False


def serve(tasks: BinaryIO, replies: BinaryIO) -> None:
    """Answer tasks until the parent closes the pipe."""
    desk: Tasks = Desk()
    while True:
        try:
            task: Task = pickle.load(tasks)  # noqa: S301 - our own parent process writes it
        except EOFError:
            return
        pickle.dump(_answer(desk, task), replies)
        replies.flush()


def _answer(desk: Tasks, task: Task) -> object:
    try:
        return done(desk, task)
    except GpuplayError as error:
        return Failure(str(error), traceback.format_exc(), error)
    except SystemExit as error:
        return Failure(f"calls sys.exit({error.code!r})", traceback.format_exc())
    except BaseException as error:  # noqa: BLE001 - whatever a kernel raises is data here
        return Failure(one_line(error), traceback.format_exc())


def _die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent dies: a nopython loop would never see a closed pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def main() -> None:
    """Take over the pipes that the parent opened, leave 0, 1 and 2 to the kernels, and serve."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(tasks, replies)
