"""``gpuplay ladder --on cuda``: resources and counters of every rung, with times on a GPU and without one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemas
from command import Gpuplay
from needs import needs_assembler
from scenes.gpu_ladders import (
    ABSENT,
    CUDA,
    GPU_NAMES,
    GPU_SECONDS,
    climb_without_gpu,
    climbed_on_gpu,
    gpu_planned,
    ladder_facts,
)
from scenes.ladders import printed
from scripted import measure, record

from gpuplay.analysis.ladder.gpu_rungs import LadderFacts
from gpuplay.analysis.ladder.rungs import ladders
from gpuplay.catalog.find import find_kernel
from gpuplay.commands import ladder
from gpuplay.commands.asked import Asked, LadderAsked
from gpuplay.commands.steps.one_problem import soon_done
from gpuplay.commands.steps.opened import Opened
from gpuplay.machine.model import Machine, model_of
from gpuplay.plan.cells import Plan
from gpuplay.plan.request import Choice
from gpuplay.results.record import Record
from gpuplay.views.ladder import page as view
from gpuplay.views.sweep.export import document
from gpuplay.views.sweep.page import Page
from gpuplay.workers.crew import Crew

Scene = tuple[Plan, Record, dict[str, Any]]


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
    jsonschema.validate(written, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
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


@needs_assembler
def test_a_cuda_ladder_needs_no_gpu(gpuplay: Gpuplay, tmp_path: Path) -> None:
    file = tmp_path / "ladder.json"
    words = ("--on", "cuda:coalesced,cuda:tiled", "--sizes", 128, "-o", file)
    done = gpuplay("ladder", "matmul", *words, CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    assert "no GPU: not timed" in done.out
    assert "at n = 128" in " ".join(done.out.split())
    made = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(made, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
    assert [rung["variant"] for rung in made["ladder"][0]["rungs"]] == ["cuda:coalesced", "cuda:tiled"]
    below, above = made["gpu_rungs"]["rungs"]
    assert below["verdict"] == above["verdict"] == "right"
    assert below["global_bytes_moved"] > 5 * above["global_bytes_moved"] > 0
    assert above["functions"][0]["occupancy"]["blocks"] > 0


def test_a_cuda_ladder_can_be_planned_without_a_gpu(gpuplay: Gpuplay) -> None:
    done = gpuplay("ladder", "matmul", "--on", "cuda:tiled", "--sizes", 64, "--plan", CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    assert "cuda:tiled" in done.out
