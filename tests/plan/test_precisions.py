"""Variants of several precisions in one table: said in the head, compared only with their like, their errors shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import jsonschema
import schemas
import scripted
from rich.console import Console

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.analysis.sweep.ratios import fastest, speedup
from gpuplay.analysis.sweep.verdict import sentences
from gpuplay.kernel import Variant
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.record import Record
from gpuplay.results.result import ErrorReport, Result
from gpuplay.views.sweep import detail, table
from gpuplay.views.sweep.export import to_csv
from gpuplay.views.text.layout import show

TF32 = {"compute": "tfloat32", "accumulate": "float32"}
VARIANTS = (
    Variant("torch_gpu:exact", "library", "what PyTorch calls", scripted.nothing),
    Variant("torch_gpu:coarse", "library", "the same in TF32", scripted.nothing, **TF32),
    Variant("cuda:warps", "SIMT", "in float32", scripted.nothing),
    Variant("cuda:tf32", "SIMT", "on matrix units", scripted.nothing, **TF32),
    Variant("cuda:tf32x3", "SIMT", "three products", scripted.nothing, compute="tfloat32x3", accumulate="float32"),
    Variant("cuda:bf16", "SIMT", "in 16 bits", scripted.nothing, storage="bfloat16", accumulate="float32"),
)
SECONDS = dict(zip((v.name for v in VARIANTS), (40e-3, 10e-3, 50e-3, 20e-3, 32e-3, 5e-3), strict=True))
KERNEL = replace(scripted.MATMUL, variants=VARIANTS, baseline="torch_gpu:exact")


def measured(baseline: str) -> tuple[Plan, Record]:
    """One size; on the GPU without copies, so that each variant has one column."""
    found = scripted.plan(KERNEL, tuple(SECONDS), (4096,), baseline=baseline)

    def result(cell: Cell) -> Result:
        variant = KERNEL.variant(cell.variant)
        error = ErrorReport(0.012 if variant.precision else 2e-5, 1e-3, 0.5)
        formats = variant.formats if variant.formats.text else None
        time = scripted.timing(SECONDS[cell.variant])
        return scripted.ok(cell, variant.flynn, time, error=error, formats=formats, library="")

    return found, scripted.record(scripted.measure(found, result), gpu=True)


def printed(text: Any) -> str:
    console = Console(file=io.StringIO(), width=160, no_color=True)
    show(console, text)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def row(baseline: str) -> str:
    plan, record = measured(baseline)
    return next(
        line for line in printed(table.render(record, plan, 160)).splitlines() if line.strip().startswith("4096")
    )


def test_the_head_says_in_what_each_variant_computes() -> None:
    plan, record = measured("torch_gpu:exact")
    text = printed(table.render(record, plan, 160))
    assert "torch_gpu:coarse, cuda:tf32: tfloat32, accumulates float32, compared only with its like" in text
    assert "cuda:bf16: stores bfloat16, accumulates float32, compared only with its like" in text
    assert "cuda:tf32x3: 3×tfloat32, accumulates float32\n" in text


def test_the_foot_says_how_far_off_it_was() -> None:
    plan, record = measured("torch_gpu:exact")
    text = printed(table.render(record, plan, 160))
    assert "cuda:tf32 (tfloat32) is off by 0.012 at most" in text
    assert "cuda:tf32x3 (3×tfloat32) is off by 2e-05 at most" in text
    assert "cuda:warps (" not in text


def test_a_ratio_is_never_taken_across_precisions() -> None:
    by_name = {result.cell.variant: result for result in measured("torch_gpu:exact")[1].results}
    assert speedup(by_name["cuda:tf32"], by_name["torch_gpu:exact"]) is None
    found = speedup(by_name["cuda:tf32"], by_name["torch_gpu:coarse"])
    assert found is not None
    assert found.ratio == 0.5
    exact = speedup(by_name["cuda:tf32x3"], by_name["torch_gpu:exact"])
    assert exact is not None
    assert exact.ratio == 1.25
    assert [ratio for ratio in ("0.80", "1.25", "2.00", "8.00") if ratio in row("torch_gpu:exact")] == ["0.80", "1.25"]


def test_the_fastest_library_is_looked_for_in_each_precision() -> None:
    ratios = row("best")
    assert "0.50 ×" in ratios
    assert "1.25 ×" in ratios


def test_the_fastest_is_named_in_the_precision_of_the_problem() -> None:
    plan, record = measured("torch_gpu:exact")
    assert [result.cell.variant for result in fastest(record.results)] == ["cuda:tf32x3"]
    coarse = [result for result in record.results if result.precision]
    assert [result.cell.variant for result in fastest(coarse)] == ["cuda:bf16"]
    said = " ".join(sentences(arrange(record.results, plan)))
    assert "cuda:tf32x3 leads" in said
    plan, record = measured("best")
    assert "1.25× the fastest library" in " ".join(sentences(arrange(record.results, plan)))


def test_details_and_exports_have_the_formats() -> None:
    _, record = measured("torch_gpu:exact")
    assert "stores bfloat16, accumulates float32" in printed(detail.render(record, 200))
    document = record.as_json()
    jsonschema.validate(document, schemas.SWEEP)
    formats = {result["variant"]: result["formats"] for result in document["results"]}
    assert formats["cuda:bf16"] == {"storage": "bfloat16", "compute": "", "accumulate": "float32"}
    assert formats["cuda:warps"] is None
    rows = {line["variant"]: line for line in csv.DictReader(io.StringIO(to_csv(record)))}
    assert (rows["cuda:tf32"]["compute"], rows["cuda:tf32"]["accumulate"]) == ("tfloat32", "float32")
    assert rows["cuda:warps"]["compute"] == ""
