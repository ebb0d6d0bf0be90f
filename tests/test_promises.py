"""The promises against the libraries: the table is sound, and results written by hand are judged to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from rich.text import Text

from gpuplay.analysis.peers.judging import Judgement, judge, unmeasured
from gpuplay.analysis.peers.report import Report, sentences, wording
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.commands import peers
from gpuplay.commands.asked import Output
from gpuplay.commands.steps.opened import Opened
from gpuplay.errors import UsageError
from gpuplay.kernel import Kernel
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.peers.rows import ROWS, chosen_rows
from gpuplay.peers.terms import Case, Mean, OfRoof, OfYardstick, Promise, Scaling, Worst, case
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.views.peers import export, page
from gpuplay.views.sweep.page import SWEEP
from tests import scripted
from tests.screen import kept
from tests.scripted import BLAS, MATMUL, ok, record, timing

TESTS = Path(__file__).parent
RIVAL = replace(BLAS, name="torch:mm")
FAST = replace(scripted.PARALLEL, name="cpu:fast", knobs={})
KERNEL = replace(MATMUL, variants=(*MATMUL.variants, RIVAL, FAST))
SQUARE = Promise(
    name="matmul:square",
    kernel="matmul",
    cases=(case(128), case(512, quick=True), case(2048)),
    needs=(Mean(1.05), Worst(0.95, smallest=256), Worst(0.8, largest=255), OfRoof(0.88, "fma_float32", smallest=1024)),
)
SHAPES = Promise(
    name="matmul:shapes",
    kernel="matmul",
    cases=(case(64, "4096×64×4096", m=4096, k=4096, quick=True), case(129, "127×129×131", m=127, k=131)),
    needs=(Worst(0.85), Worst(0.5, ours=("cpu:parallel",))),
)
SCALED = Promise("scaling:matmul", "matmul", (case(2048, quick=True),), (Scaling(1.85, 2),), peers=(), threads=(1, 2))
Seconds = dict[str, float | Result | None]


def cell(promise: Promise, one: Case, variant: str, threads: int = 2) -> Cell:
    problem = promise.problem(KERNEL, one)
    return Cell("matmul", problem.n, problem.params, variant, threads=threads)


def results(promise: Promise, *rows: Seconds) -> list[Result]:
    """Results of each case: seconds, or a whole result, or None for not measured."""
    found = []
    for one, row in zip(promise.cases, rows, strict=True):
        for variant, value in row.items():
            at = cell(promise, one, variant)
            if isinstance(value, Result):
                found.append(replace(value, cell=at))
            elif value is not None:
                found.append(ok(at, KERNEL.variant(variant).flynn, timing(value)))
    return found


def judged(promise: Promise, *rows: Seconds, remarks: Sequence[str] = ()) -> Judgement:
    return judge(promise, KERNEL, results(promise, *rows), scripted.ROOFS, remarks)


def skipped(reason: str) -> Result:
    return Result(Cell("matmul", 1, (), "numpy:blas"), "library", "skipped", reason)


GOOD = (
    {"numpy:blas": 1.1e-5, "torch:mm": 1e-5, "cpu:parallel": 1.2e-5, "cpu:fast": 1.1e-5},
    {"numpy:blas": 1.3e-3, "torch:mm": 1.2e-3, "cpu:parallel": 1.0e-3, "cpu:fast": 1.5e-3},
    {"numpy:blas": 9.6e-2, "torch:mm": 9.8e-2, "cpu:parallel": 8.0e-2, "cpu:fast": None},
)


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
    mean, large, small, roof = judgement.findings
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
    assert [finding.holds for finding in judgement.findings] == [False, False, True, True]
    assert judgement.state == "missed"
    said = " ".join(sentences(Report(record(judgement.results), (judgement,), 1)))
    assert "1 row judged: none holds." in said
    assert "matmul:square misses: mean of 3 cases" in said
    assert "worst from n = 256 0.92 × of 0.95 × at n = 512" in said


@pytest.mark.parametrize("who", ["cpu:parallel", "torch:mm"])
def test_a_wrong_cell_fails_the_row_whatever_its_figures(who: str) -> None:
    bad = scripted.wrong(cell(SQUARE, SQUARE.cases[1], who), "MIMD")
    judgement = judged(SQUARE, GOOD[0], {**GOOD[1], who: bad}, GOOD[2])
    assert judgement.state == "wrong"
    assert Report(record(judgement.results), (judgement,), 1).missed
    assert f"1 bad cell, {who} n=512 is wrong: C[510, 511]" in " ".join(
        sentences(Report(record(judgement.results), (judgement,), 1))
    )


@pytest.mark.parametrize("who", [("cpu:parallel", "cpu:fast"), ("numpy:blas", "torch:mm")], ids=["ours", "libraries"])
def test_without_ours_or_any_library_a_case_is_not_judged_and_says_why(who: tuple[str, str]) -> None:
    judgement = judged(SQUARE, GOOD[0], {**GOOD[1], **dict.fromkeys(who, skipped("needs 9 GiB"))}, GOOD[2])
    assert judgement.state == "not judged"
    report = Report(record(judgement.results), (judgement,), 1)
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
    close = judged(SQUARE, GOOD[0], {**GOOD[1], "cpu:parallel": noisy}, GOOD[2]).findings[1]
    assert close.holds
    assert close.close
    assert not judged(SQUARE, *GOOD).findings[1].close


def test_a_figure_missed_by_digits_that_are_not_shown_is_shown_as_less() -> None:
    row = {"numpy:blas": 0.8499, "cpu:parallel": 1.0}
    judgement = judged(SHAPES, row, {**row, "cpu:parallel": 0.5})
    assert judgement.findings[0].holds is False
    assert "worst <0.85 × of 0.85 ×" in " ".join(sentences(Report(record([]), (judgement,), 1)))


def test_a_condition_may_be_about_one_of_our_variants() -> None:
    row = {"numpy:blas": 1.0, "cpu:parallel": 2.5, "cpu:fast": 0.8}
    worst, only = judged(SHAPES, row, {**row, "cpu:parallel": 1.0}).findings
    assert worst.holds
    assert only.got == pytest.approx(0.4)
    assert only.holds is False


def test_scaling_compares_one_variant_with_itself() -> None:
    times = {("cpu:parallel", 1): 0.18, ("cpu:parallel", 2): 0.1, ("cpu:fast", 1): 0.17, ("cpu:fast", 2): 0.09}
    found = [ok(cell(SCALED, SCALED.cases[0], name, th), "MIMD", timing(t)) for (name, th), t in times.items()]
    (finding,) = judge(SCALED, KERNEL, found, scripted.ROOFS).findings
    assert finding.got == pytest.approx(0.17 / 0.09)
    (finding,) = judge(SCALED, KERNEL, found[:1], scripted.ROOFS).findings
    assert finding.holds is None


def test_a_yardstick_is_another_problem_of_the_same_size() -> None:
    rod = OfYardstick(1.2, 2048, "torch:mm", (("k", 1),), "a thin product")
    promise = replace(SQUARE, needs=(rod,))
    thin = replace(promise, params=(("k", 1),))
    beside = ok(cell(thin, thin.cases[2], "torch:mm"), "library", timing(0.1))
    (finding,) = judge(promise, KERNEL, [*results(promise, *GOOD), beside], None).findings
    assert finding.got == pytest.approx(0.1 / 0.08)
    assert finding.holds
    assert judge(promise, KERNEL, results(promise, *GOOD), None).state == "not judged"


def test_a_roof_that_is_not_known_leaves_its_condition_open() -> None:
    assert judge(SQUARE, KERNEL, results(SQUARE, *GOOD), None).findings[3].reason == "the roof is not known"


GPU_KERNEL = replace(
    MATMUL,
    variants=(
        *MATMUL.variants,
        replace(BLAS, name="torch_gpu:mm"),
        replace(BLAS, name="torch_gpu:mm_tf32", compute="tfloat32"),
        replace(scripted.TILED, name="cuda:warps", knobs={}),
        replace(scripted.TILED, name="cuda:tf32", knobs={}, compute="tfloat32"),
        replace(scripted.TILED, name="cuda:tf32x3", knobs={}, compute="tfloat32x3"),
    ),
)
ON_A_GPU = Promise(
    name="matmul:float32",
    kernel="matmul",
    cases=(case(1024), case(4096)),
    needs=(Mean(1.0), Worst(1.5, smallest=4096, ours=("cuda:tf32x3",)), OfRoof(0.9, "copy")),
    target="cuda",
    peers=("torch_gpu",),
)
TENSOR = replace(ON_A_GPU, name="matmul:tfloat32", needs=(Worst(0.6, ours=("cuda:tf32",)),), precision="tfloat32")


def on_a_gpu(promise: Promise, *rows: dict[str, float]) -> list[Result]:
    """Results of each case on a GPU, in seconds; the library says what it ran."""
    found = []
    for one, row in zip(promise.cases, rows, strict=True):
        problem = promise.problem(GPU_KERNEL, one)
        for variant, value in row.items():
            at = Cell("matmul", problem.n, problem.params, variant)
            ran = "ampere_sgemm_128x128_nn" if variant.startswith("torch_gpu") else ""
            named = "PyTorch 2.11.0, cuBLAS 13.1.0, TF32 off" if ran else ""
            flynn = GPU_KERNEL.variant(variant).flynn
            found.append(ok(at, flynn, timing(value), library=named, algorithm=ran))
    return found


FAST_GPU = (
    {"cuda:warps": 6.0e-5, "cuda:tf32x3": 4.0e-5, "torch_gpu:mm": 6.1e-5},
    {"cuda:warps": 2.9e-3, "cuda:tf32x3": 1.8e-3, "torch_gpu:mm": 3.0e-3},
)
SLOW_TENSOR = (
    {"cuda:tf32": 1.5e-5, "torch_gpu:mm_tf32": 1.0e-5},
    {"cuda:tf32": 8.0e-4, "torch_gpu:mm_tf32": 4.0e-4},
)


def test_on_a_gpu_variants_stand_against_libraries_of_their_precision_and_the_roof_of_the_gpu() -> None:
    mean, split, roof = judge(ON_A_GPU, GPU_KERNEL, on_a_gpu(ON_A_GPU, *FAST_GPU), scripted.GPU_ROOFS).findings
    assert mean.got == pytest.approx((6.1 / 6.0 * 3.0 / 2.9) ** 0.5)  # what is as exact by other arithmetic is left out
    assert split.got == pytest.approx(3.0 / 1.8)
    assert roof.got == pytest.approx(scripted.moved(on_a_gpu(ON_A_GPU, *FAST_GPU)[3].cell) / 2.9e-3 / 4.3e12)
    assert (mean.holds, split.holds, roof.holds) == (True, True, False)
    assert TENSOR.rivals(GPU_KERNEL) == ("torch_gpu:mm_tf32",)
    (tensor,) = judge(TENSOR, GPU_KERNEL, on_a_gpu(TENSOR, *SLOW_TENSOR), scripted.GPU_ROOFS).findings
    assert (tensor.got, tensor.holds) == (pytest.approx(0.5), False)


def gpu_report() -> Report:
    """A row of each precision, measured on a scripted GPU."""
    judgements = (
        judge(ON_A_GPU, GPU_KERNEL, on_a_gpu(ON_A_GPU, *FAST_GPU), scripted.GPU_ROOFS),
        judge(TENSOR, GPU_KERNEL, on_a_gpu(TENSOR, *SLOW_TENSOR), scripted.GPU_ROOFS),
    )
    return Report(record([r for judgement in judgements for r in judgement.results], gpu=True), judgements, 2)


@pytest.mark.parametrize("row", ROWS["cuda"], ids=lambda row: row.name)
def test_a_row_for_a_gpu_is_planned_shown_and_judged(row: Promise) -> None:
    here = Opened.of(find_kernel(row.kernel))
    run = peers._Run((row,), Settings(), Output(), missing={"torch_gpu": "", "cupy": ""})
    plan = run._plan(here, row, Machine(cores=16, gpu=GpuModel(modelled=False)))
    speeds = {"torch_gpu": 1.0, "cupy": 0.9, "cuda": 1.6}
    found = []
    for one in (cell for line in plan.rows for cell in line.all_cells if not cell.skip):
        variant, moved = here.kernel.variant(one.cell.variant), one.bytes
        assert moved
        seconds = moved / 3e12 / speeds[variant.target]
        more = {"library": variant.name if variant.flynn == "library" else "", "flops": one.flops, "bytes": moved}
        found.append(ok(one.cell, variant.flynn, timing(seconds), transfer=scripted.transfer(one.cell), **more))
    kept = record(found, gpu=True)
    assert SWEEP.render(kept, plan, 100, elapsed_s=1, interrupted=False).plain
    judgement = judge(row, here.kernel, found, scripted.GPU_ROOFS)
    asked = {finding.need.at_least <= 1.5 for finding in judgement.findings}
    assert judgement.state == ("holds" if asked == {True} else "missed")
    assert all(standing.found for standing in judgement.standings)
    assert all({len(line.all_cells) - len(line.cells)} <= {0, 1} for line in plan.rows)  # the copy beside


def no_gpu_report() -> Report:
    """The same rows where there is no GPU."""
    rows = (ON_A_GPU, TENSOR)
    return Report(record([]), tuple(unmeasured(row, "no NVIDIA driver here") for row in rows), len(rows))


def report() -> Report:
    """A row that holds, one that is missed within the noise, one not judged."""
    noisy = ok(cell(SHAPES, SHAPES.cases[0], "cpu:fast"), "MIMD", timing(1.2e-2, jitter=(0.97, 0.99, 1, 1.01, 1.03)))
    rows: tuple[Seconds, Seconds] = (
        {"numpy:blas": 1.2e-2, "torch:mm": 1.01e-2, "cpu:parallel": 1.3e-2, "cpu:fast": noisy},
        {"numpy:blas": 5e-5, "torch:mm": skipped("[not] here"), "cpu:parallel": 4e-5, "cpu:fast": 6e-5},
    )
    remark = "without torch (PyTorch is not installed): the other libraries alone"
    judgements = (
        judged(SQUARE, *GOOD),
        judged(SHAPES, *rows, remarks=(remark,)),
        judged(SCALED, {"cpu:parallel": replace(skipped("needs 2 cores, 1 can be used here"), flynn="MIMD")}),
    )
    measured = record([result for judgement in judgements for result in judgement.results])
    return Report(measured, judgements, 5, quick=True)


VIEWS: dict[str, Callable[[int], Text]] = {
    "peers": lambda width: page.render(report(), width, elapsed_s=191),
    "peers_detail": lambda width: page.render(replace(report(), interrupted=True), width, detail=True),
    "peers_gpu": lambda width: page.render(gpu_report(), width, detail=True, elapsed_s=95),
    "peers_no_gpu": lambda width: page.render(no_gpu_report(), width),
    "peers_plan": lambda width: page.planned((SQUARE, SHAPES, SCALED), width),
}


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", VIEWS)
def test_the_page_looks_as_its_screen_does(name: str, width: int) -> None:
    text = VIEWS[name](width).plain + "\n"
    assert text == kept(name, width, text)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("machine", ROWS)
def test_the_page_of_all_rows_fits_a_terminal_of_80_columns(machine: str) -> None:
    judgements = tuple(judge(row, declared(row), [], None) for row in ROWS[machine])
    text = page.render(Report(record([]), judgements, len(judgements)), 80, detail=True).plain
    assert max(map(len, text.splitlines())) <= 80
    assert "No row could be judged." in text


def schema() -> dict[str, object]:
    """The schema of the rows, around the schema of the results."""
    rows = json.loads((TESTS / "peers_schema.json").read_text(encoding="utf-8"))
    sweeps = json.loads((TESTS / "schema.json").read_text(encoding="utf-8"))
    properties = {name: sweeps["properties"][name] for name in sweeps["required"] if name != "schema"}
    return rows | {"properties": properties | rows["properties"], "$defs": sweeps["$defs"] | rows["$defs"]}


def test_the_json_is_valid_and_strict() -> None:
    document = json.loads(export.to_json(report()), parse_constant=pytest.fail)
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    validator.validate(document)
    assert [row["state"] for row in document["rows"]] == ["holds", "missed", "not judged"]
    for change in ({"extra": 1}, {"rows": [{}]}, {"asked": 0}, {"schema": "gpuplay/1"}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(document | change)


def test_the_markdown_has_every_case_the_machine_and_the_command(tmp_path: Path) -> None:
    path = tmp_path / "rows.md"
    export.Exporter([path]).write(report())
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
        export.Exporter([tmp_path / name])


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
