"""Ladders on a GPU: resources and counters of every rung, with times and without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import scripted
from scenes.ladders import Scene, shown
from scripted import MATMUL, measure, plan, record
from scripted_report import at, banks, traffic, worked

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.analysis.machine_code.inspection import GpuRow
from gpuplay.analysis.machine_code.occupancy import Use, occupancy
from gpuplay.lockstep.record import Report
from gpuplay.machine.model import model_of
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.compiled import GpuFunction, Resources
from gpuplay.results.result import ErrorReport, Result
from gpuplay.results.turns import Explained

REGISTER = replace(scripted.TILED, name="cuda:register", idea="tiles in registers", improves_on="cuda:tiled")
BRAIN = replace(REGISTER, name="cuda:bf16", idea="the matrix unit", improves_on="cuda:register", storage="bfloat16")
ASYNC = replace(BRAIN, name="cuda:wgmma", idea="the matrix unit of capability 9.0", improves_on="cuda:bf16")
CUDA = replace(MATMUL, variants=(*MATMUL.variants, REGISTER, BRAIN, ASYNC))
GPU_NAMES = ("cuda:tiled", "cuda:register", "cuda:bf16", "cuda:wgmma")
GPU_SECONDS = {"cuda:tiled": 8e-4, "cuda:register": 2e-4, "cuda:bf16": 1e-5, "cuda:wgmma": 4e-6}
ABSENT = "no NVIDIA driver here (libcuda.so.1 not found); for an NVIDIA GPU install its driver"


def rung_facts(name: str, registers: int, sectors: int, ways: int) -> RungFacts:
    one = Cell("matmul", 512, MATMUL.problem(512).params, name)
    used = Resources(registers, 0, 0, 0, 8192)
    row = GpuRow(one, "sm_90a", GpuFunction("f", (1, 1, 1), (256, 1, 1), 1, 0, "", used, ""))
    row = replace(row, occupancy=occupancy(Use(256, registers, 8192), model_of((9, 0))))
    counts = worked(float32=2**20, global_loads=traffic(sectors, 4), shared_loads=banks(ways))
    status: Any = "wrong" if ways > 4 else "right"
    explained = Explained(one, Report(lines=((at(3), counts),)), status, "", ErrorReport(3e-5, 1e-6, 1e-4))
    return RungFacts((row,), explained, 4096.0)


def ladder_facts(absent: str = "", uncompiled: str = "") -> LadderFacts:
    rungs = {name: rung_facts(name, 32 * i, 8 // i, i) for i, name in enumerate(GPU_NAMES[:3], 1)}
    return LadderFacts("sm_90a", 512, absent, uncompiled, rungs)


def gpu_planned(**more: Any) -> Plan:
    return plan(CUDA, GPU_NAMES, **({"sizes": (1024,), "baseline": None} | more))


def verified(one: Cell) -> Result:
    if one.variant == "cuda:wgmma":
        return Result(one, "SIMT", "skipped", "needs compute capability 9.0")
    if one.variant == "cuda:bf16":
        return Result(one, "SIMT", "wrong", "C is wrong (on the lockstep machine at n = 512)")
    return Result(one, "SIMT", "verified", verified_at=(512,))


def climb_without_gpu() -> Scene:
    found = gpu_planned(notices=("cuda:tiled not timed here: no NVIDIA driver",))
    return found, record(measure(found, verified)), {"names": GPU_NAMES, "facts": ladder_facts(ABSENT)}


def climbed_on_gpu() -> Scene:
    found = gpu_planned()
    made = record(measure(found, lambda one: GPU_SECONDS[one.variant]))
    return found, made, {"names": GPU_NAMES, "facts": ladder_facts(), "elapsed_s": 3}


VIEWS: dict[str, Callable[[int], str]] = {
    scene.__name__: partial(shown, scene) for scene in (climb_without_gpu, climbed_on_gpu)
}
