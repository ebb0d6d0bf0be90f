"""The bench of one worker: builds cells, verifies them, and takes samples turn by turn.

State stays here between turns: arrays of the current problems, compiled variants, calibrated loops.
"""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from gpuplay.errors import OutOfBounds
from gpuplay.machine.describe import last_cache_bytes
from gpuplay.measure import timing
from gpuplay.measure.building import Built, build, problem_data
from gpuplay.measure.compiling import CompileClock
from gpuplay.measure.libraries import named
from gpuplay.measure.second_look import LOOKED_AT_BYTES, look_again
from gpuplay.results.turns import BuiltCell, Turn
from gpuplay.targets import open_target
from gpuplay.targets.host import HostTarget

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Problem, Variant
    from gpuplay.measure.problems import ProblemData
    from gpuplay.plan.settings import Settings
    from gpuplay.results.cell import Cell
    from gpuplay.results.result import ErrorReport
    from gpuplay.results.telemetry import Telemetry
    from gpuplay.targets.base import Target

PROBE_LIMIT_S = 0.5
LONG_CALL_S = 0.5
GLANCE_S = 5e-3  # of work behind a reading of the GPU's clocks after every turn
ENERGY_SPAN_S = 0.15  # the driver counts energy some ten times a second
PROBE_WORK = 1e6


