"""The promises against the libraries: the table is sound, and results written by hand are judged to the letter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import schemas
import scripted
from scenes.peers import (
    FAST_GPU,
    GOOD,
    GPU_KERNEL,
    KERNEL,
    ON_A_GPU,
    SCALED,
    SHAPES,
    SLOW_TENSOR,
    SQUARE,
    TENSOR,
    Seconds,
    cell,
    judged,
    on_a_gpu,
    report,
    results,
    skipped,
)
from scripted import ok, record, timing

from gpuplay.analysis.peers.judging import judge
from gpuplay.analysis.peers.report import PeersReport, sentences, wording
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.commands import peers
from gpuplay.commands.asked import Output
from gpuplay.commands.steps.opened import Opened
from gpuplay.errors import UsageError
from gpuplay.kernel import Kernel
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.peers.rows import ROWS, chosen_rows
from gpuplay.peers.terms import OfYardstick, Promise, Worst
from gpuplay.plan.settings import Settings
from gpuplay.views.peers import export, page
from gpuplay.views.sweep.page import SWEEP


def test_at_each_case_the_best_of_ours_stands_against_the_best_library() -> None:
    first, second, third = judged(SQUARE, *GOOD).standings
    assert [s.ours.cell.variant for s in (first, second, third) if s.ours] == [
        "cpu:fast",
        "cpu:parallel",
        "cpu:parallel",
    ]
    assert [s.rival.cell.variant for s in (first, second, third) if s.rival] == ["torch:mm", "torch:mm", "numpy:blas"]
    assert [round(s.found.ratio, 2) for s in (first, second, third) if s.found] == [0.91, 1.2, 1.2]


def test_a_row_that_reaches_every_figure_holds() -> None:
    judgement = judged(SQUARE, *GOOD)
    mean, large, small, roof = judgement.answers
    assert mean.got == pytest.approx((1 / 1.1 * 1.2 * 1.2) ** (1 / 3))
    assert large.got == pytest.approx(1.2)
    assert small.got == pytest.approx(1 / 1.1)
    assert small.at
    assert small.at.label == "n = 128"
    assert roof.got == pytest.approx(2 * 2048**3 / 8e-2 / 234e9)
    assert judgement.state == "holds"


def test_a_figure_that_is_missed_breaks_the_row_and_says_where() -> None:
    slow = {**GOOD[1], "cpu:parallel": 1.3e-3}
    judgement = judged(SQUARE, GOOD[0], slow, GOOD[2])
    assert [answer.holds for answer in judgement.answers] == [False, False, True, True]
    assert judgement.state == "missed"
    said = " ".join(sentences(PeersReport(record(judgement.results), (judgement,), 1)))
    assert "1 row judged: none holds." in said
    assert "matmul:square misses: mean of 3 cases" in said
    assert "worst from n = 256 0.92 × of 0.95 × at n = 512" in said


@pytest.mark.parametrize("who", ["cpu:parallel", "torch:mm"])
def test_a_wrong_cell_fails_the_row_whatever_its_figures(who: str) -> None:
    bad = scripted.wrong(cell(SQUARE, SQUARE.cases[1], who), "MIMD")
    judgement = judged(SQUARE, GOOD[0], {**GOOD[1], who: bad}, GOOD[2])
    assert judgement.state == "wrong"
    assert PeersReport(record(judgement.results), (judgement,), 1).missed
    assert f"1 bad cell, {who} n=512 is wrong: C[510, 511]" in " ".join(
        sentences(PeersReport(record(judgement.results), (judgement,), 1))
    )


@pytest.mark.parametrize("who", [("cpu:parallel", "cpu:fast"), ("numpy:blas", "torch:mm")], ids=["ours", "libraries"])
def test_without_ours_or_any_library_a_case_is_not_judged_and_says_why(who: tuple[str, str]) -> None:
    judgement = judged(SQUARE, GOOD[0], {**GOOD[1], **dict.fromkeys(who, skipped("needs 9 GiB"))}, GOOD[2])
    assert judgement.state == "not judged"
    report = PeersReport(record(judgement.results), (judgement,), 1)
    assert not report.missed
    assert f"n = 512: {who[0]} skipped: needs 9 GiB; {who[1]} skipped: needs 9 GiB" in " ".join(sentences(report))


def test_one_library_that_is_missing_leaves_the_case_to_the_other() -> None:
    rows = [{**row, "torch:mm": skipped("PyTorch is not installed")} for row in GOOD]
    standings = judged(SQUARE, *rows).standings
    assert {s.rival.cell.variant for s in standings if s.rival} == {"numpy:blas"}


def test_what_was_measured_can_break_a_row_that_is_not_complete() -> None:
    nothing: Seconds = dict.fromkeys(GOOD[0])
    slow = {**GOOD[1], "cpu:parallel": 2e-3}
    assert judged(SQUARE, nothing, slow, nothing).state == "missed"
    assert judged(SQUARE, nothing, GOOD[1], nothing).state == "not judged"


def test_a_figure_within_the_noise_is_marked() -> None:
    noisy = ok(cell(SQUARE, SQUARE.cases[1], "cpu:parallel"), "MIMD", timing(1.25e-3, jitter=(0.9, 0.95, 1, 1.05, 1.1)))
    close = judged(SQUARE, GOOD[0], {**GOOD[1], "cpu:parallel": noisy}, GOOD[2]).answers[1]
    assert close.holds
    assert close.close
    assert not judged(SQUARE, *GOOD).answers[1].close


def test_a_figure_missed_by_digits_that_are_not_shown_is_shown_as_less() -> None:
    row = {"numpy:blas": 0.8499, "cpu:parallel": 1.0}
    judgement = judged(SHAPES, row, {**row, "cpu:parallel": 0.5})
    assert judgement.answers[0].holds is False
    assert "worst <0.85 × of 0.85 ×" in " ".join(sentences(PeersReport(record([]), (judgement,), 1)))


def test_a_condition_may_be_about_one_of_our_variants() -> None:
    row = {"numpy:blas": 1.0, "cpu:parallel": 2.5, "cpu:fast": 0.8}
    worst, only = judged(SHAPES, row, {**row, "cpu:parallel": 1.0}).answers
    assert worst.holds
    assert only.got == pytest.approx(0.4)
    assert only.holds is False


def test_scaling_compares_one_variant_with_itself() -> None:
    times = {("cpu:parallel", 1): 0.18, ("cpu:parallel", 2): 0.1, ("cpu:fast", 1): 0.17, ("cpu:fast", 2): 0.09}
    found = [ok(cell(SCALED, SCALED.cases[0], name, th), "MIMD", timing(t)) for (name, th), t in times.items()]
    (answer,) = judge(SCALED, KERNEL, found, scripted.ROOFS).answers
    assert answer.got == pytest.approx(0.17 / 0.09)
    (answer,) = judge(SCALED, KERNEL, found[:1], scripted.ROOFS).answers
    assert answer.holds is None


def test_a_yardstick_is_another_problem_of_the_same_size() -> None:
    rod = OfYardstick(1.2, 2048, "torch:mm", (("k", 1),), "a thin product")
    promise = replace(SQUARE, needs=(rod,))
    thin = replace(promise, params=(("k", 1),))
    beside = ok(cell(thin, thin.cases[2], "torch:mm"), "library", timing(0.1))
    (answer,) = judge(promise, KERNEL, [*results(promise, *GOOD), beside], None).answers
    assert answer.got == pytest.approx(0.1 / 0.08)
    assert answer.holds
    assert judge(promise, KERNEL, results(promise, *GOOD), None).state == "not judged"


def test_a_roof_that_is_not_known_leaves_its_condition_open() -> None:
    assert judge(SQUARE, KERNEL, results(SQUARE, *GOOD), None).answers[3].reason == "the roof is not known"


def test_on_a_gpu_variants_stand_against_libraries_of_their_precision_and_the_roof_of_the_gpu() -> None:
    mean, split, roof = judge(ON_A_GPU, GPU_KERNEL, on_a_gpu(ON_A_GPU, *FAST_GPU), scripted.GPU_ROOFS).answers
    assert mean.got == pytest.approx((6.1 / 6.0 * 3.0 / 2.9) ** 0.5)  # what is as exact by other arithmetic is left out
    assert split.got == pytest.approx(3.0 / 1.8)
    assert roof.got == pytest.approx(scripted.moved(on_a_gpu(ON_A_GPU, *FAST_GPU)[3].cell) / 2.9e-3 / 4.3e12)
    assert (mean.holds, split.holds, roof.holds) == (True, True, False)
    assert TENSOR.rivals(GPU_KERNEL) == ("torch_gpu:mm_tf32",)
    (tensor,) = judge(TENSOR, GPU_KERNEL, on_a_gpu(TENSOR, *SLOW_TENSOR), scripted.GPU_ROOFS).answers
    assert (tensor.got, tensor.holds) == (pytest.approx(0.5), False)


@pytest.mark.parametrize("row", ROWS["cuda"], ids=lambda row: row.name)
def test_a_row_for_a_gpu_is_planned_shown_and_judged(row: Promise) -> None:
    here = Opened.of(find_kernel(row.kernel))
    run = peers._Run((row,), Settings(), Output(), missing={"torch_gpu": "", "cupy": ""})
    plan = run._plan(here, row, Machine(cores=16, gpu=GpuModel(modelled=False)))
    speeds = {"torch_gpu": 1.0, "cupy": 0.9, "cuda": 1.6}
    found = []
    for one in (found for line in plan.rows for found in line.all_cells if not found.skip):
        variant, moved = here.kernel.variant(one.cell.variant), one.bytes
        assert moved
        seconds = moved / 3e12 / speeds[variant.target]
        more = {"library": variant.name if variant.flynn == "library" else "", "flops": one.flops, "bytes": moved}
        found.append(ok(one.cell, variant.flynn, timing(seconds), transfer=scripted.transfer(one.cell), **more))
    kept = record(found, gpu=True)
    assert SWEEP.render(kept, plan, 100, elapsed_s=1, interrupted=False).plain
    judgement = judge(row, here.kernel, found, scripted.GPU_ROOFS)
    asked = {answer.need.at_least <= 1.5 for answer in judgement.answers}
    assert judgement.state == ("holds" if asked == {True} else "missed")
    assert all(standing.found for standing in judgement.standings)
    assert all({len(line.all_cells) - len(line.cells)} <= {0, 1} for line in plan.rows)  # the copy beside


@pytest.mark.parametrize("machine", ROWS)
def test_the_page_of_all_rows_fits_a_terminal_of_80_columns(machine: str) -> None:
    judgements = tuple(judge(row, declared(row), [], None) for row in ROWS[machine])
    text = page.render(PeersReport(record([]), judgements, len(judgements)), 80, detail=True).plain
    assert max(map(len, text.splitlines())) <= 80
    assert "No row could be judged." in text


def test_the_json_is_valid_and_strict() -> None:
    document = json.loads(export.to_json(report()), parse_constant=pytest.fail)
    validator = jsonschema.Draft202012Validator(schemas.of_peers())
    validator.check_schema(schemas.of_peers())
    validator.validate(document)
    assert [row["state"] for row in document["rows"]] == ["holds", "missed", "not judged"]
    for change in ({"extra": 1}, {"rows": [{}]}, {"asked": 0}, {"schema": "gpuplay/1"}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(document | change)


def test_the_markdown_has_every_case_the_machine_and_the_command(tmp_path: Path) -> None:
    path = tmp_path / "rows.md"
    export.exporter([path]).write(report())
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# peers\n\nours against the best library")
    assert "| matmul:square | mean of 3 cases | 1.05 × | 1.09 × | holds |" in text
    assert "## matmul:shapes\n\n| case | ours |" in text
    assert "| 127×129×131 | cpu:parallel | 40.0 µs | numpy:blas | 50.0 µs | 1.25 × |" in text
    assert "\\[not\\]" not in text
    assert "## Machine" in text
    assert "## Command" in text


@pytest.mark.parametrize("name", ["rows.csv", "none/rows.md"])
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        export.exporter([tmp_path / name])


def declared(promise: Promise) -> Kernel:
    return load_kernel(find_kernel(promise.kernel)).kernel


@pytest.mark.parametrize("row", [*ROWS["cpu"], *ROWS["cuda"]], ids=lambda row: f"{row.target}-{row.name}")
def test_a_promise_names_problems_and_variants_that_are_there(row: Promise) -> None:
    kernel = declared(row)
    problems = [row.problem(kernel, one) for one in row.cases]
    assert len(set(problems)) == len(problems)
    known = {axis.name: axis for axis in kernel.axes}
    for problem in problems:
        assert set(dict(problem.params)) == set(known)
        assert kernel.applies is None or load_kernel(find_kernel(row.kernel)).call(kernel.applies, problem) is None
    names = [v.name for v in kernel.variants]
    assert row.ours(kernel)
    rivals = {name.partition(":")[0] for name in row.rivals(kernel)}
    assert not row.peers or rivals == {"numpy", "torch"} or (row.target == "cuda" and "torch_gpu" in rivals)
    assert {kernel.variant(name).precision for name in (*row.ours(kernel), *row.rivals(kernel))} == {row.precision}
    assert set(row.among) <= {v.name for v in kernel.variants}
    for need in row.needs:
        wanted = [need.variant] if isinstance(need, OfYardstick) else need.ours if isinstance(need, Worst) else []
        assert set(wanted) <= set(names), wording(need)
    assert row.quick().cases
    assert row.quick().needs


def test_every_row_has_a_name_of_its_own_and_a_word_may_name_several() -> None:
    rows = ROWS["cpu"]
    for machine in ROWS.values():
        assert len({row.name for row in machine}) == len(machine)
    assert chosen_rows(rows, None) == rows
    assert {row.name for row in chosen_rows(rows, "lstm, matmul")} == {"lstm", "matmul:square", "matmul:shapes"}
    with pytest.raises(UsageError, match=r"--rows conv2d:3x4: .*did you mean conv2d:3x3\?"):
        chosen_rows(rows, "conv2d:3x4")
