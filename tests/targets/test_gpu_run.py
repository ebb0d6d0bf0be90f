"""A sweep on a GPU from plan to results, the GPU a stand-in: the lockstep machine computes, a script tells the time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.measure import bench
from gpuplay.plan.cells import Plan
from gpuplay.plan.make import make_plan
from gpuplay.plan.request import Request
from gpuplay.plan.settings import Settings
from gpuplay.results.events import Final
from gpuplay.results.result import Result
from gpuplay.results.telemetry import Telemetry
from gpuplay.run.runner import Runner
from gpuplay.targets.stand_ins.lockstep import LockstepTarget
from gpuplay.workers.crew import environment_of
from gpuplay.workers.tasks import Tasks
from gpuplay.workers.worker import Desk

READING = Telemetry(sm_mhz=1755, memory_mhz=2619, power_w=412.0, celsius=61, throttled=("power cap",))
CALL_S, COLD_S = 2e-3, 3e-3


class Gpu(LockstepTarget):
    """A GPU whose every call takes two milliseconds, cold three; it can be asked how it is."""

    name = "cuda"

    def __init__(self, *, graph: bool, broken: bool = False) -> None:
        super().__init__()
        self.graph, self.broken, self.replayed, self.watched = graph, broken, 0, list[tuple[float, bool]]()

    def gpu(self) -> GpuModel:
        return GpuModel(modelled=False)

    def seconds(self, call: Any, loops: int) -> float:
        self.queued(call)()
        return CALL_S * loops

    def cold_seconds(self, call: Any, loops: int) -> float:
        self.queued(call)()
        return COLD_S * loops

    def queued(self, call: Any) -> Any:
        def replay() -> None:
            self.replayed += 1
            if not self.broken:
                call()

        return replay if self.graph else call

    def remark(self, _call: Any) -> str:
        return "" if self.graph else "said by the target"

    def watch(self, _call: Any, call_s: float, span_s: float, *, energy: bool = False) -> Any:
        assert call_s in (CALL_S, COLD_S)
        self.watched.append((span_s, energy))
        return replace(READING, celsius=60 + len(self.watched), energy_j=0.25 if energy else None)

    def algorithm(self, _call: Any) -> str:
        return "an algorithm"


class Crew:
    """One worker for all environments, which is asked for by name."""

    pids: tuple[int, ...] = ()
    source = "0" * 16
    started: tuple[str, ...] = ()

    def __init__(self, origin: Origin) -> None:
        self.desk = Desk()
        self.desk.load(origin)
        self.asked: set[str] = set()

    def use(self, settings: Settings) -> None:
        self.desk.open(settings)

    def tasks(self, environment: str, _timeout_s: float | None = None) -> Tasks:
        self.asked.add(environment)
        return self.desk

    def generation(self, _environment: str) -> int:
        return 0


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Gpu]]:
    """The stand-ins that a bench opened in the place of GPUs."""
    found: list[Gpu] = []

    def open_target(_name: str, _device: int, *, graph: bool) -> Gpu:
        found.append(Gpu(graph=graph))
        return found[-1]

    monkeypatch.setattr(bench, "open_target", open_target)
    return found


def planned(**settings: Any) -> Plan:
    loaded = load_kernel(find_kernel("activation"))
    request = Request(
        sizes=(1000,),
        variants=("torch_gpu:map", "cuda:map"),
        baseline=None,
        threads=(2,),
        settings=Settings(rounds=3, cell_time_s=300.0, **settings),  # a busy machine loses no round
    )
    return make_plan(loaded, request, Machine(gpu=GpuModel(modelled=False)))


def measured(plan: Plan, crew: Crew) -> Result:
    """The result of our variant; the peer's cell is left out, for there is no library."""
    only = replace(plan, rows=tuple(replace(row, cells=row.cells[1:]) for row in plan.rows))
    crew_: Any = crew
    (result,) = [event.result for event in Runner(only, crew_, cores=2).events() if isinstance(event, Final)]
    return result


def test_a_cell_on_a_gpu_has_its_kernel_time_its_call_its_copies_and_what_the_gpu_said(opened: list[Gpu]) -> None:
    result = measured(planned(), Crew(find_kernel("activation")))
    assert (result.status, result.reason) == ("ok", "")
    assert result.time
    assert result.time.median_s == pytest.approx(CALL_S)
    assert result.call_s
    assert result.transfer
    assert result.telemetry == replace(READING, celsius=63, energy_j=0.25)
    assert result.algorithm == "an algorithm"
    assert "said by the target" in result.warnings
    (gpu,) = opened
    assert [energy for _, energy in gpu.watched] == [False, False, True]
    assert gpu.watched[-1][0] > 10 * gpu.watched[0][0]


def test_cold_calls_are_asked_for_as_such(opened: list[Gpu]) -> None:
    result = measured(planned(cold=True), Crew(find_kernel("activation")))
    assert result.time
    assert result.time.median_s == pytest.approx(COLD_S)
    assert opened


def test_replays_of_a_graph_are_timed_and_verified(opened: list[Gpu]) -> None:
    result = measured(planned(graph=True), Crew(find_kernel("activation")))
    assert result.status == "ok"
    assert opened[0].replayed > 3
    assert "said by the target" not in result.warnings


def test_a_graph_that_computes_nothing_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "open_target", lambda *_, **__: Gpu(graph=True, broken=True))
    result = measured(planned(graph=True), Crew(find_kernel("activation")))
    assert result.status == "wrong"
    assert result.reason.startswith("wrong after repeated calls: ")
    assert result.time is None


def test_variants_on_a_gpu_have_one_thread_and_libraries_a_process_of_their_own() -> None:
    cells = planned().rows[0].cells
    kernel = load_kernel(find_kernel("activation")).kernel
    assert [(one.cell.variant, one.cell.threads) for one in cells] == [("torch_gpu:map", 1), ("cuda:map", 1)]
    assert len({environment_of(kernel.variant(one.cell.variant)) for one in cells}) == 2
    assert np.dtype("float32").itemsize * 1000 * 2 == cells[0].array_bytes


CLOCK = """
import sys, time
from numba import cuda, types
from gpuplay.measure.compiling import CompileClock
from gpuplay.targets.cuda.gpu_functions import fill

began = time.perf_counter()
with CompileClock("numba-cuda") as clock:
    signature = types.void(types.float32[::1], types.float32)
    cuda.compile(fill.py_func, signature, device=False, abi="numba", cc=(7, 5), output="ptx")
spent = time.perf_counter() - began
assert clock.compiled and 0.5 * spent < clock.seconds <= spent, (clock.compiled, clock.seconds, spent)
with CompileClock("numba-cuda") as idle:
    pass
with CompileClock("torch_gpu") as deaf:
    pass
assert not idle.compiled and not deaf.compiled and idle.seconds == deaf.seconds == 0
"""


def test_compilations_for_a_gpu_are_heard_and_timed() -> None:
    pytest.importorskip("cuda.bindings", reason="needs the extra cuda")
    done = subprocess.run([sys.executable, "-c", CLOCK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
