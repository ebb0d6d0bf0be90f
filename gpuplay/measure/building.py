"""A cell that was built: a variant bound to its arrays on a target, run under watch, and judged."""

from __future__ import annotations

import re
import time
import zlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.measure.data import Placed
from gpuplay.measure.problems import ProblemData
from gpuplay.measure.verify import Verdict
from gpuplay.measure.weights import PreparedWeights
from gpuplay.results.result import ErrorReport

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Probe, Problem, Variant
    from gpuplay.results.cell import Cell
    from gpuplay.targets.base import Call, Target


@dataclass
class Built:
    """A cell's call, its own arrays, and the loops of a sample."""

    cell: Cell
    data: ProblemData
    call: Call
    own: list[Placed]
    prepared: PreparedWeights | None
    may_fail: tuple[str, ...] = ()
    call_s: float = 0.0
    loops: int = 0
    shortfalls: tuple[str, ...] = ()
    returns: bool = False

    def run_once(self, queued: Call | None = None) -> float:
        """Poison outputs and workspaces, restore what a run writes, and run once; seconds of the call.

        ``queued`` is what stands for the call where it is timed, such as the replay of its graph.
        """
        self.data.poison_outputs()
        for space in self.own:
            space.poison()
        began = time.perf_counter()
        returned = (queued or self.call)()
        self.data.target.finish()
        took = time.perf_counter() - began
        self.returns = returned is not None
        return took

    def draw_guards(self) -> None:
        """Put other bits around all arrays of the call."""
        self.data.draw_guards()
        for space in self.own:
            space.draw_guards()
        if self.prepared:
            self.prepared.draw_guards()

    def verdict(self, probe: Probe | None = None) -> Verdict:
        """Judge what a call left in the problem's arrays, in its workspaces and in its prepared weights."""
        if fouled := self._foul_of_own():
            return Verdict(ErrorReport(None, None, None), fouled, foul=True)
        verdict = self.data.verdict(self.cell, probe)
        if self.returns and "was written" in verdict.reason:
            return replace(
                verdict, reason=f"{verdict.reason}; run returns a value, which nobody takes: write to the output"
            )
        return verdict

    def verdict_on_probes(self) -> Verdict | None:
        """The verdict on the first probe whose outputs are wrong, or None; the ordinary inputs are back then.

        Of probes that the variant may fail, those that it does fail become its ``shortfalls``.
        """
        self.shortfalls = ()
        for probe in self.data.probes():
            self._renew()
            self.run_once()
            verdict = self.verdict(probe)
            if verdict.reason and probe.name in self.may_fail and not self.foul():
                self.shortfalls += (probe.name,)
            elif verdict.reason:
                return Verdict(verdict.error, f"on {probe.name}: {verdict.reason}", foul=verdict.foul)
        self.data.restore()
        self._renew()
        return None

    def foul(self) -> str:
        """What the last calls broke besides their outputs; '' where nothing."""
        return self._foul_of_own() or self.data.foul()

    def _foul_of_own(self) -> str:
        """What the last calls broke around the workspaces or in the prepared weights; '' where nothing."""
        for space in self.own:
            if where := space.stray_write():
                space.draw_guards()
                return f"writes outside its workspace {space.array.name}, {where}"
        return self.prepared.foul() if self.prepared else ""

    def _renew(self) -> None:
        """Prepare the weights again, after other inputs took their place."""
        if self.prepared:
            self.prepared.renew()


def problem_data(loaded: Loaded, cell: Cell, target: Target, seed: int) -> ProblemData:
    """The arrays of a cell's problem on a target; a seed gives the same inputs on every target."""
    problem = loaded.kernel.problem(cell.size, **dict(cell.params))
    return ProblemData(loaded, problem, target, (seed, cell.size, zlib.crc32(repr(cell.params).encode())))


def build(loaded: Loaded, cell: Cell, data: ProblemData) -> Built:
    """Build a cell's variant and bind it to its arrays: prepared weights in the weights' place, workspaces last."""
    variant = loaded.kernel.variant(cell.variant)
    problem, knobs, target = data.problem, dict(cell.knobs), data.target
    run = _run_of(loaded, variant, problem, knobs, [array.name for array in data.arrays])
    spaces = loaded.resolve(variant.workspace)(problem, cell.choices) if variant.workspace else ()
    own = [Placed(target, array, problem.dtype) for array in spaces]
    prepared = None
    if variant.prepare:
        prepared = PreparedWeights(data, partial(loaded.resolve(variant.prepare), problem, **knobs))
    arguments = data.arguments(prepared.placed if prepared else None, variant) + [space.view for space in own]
    return Built(cell, data, target.bind(run, arguments), own, prepared, variant.may_fail)


def _run_of(loaded: Loaded, variant: Variant, problem: Problem, knobs: dict[str, int], arrays: list[str]) -> Any:
    """What a variant's builder returns: a run. GpuplayError in the words of the contract where it is none."""
    builder = loaded.resolve(variant.build)
    try:
        run = builder(problem, **knobs)
    except TypeError as error:
        if unknown := re.search(r"got an unexpected keyword argument '(\w+)'", str(error)):
            name = getattr(builder, "__name__", "builder")
            raise GpuplayError(
                f"the builder {name} takes no {unknown[1]!r}, which {variant.name} declares as a knob"
            ) from error
        raise
    if not callable(run):
        taken = ", ".join(["gpu"] * variant.kind.stepped + arrays)
        raise GpuplayError(
            f"the builder {getattr(builder, '__name__', '')} returned {run!r}; it has to return run({taken})"
        )
    return run
