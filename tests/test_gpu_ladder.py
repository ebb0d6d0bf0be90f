"""``gpuplay ladder --on cuda``: resources and counters of every rung, with times on a GPU and without one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import Gpuplay
from rich.console import Console

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts, RungFacts
from gpuplay.analysis.ladder.rungs import ladders
from gpuplay.analysis.machine_code.inspection import GpuRow
from gpuplay.analysis.machine_code.occupancy import Use, occupancy
from gpuplay.catalog.find import find_kernel
from gpuplay.commands import ladder
from gpuplay.commands.asked import Asked, LadderAsked
from gpuplay.commands.steps import inspecting
from gpuplay.commands.steps.one_problem import soon_done
from gpuplay.commands.steps.opened import Opened
from gpuplay.lockstep.record import Report
from gpuplay.machine.model import Machine, model_of
from gpuplay.plan.cells import Plan
from gpuplay.plan.request import Choice
from gpuplay.results.cell import Cell
from gpuplay.results.compiled import GpuFunction, Resources
from gpuplay.results.record import Record
from gpuplay.results.result import ErrorReport, Result
from gpuplay.results.turns import Explained
from gpuplay.views.ladder import page as view
from gpuplay.views.sweep.export import document
from gpuplay.views.sweep.page import Page
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import Crew
from tests import scripted
from tests.screen import kept
from tests.scripted import MATMUL, measure, plan, record
from tests.scripted_report import at, banks, traffic, worked

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
Scene = tuple[Plan, Record, dict[str, Any]]

needs_tools = pytest.mark.skipif(
    bool(inspecting.missing(assemble=True)), reason=f"not here: {inspecting.missing(assemble=True)}"
)

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


SCENES: dict[str, Callable[[], Scene]] = {f.__name__: f for f in (climb_without_gpu, climbed_on_gpu)}


def printed(found: Plan, made: Record, width: int, **more: Any) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    show(console, view.render(made, found, width, **more))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", SCENES)
def test_the_ladder_looks_as_its_screen_does(name: str, width: int) -> None:
    found, made, more = SCENES[name]()
    text = printed(found, made, width, **more)
    assert text == kept(name, width, text)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("name", SCENES)
def test_no_line_of_a_ladder_is_wider_than_asked(name: str, width: int) -> None:
    found, made, more = SCENES[name]()
    assert max(map(len, printed(found, made, width, **more).splitlines())) <= width


def test_rungs_of_one_precision_are_compared_and_no_others() -> None:
    found = gpu_planned()
    _, (one,) = ladders(record(measure(found, lambda cell: GPU_SECONDS[cell.variant])), found, GPU_NAMES)
    assert [rung.below for rung in one.rungs] == ["", "cuda:tiled", "", "cuda:bf16"]
    assert [rung.gain and round(rung.gain.ratio, 3) for rung in one.rungs] == [None, 4, None, 2.5]
    assert [rung.total is not None for rung in one.rungs] == [False, True, False, False]
    found, made, more = climbed_on_gpu()
    assert "From cuda:tiled to cuda:register: 4.0×." in printed(found, made, 160, **more)


def test_without_a_gpu_nothing_looks_like_a_time_and_the_header_says_why() -> None:
    found, made, more = climb_without_gpu()
    text = printed(found, made, 100, **more)
    assert "no GPU: not timed (no NVIDIA driver here (libcuda.so.1 not found))" in text
    assert "lockstep machine at n = 512" in text
    large = replace(more["facts"], n=2**24)
    assert "lockstep machine at n = 2^24" in printed(found, made, 100, **(more | {"facts": large}))
    for word in ("gain", "spread", " s ", " ms", " µs", "not timed here"):
        assert word not in text, word


def test_where_nothing_could_be_compiled_counters_remain() -> None:
    found, made, more = climb_without_gpu()
    text = printed(
        found, made, 100, **(more | {"facts": ladder_facts(ABSENT, "ptxas is not installed; pip install x")})
    )
    assert "resources: not compiled (ptxas is not installed; pip install x)" in " ".join(text.split())


def test_json_has_resources_and_counters_of_every_rung() -> None:
    found, made, more = climb_without_gpu()
    page = view.page(more["names"], (), more["facts"])
    written = document(made, found, page)
    jsonschema.validate(written, SCHEMA, cls=jsonschema.Draft202012Validator)
    first, _, third = written["gpu_rungs"]["rungs"]
    assert first["functions"][0]["resources"]["registers"] == 32
    assert (first["sectors_over_ideal"], first["wavefronts_over_ideal"]) == (2, 1)
    assert first["over_compulsory"] == 128 * 8 * 32 / 4096
    assert third["error"]["max_abs"] == 3e-5
    assert "| cuda:tiled | right | float32 | 32 |" in page.markdown(made, found)


@pytest.mark.parametrize("work", [1e6, 1e9, 1e30])
def test_the_size_that_is_counted_is_the_largest_that_is_soon_done(work: float) -> None:
    rows = gpu_planned(sizes=(32, 64, 128, 256)).rows
    chosen = soon_done(rows, work).problem.n
    assert chosen == {1e6: 64, 1e9: 256, 1e30: 256}[work]
    assert soon_done(rows, 1.0).problem.n == 32


def test_where_there_is_a_gpu_the_rungs_are_measured_and_the_page_has_both(monkeypatch: pytest.MonkeyPatch) -> None:
    found, made, _ = climbed_on_gpu()
    shown: list[str] = []

    def planned(*_: Any, **__: Any) -> tuple[Plan, Machine]:
        return found, Machine(gpu=replace(model_of((9, 0)), modelled=False))

    def run(_opened: Opened, asked: Asked, page: Page) -> int:
        assert asked.choice.on == ",".join(GPU_NAMES)
        shown.append(page.render(made, found, 160).plain)
        return 0

    def facts(*_: Any) -> LadderFacts:
        assert _[-1] == "", "there is a GPU"
        return ladder_facts()

    for name, stand_in in (("planned", planned), ("run", run), ("rung_facts", facts)):
        monkeypatch.setattr(ladder, name, stand_in)
    origin = find_kernel("matmul")
    opened = Opened(origin, CUDA, Crew(origin, threads=1))
    assert ladder.ladder(opened, LadderAsked(Choice(on=",".join(GPU_NAMES)))) == 0
    assert "200 µs    4.00 ×" in shown[0]
    assert "not timed" not in shown[0]
    assert "FLOPs" in shown[0]


@needs_tools
def test_a_cuda_ladder_needs_no_gpu(gpuplay: Gpuplay, tmp_path: Path) -> None:
    file = tmp_path / "ladder.json"
    words = ("--on", "cuda:coalesced,cuda:tiled", "--sizes", 128, "-o", file)
    done = gpuplay("ladder", "matmul", *words, CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    assert "no GPU: not timed" in done.out
    assert "at n = 128" in " ".join(done.out.split())
    made = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(made, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [rung["variant"] for rung in made["ladder"][0]["rungs"]] == ["cuda:coalesced", "cuda:tiled"]
    below, above = made["gpu_rungs"]["rungs"]
    assert below["verdict"] == above["verdict"] == "right"
    assert below["global_bytes_moved"] > 5 * above["global_bytes_moved"] > 0
    assert above["functions"][0]["occupancy"]["blocks"] > 0


def test_a_cuda_ladder_can_be_planned_without_a_gpu(gpuplay: Gpuplay) -> None:
    done = gpuplay("ladder", "matmul", "--on", "cuda:tiled", "--sizes", 64, "--plan", CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    assert "cuda:tiled" in done.out