class Bench:
    """Measures the cells of one kernel in this process."""

    def __init__(self, loaded: Loaded, settings: Settings) -> None:
        self._loaded = loaded
        self._settings = settings
        self._targets: dict[str, Target] = {}
        self._data: dict[tuple[str, Problem], ProblemData] = {}
        self._built: dict[Cell, Built] = {}

    def build(self, cell: Cell) -> BuiltCell:
        """Build a cell and verify it on the ordinary inputs and on the probes."""
        variant = self._loaded.kernel.variant(cell.variant)
        data = self._problem_data(cell)
        data.restore()
        target = data.target
        target.use_threads(cell.threads)
        built = build(self._loaded, cell, data)
        clock = CompileClock(variant.kind.compiler)
        with clock:
            first_s = built.run_once()
        verdict = built.verdict()
        built.call_s = first_s - clock.seconds
        if not verdict.foul and built.call_s < LONG_CALL_S * 4:
            looked = look_again(built, verdict)
            verdict, built.call_s = looked.verdict, looked.call_s
        if not verdict.reason and built.call_s < PROBE_LIMIT_S:
            verdict = built.verdict_on_probes() or verdict
        data.restore()
        compiled = clock.seconds if clock.compiled else max(0.0, first_s - built.call_s)
        self._built[cell] = built
        return BuiltCell(
            wrong=verdict.reason,
            error=verdict.error,
            call_s=built.call_s,
            compile_s=compiled if variant.kind.compiler else None,
            compile_cached=not clock.compiled if variant.kind.compiler else None,
            prepare_s=built.prepared.seconds if built.prepared else None,
            transfer=data.transfer(variant) if variant.kind.on_gpu and not verdict.reason else None,
            library=", wrong on ".join((self._library(variant, data.problem), *built.shortfalls)),
            foul=verdict.foul,
            remarks=() if verdict.reason or data.output_bytes > LOOKED_AT_BYTES else data.blind_spots(),
        )

    def out_of_bounds(self, cell: Cell) -> str:
        """Run a cell once, where all indices are checked: what was outside of an array, or ''."""
        data = self._problem_data(cell)
        data.restore()
        data.target.use_threads(cell.threads)
        try:
            build(self._loaded, cell, data).run_once()
        except OutOfBounds as error:
            return str(error)
        return ""

    def turn(self, cell: Cell, budget_s: float, fewest: int, *, last: bool) -> Turn:
        """Take a block of samples; after the last one, verify once more that the outputs are right."""
        built = self._built[cell]
        target = built.data.target
        target.use_threads(cell.threads)
        clock = self._clock(built)
        if built.call_s < LONG_CALL_S:
            warm_s = timing.warm_up(clock, max(built.loops, 1))
            if warm_s < timing.SHORTEST_SAMPLE_S / 2 and not self._one_by_one(built):
                built.loops = timing.calibrate(clock)
        loops = max(built.loops, 1)
        long_call = built.call_s >= LONG_CALL_S
        if last and long_call:
            built.data.poison_outputs()
        samples = timing.sample(clock, loops, budget_s, fewest)
        call_s = self._wall(built) if target.gpu() else None
        wrong, error = self._judged(built, last=last, long_call=long_call)
        turn = Turn(tuple(samples), loops, call_s, wrong, error, remark=target.remark(built.call))
        if wrong or not target.gpu():
            return turn
        return replace(
            turn,
            telemetry=self._watched(built, median(samples), last=last),
            algorithm=target.algorithm(built.call) if last else "",
        )

    def _judged(self, built: Built, *, last: bool, long_call: bool) -> tuple[str, ErrorReport | None]:
        """What is wrong after a turn, or '': its side effects, and after the last one its outputs too."""
        if last and not long_call:
            return self.verify_again(built.cell)
        verdict = built.verdict() if last else None
        fouled = "" if verdict else built.foul()
        built.data.restore()
        return (verdict.reason, verdict.error) if verdict else (fouled, None)

    def _watched(self, built: Built, seconds: float, *, last: bool) -> Telemetry | None:
        """The GPU at work on a cell, after the last turn long enough to tell its energy; long calls are spared."""
        if seconds >= LONG_CALL_S and not last:
            return None
        found = built.data.target.watch(built.call, seconds, ENERGY_SPAN_S if last else GLANCE_S, energy=last)
        built.data.rewind()
        return found

    def verify_again(self, cell: Cell) -> tuple[str, ErrorReport]:
        """Run a cell once more: what is wrong with its outputs now, or '', and their errors."""
        built = self._built[cell]
        built.data.target.use_threads(cell.threads)
        built.run_once(built.data.target.queued(built.call))
        verdict = built.verdict()
        built.data.restore()
        return verdict.reason, verdict.error

    def forecast(self, cell: Cell, limit_s: float) -> float:
        """Seconds that one call of a cell will take, from smaller problems; leaves nothing behind.

        The first problem has about a million flops and bytes. While it predicts more than the limit
        and was itself short, a larger one decides: small problems are mostly overhead.
        """
        kernel, cost = self._loaded.kernel, self._loaded.kernel.cost
        follows = {axis.name for axis in kernel.axes if axis.default is None}
        fixed = {name: v for name, v in cell.params if not (name in follows and v == cell.size)}

        def work(n: int) -> float:
            spent = self._loaded.call(cost, kernel.problem(n, **fixed)) if cost else None
            return float(spent.flops + spent.bytes) if spent else float(n)

        whole, n = work(cell.size), cell.size
        while n > 1 and work(n) > PROBE_WORK:
            n = max(1, n // 2)
        while True:
            small = replace(cell, size=n, params=kernel.problem(n, **fixed).params)
            call_s = self._call_seconds(small)
            predicted = call_s * whole / work(n)
            if predicted <= limit_s / 3 or call_s > limit_s / 100 or 4 * n > cell.size:
                return predicted
            n *= 4

    def _call_seconds(self, cell: Cell) -> float:
        """Seconds of one warm call. The problem is forgotten again, unless other cells are built on it already."""
        problem = self._loaded.kernel.problem(cell.size, **dict(cell.params))
        in_use = any(key[1] == problem for key in self._data)
        data = self._problem_data(cell)
        data.target.use_threads(cell.threads)
        built = build(self._loaded, cell, data)
        built.run_once()
        seconds = min(built.run_once() for _ in range(3))
        if not in_use:
            self.drop(problem)
        return seconds

    def drop(self, problem: Problem) -> None:
        """Forget a problem: its arrays and all cells built on them."""
        self._built = {cell: built for cell, built in self._built.items() if built.data.problem != problem}
        self._data = {key: data for key, data in self._data.items() if key[1] != problem}

    def _problem_data(self, cell: Cell) -> ProblemData:
        kernel = self._loaded.kernel
        problem = kernel.problem(cell.size, **dict(cell.params))
        key = (cell.target, problem)
        if key not in self._data:
            if cell.target not in self._targets:
                self._targets[cell.target] = self._opened(cell.target)
            self._data[key] = problem_data(self._loaded, cell, self._targets[cell.target], self._settings.seed)
        return self._data[key]

    def _opened(self, name: str) -> Target:
        """A target that knows how it is to be measured on."""
        opened = open_target(name, self._settings.device, graph=self._settings.graph)
        if isinstance(opened, HostTarget):
            opened.cache_bytes = max(opened.cache_bytes, last_cache_bytes())
        return opened

    def _clock(self, built: Built) -> timing.Clock:
        target, call = built.data.target, built.call
        seconds = target.cold_seconds if self._settings.cold else target.seconds

        def rewound(loops: int) -> float:
            built.data.rewind()
            return seconds(call, loops)

        return rewound if built.data.written_inputs else lambda loops: seconds(call, loops)

    def _one_by_one(self, built: Built) -> bool:
        """Whether a sample is one call: what it reads must be written anew, or the host's caches, which takes long."""
        return built.data.written_inputs or (self._settings.cold and built.data.target.gpu() is None)

    def _wall(self, built: Built) -> float:
        """Wall-clock seconds of one launch with its synchronisation, the median of a few."""
        seconds = []
        queued = built.data.target.queued(built.call)
        for _ in range(5 if built.call_s < LONG_CALL_S else 1):
            built.data.rewind()
            began = time.perf_counter()
            queued()
            built.data.target.wait()
            seconds.append(time.perf_counter() - began)
        return median(seconds)

    def _library(self, variant: Variant, problem: Problem) -> str:
        """What the variant calls, with names and versions as this process has them."""
        declared = variant.library or ""
        if not isinstance(declared, str) or ":" in declared:
            declared = str(self._loaded.call(declared, problem))
        return named(declared, variant.kind)
