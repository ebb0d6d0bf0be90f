"""The bench of one worker: builds cells, verifies them, and takes samples turn by turn.

State stays here between turns: arrays of the current problems, compiled variants, calibrated loops.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.measure import timing
from gpuplay.measure.compiling import EVENTS, CompileClock
from gpuplay.measure.data import Placed
from gpuplay.measure.libraries import blas_name
from gpuplay.measure.outcomes import Prepared, Turn
from gpuplay.measure.problems import PreparedWeights, ProblemData
from gpuplay.measure.verify import Verdict
from gpuplay.results import ErrorReport
from gpuplay.targets import open_target

if TYPE_CHECKING:
    from gpuplay.catalog import Loaded
    from gpuplay.kernel import Probe, Problem, Variant
    from gpuplay.plan import Settings
    from gpuplay.results import Cell
    from gpuplay.targets.base import Call, Target

PROBE_LIMIT_S = 0.5
LONG_CALL_S = 0.5
FLUSH_BYTES = 256 << 20
PROBE_WORK = 1e6


@dataclass
class _Built:
    """A cell that was built: its call, its own arrays, and the loops of a sample."""

    data: ProblemData
    call: Call
    own: list[Placed]
    prepared: PreparedWeights | None
    call_s: float = 0.0
    loops: int = 0

    def foul(self) -> str:
        """What the last calls broke besides their outputs; '' where nothing."""
        return self.foul_of_own() or self.data.foul()

    def foul_of_own(self) -> str:
        """What the last calls broke around the workspaces or in the prepared weights; '' where nothing."""
        for space in self.own:
            if where := space.stray_write():
                space.reset_guards()
                return f"writes outside its workspace {space.array.name}, {where}"
        return self.prepared.foul() if self.prepared else ""

    def renew(self) -> None:
        """Prepare the weights again, after other inputs took their place."""
        if self.prepared:
            self.prepared.renew()


class Bench:
    """Measures the cells of one kernel in this process."""

    def __init__(self, loaded: Loaded, settings: Settings) -> None:
        self._loaded = loaded
        self._settings = settings
        self._targets: dict[str, Target] = {}
        self._data: dict[tuple[str, Problem], ProblemData] = {}
        self._built: dict[Cell, _Built] = {}
        self._flush: Any = None

    def prepare(self, cell: Cell) -> Prepared:
        """Build a cell and verify it on the ordinary inputs and on the probes."""
        variant = self._loaded.kernel.variant(cell.variant)
        data = self._problem_data(cell)
        data.restore()
        target = data.target
        target.use_threads(cell.threads)
        built = self._build(cell, variant, data)
        clock = CompileClock(variant.target)
        with clock:
            first_s = self._one_call(built)
        verdict = self._verdict(cell, built)
        wrong: str = verdict.reason
        error: ErrorReport | None = verdict.error
        built.call_s = first_s - clock.seconds
        if not wrong and built.call_s < LONG_CALL_S * 4:
            built.call_s = self._one_call(built)
        if not wrong and built.call_s < PROBE_LIMIT_S:
            wrong, error = self._probe(cell, built, error)
        data.restore()
        compiled = clock.seconds if clock.count else max(0.0, first_s - built.call_s)
        self._built[cell] = built
        return Prepared(
            wrong=wrong,
            error=error,
            call_s=built.call_s,
            compile_s=compiled if variant.target in EVENTS else None,
            compile_cached=(clock.count == 0) if variant.target in EVENTS else None,
            prepare_s=built.prepared.seconds if built.prepared else None,
            transfer=data.transfer() if variant.target == "cuda" and not wrong else None,
            library=self._library(variant, data.problem),
        )

    def turn(self, cell: Cell, budget_s: float, fewest: int, *, last: bool) -> Turn:
        """Take a block of samples; after the last one, verify once more that the outputs are right."""
        built = self._built[cell]
        target = built.data.target
        target.use_threads(cell.threads)
        clock = self._clock(built)
        if built.call_s < LONG_CALL_S:
            warm_s = timing.warm_up(clock, max(built.loops, 1))
            if warm_s < timing.SHORTEST_SAMPLE_S / 2 and not (built.data.written_inputs or self._settings.cold):
                built.loops = timing.calibrate(clock)
        loops = max(built.loops, 1)
        long_call = built.call_s >= LONG_CALL_S
        if last and long_call:
            built.data.poison_outputs()
        samples = timing.sample(clock, loops, budget_s, fewest)
        call_s = self._wall(built) if target.gpu() else None
        if not last:
            fouled = built.foul()
            built.data.restore()
            return Turn(tuple(samples), loops, call_s, fouled)
        if not long_call:
            return Turn(tuple(samples), loops, call_s, *self.verify_again(cell))
        verdict = self._verdict(cell, built)
        built.data.restore()
        return Turn(tuple(samples), loops, call_s, verdict.reason, verdict.error)

    def verify_again(self, cell: Cell) -> tuple[str, ErrorReport]:
        """Run a cell once more: what is wrong with its outputs now, or '', and their errors."""
        built = self._built[cell]
        built.data.target.use_threads(cell.threads)
        self._one_call(built)
        verdict = self._verdict(cell, built)
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
        """Seconds of one warm call."""
        variant = self._loaded.kernel.variant(cell.variant)
        data = self._problem_data(cell)
        data.target.use_threads(cell.threads)
        built = self._build(cell, variant, data)
        self._one_call(built)
        seconds = min(self._one_call(built) for _ in range(3))
        self.drop(data.problem)
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
                self._targets[cell.target] = open_target(cell.target, self._settings.device)
            seed = (self._settings.seed, cell.size, zlib.crc32(repr(cell.params).encode()))
            self._data[key] = ProblemData(self._loaded, problem, self._targets[cell.target], seed)
        return self._data[key]

    def _build(self, cell: Cell, variant: Variant, data: ProblemData) -> _Built:
        """Build a variant and bind it to its arrays: prepared weights in the weights' place, workspaces last."""
        problem, knobs, target = data.problem, dict(cell.knobs), data.target
        run = self._loaded.resolve(variant.build)(problem, **knobs)
        spaces = self._loaded.resolve(variant.workspace)(problem, knobs) if variant.workspace else ()
        own = [Placed(target, array, problem.dtype) for array in spaces]
        prepared = None
        if variant.prepare:
            prepared = PreparedWeights(data, partial(self._loaded.resolve(variant.prepare), problem, **knobs))
        arguments = data.arguments(prepared.placed if prepared else None) + [space.view for space in own]
        return _Built(data, target.bind(run, arguments), own, prepared)

    def _one_call(self, built: _Built) -> float:
        """Poison outputs and workspaces, restore what a run writes, and run once; seconds of the call."""
        built.data.poison_outputs()
        for space in built.own:
            space.poison()
        began = time.perf_counter()
        built.call()
        built.data.target.finish()
        return time.perf_counter() - began

    def _verdict(self, cell: Cell, built: _Built, probe: Probe | None = None) -> Verdict:
        """Judge what a call left in the problem's arrays, in its workspaces and in its prepared weights."""
        fouled = built.foul_of_own()
        return Verdict(ErrorReport(None, None, None), fouled) if fouled else built.data.verdict(cell, probe)

    def _probe(self, cell: Cell, built: _Built, error: ErrorReport | None) -> tuple[str, ErrorReport | None]:
        """Verify on every probe's inputs, then put the ordinary inputs back."""
        for probe in built.data.probes():
            built.renew()
            self._one_call(built)
            verdict = self._verdict(cell, built, probe)
            if verdict.reason:
                return f"on {probe.name}: {verdict.reason}", verdict.error
        built.data.restore()
        built.renew()
        return "", error

    def _clock(self, built: _Built) -> timing.Clock:
        target, call = built.data.target, built.call

        def cold(loops: int) -> float:
            built.data.rewind()
            if self._settings.cold:
                self._flush_caches()
            return target.seconds(call, loops)

        if built.data.written_inputs or self._settings.cold:
            return cold
        return lambda loops: target.seconds(call, loops)

    def _wall(self, built: _Built) -> float:
        """Wall-clock seconds of one launch with its synchronisation, the median of a few."""
        seconds = []
        for _ in range(5 if built.call_s < LONG_CALL_S else 1):
            built.data.rewind()
            began = time.perf_counter()
            built.call()
            built.data.target.finish()
            seconds.append(time.perf_counter() - began)
        return float(np.median(seconds))

    def _flush_caches(self) -> None:
        """Write more than any cache holds, so that the next call finds its data in memory."""
        if self._flush is None:
            self._flush = np.zeros(FLUSH_BYTES // 8)
        self._flush += 1.0

    def _library(self, variant: Variant, problem: Problem) -> str:
        """What the variant calls; the word BLAS becomes the name of the one that NumPy has."""
        declared = variant.library or ""
        if not isinstance(declared, str) or ":" in declared:
            declared = str(self._loaded.call(declared, problem))
        return declared.replace("BLAS", blas_name() or "no BLAS")
