"""``gpuplay ladder``: rungs and their gains from scripted results, source changes, and one real climb."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemas
import scripted
from command import BUNDLED, Gpuplay
from rich.console import Console
from scenes.ladders import BLOCKED, MATMUL, NAIVE, NAMES, climb_interrupted, planned, printed, time_of
from scripted import measure, record

from gpuplay.analysis.ladder.change import change
from gpuplay.analysis.ladder.rungs import ladders
from gpuplay.catalog.definitions import Definition
from gpuplay.errors import UsageError
from gpuplay.plan.rungs import others, rungs
from gpuplay.results.cell import Cell
from gpuplay.views.ladder import change as change_view
from gpuplay.views.ladder import page as view
from gpuplay.views.sweep.export import document
from gpuplay.views.text.layout import show

# --- the chain ---


def test_a_ladder_goes_from_the_first_rung_up_along_what_each_improves_on() -> None:
    assert rungs(MATMUL, None) == NAMES
    assert rungs(MATMUL, "cpu") == NAMES
    assert rungs(MATMUL, "cpu:simd") == NAMES[:3]
    assert rungs(MATMUL, "cpu:winograd") == ("cpu:naive", "cpu:blocked", "cpu:winograd")
    assert rungs(MATMUL, "cpu:parallel,cpu:naive") == ("cpu:naive", "cpu:parallel")


def test_of_two_ladders_of_one_length_the_story_has_the_word() -> None:
    shorter = replace(MATMUL, variants=tuple(v for v in MATMUL.variants if v.name != "cpu:parallel"))
    assert rungs(replace(shorter, story=("cpu:winograd",)), None)[-1] == "cpu:winograd"
    assert rungs(replace(shorter, story=("cpu:simd",)), None)[-1] == "cpu:simd"


def test_the_tops_of_other_ladders_are_known() -> None:
    assert others(MATMUL, NAMES) == ("cpu:winograd",)
    assert others(MATMUL, ("cpu:naive", "cpu:blocked", "cpu:winograd")) == ("cpu:parallel",)


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("cuda", "has no ladder on cuda: it has one with --on cpu"),
        ("numpy:blas", "has no ladder on numpy:blas: it has one with --on cpu"),
        ("cpu,cuda", "a ladder is of one target"),
        ("cpu:smid", "did you mean cpu:simd?"),
    ],
)
def test_what_is_no_ladder_is_refused_with_what_is(on: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        rungs(MATMUL, on)
    assert words in str(refused.value)


def test_a_kernel_that_declares_no_ladder_says_what_makes_one() -> None:
    flat = replace(MATMUL, variants=tuple(replace(variant, improves_on="") for variant in MATMUL.variants))
    with pytest.raises(UsageError, match="declare improves_on"):
        rungs(flat, None)


# --- the gains ---


def test_a_gain_is_on_the_rung_below_and_a_total_on_the_first() -> None:
    found = planned()
    _, (one,) = ladders(record(measure(found, time_of)), found, NAMES)
    gains = [rung.gain.ratio if rung.gain else None for rung in one.rungs]
    assert gains == [None, pytest.approx(12.5), pytest.approx(6.4), pytest.approx(0.05 / 0.0256)]
    assert [rung.total.ratio if rung.total else None for rung in one.rungs][3] == pytest.approx(156.25)
    assert not any(one.skips(rung) for rung in one.rungs)
    assert [rung.variant.name for rung in one.beside] == ["numpy:blas"]


def test_a_gain_is_on_the_nearest_rung_below_that_has_a_time() -> None:
    found = planned(skip=lambda cell: "too long" if cell.variant == "cpu:blocked" else "")
    _, (one,) = ladders(record(measure(found, time_of)), found, NAMES)
    blocked, simd = one.rungs[1:3]
    assert (blocked.gain, blocked.total) == (None, None)
    assert simd.gain is not None
    assert (simd.below, simd.gain.ratio) == ("cpu:naive", pytest.approx(80))
    assert one.skips(simd)


def test_a_wrong_rung_has_no_time_and_nothing_is_measured_by_it() -> None:
    found = planned()
    times: Callable[[Cell], Any] = lambda c: scripted.wrong(c, "SISD") if c.variant == "cpu:naive" else time_of(c)  # noqa: E731
    made = record(measure(found, times))
    _, (one,) = ladders(made, found, NAMES)
    assert one.first == "cpu:blocked"
    assert one.rungs[1].gain is None
    assert "1.00 ms" not in printed(found, made, 160, names=NAMES)


def test_json_has_every_rung_with_its_gains_and_its_share_of_the_roof() -> None:
    found = planned()
    made = document(record(measure(found, time_of)), found, view.page(NAMES))
    jsonschema.validate(made, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
    (one,) = made["ladder"]
    assert [rung["variant"] for rung in one["rungs"]] == list(NAMES)
    assert one["rungs"][2]["gain"] == pytest.approx(6.4)
    assert one["rungs"][2]["of_roof"] == pytest.approx(2 * 1024**3 / 117e9 / 0.05)
    assert one["beside"][0]["variant"] == "numpy:blas"


def test_markdown_has_the_table_the_ideas_and_the_sum() -> None:
    found = planned()
    text = view.page(NAMES).markdown(record(measure(found, time_of)), found)
    assert "| cpu:simd | SIMD | 50.0 ms | 6.40 × | 80 × | 37 % compute | 2 % | sixteen numbers at a time |" in text
    assert "From cpu:naive to cpu:parallel: 156×, of which blocked 12×, simd 6.4×, parallel 2.0×." in text


# --- the sum ---


def test_what_was_not_finished_is_no_part_of_the_sum() -> None:
    text = printed(*climb_interrupted()[:2], 80, names=NAMES, interrupted=True)
    assert "From cpu:naive to cpu:blocked: 12×." in text
    assert "cpu:parallel is" not in text


# --- the source changes ---

STEPS = """
import helper
from gpuplay.kernel import Kernel, Variant
from helper import LIMIT

FACTOR = 2


def inputs(p, rng):
    return {"x": rng.standard_normal(p.n, dtype=p.dtype)}


def reference(p, x):
    return 2 * x


def _step(y, x):
    y[:] = FACTOR * x


def first(p):
    def run(y, x):
        for i in range(min(LIMIT, len(x))):
            y[i] = FACTOR * x[i]

    return run


def second(p):
    def run(y, x):
        helper.checked(x)
        _step(y, x)

    return run


KERNEL = Kernel(
    name="steps", summary="y = 2x", size="64", inputs=inputs, output=lambda p: p.n, reference=reference,
    variants=(
        Variant("cpu:loop", "SISD", "element by element", first),
        Variant("cpu:same", "SIMD", "the same, with vectors", first, improves_on="cpu:loop"),
        Variant("cpu:whole", "SIMD", "all at once", second, improves_on="cpu:same"),
        Variant("cpu:lambda", "SIMD", "nobody knows", lambda p: first(p), improves_on="cpu:loop"),
    ),
)
"""
HELPER = """
LIMIT = 64


def checked(x):
    assert _size(x) > 0


def _size(x):
    return len(x)


def unused(x):
    return x
"""


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    (tmp_path / "steps.py").write_text(STEPS, encoding="utf-8")
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    return tmp_path


def test_a_change_shows_what_one_rung_uses_and_the_other_does_not(gpuplay: Gpuplay, steps: Path) -> None:
    done = gpuplay("ladder", "./steps.py", "--on", "cpu:same,cpu:whole", "--diff", folder=steps)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "cpu:same → cpu:whole  SIMD: all at once"
    assert f"--- cpu:same  {steps.name}/steps.py" in lines
    assert f"+++ cpu:whole  {steps.name}/helper.py" in lines
    assert {"-def first(p):", "+def second(p):", "+def _step(y, x):", "+def checked(x):", "+def _size(x):"} <= {*lines}
    assert "-LIMIT = 64" in lines, "only the first rung has a limit"
    assert not any("FACTOR = 2" in line for line in lines), "both use it"
    assert "unused" not in done.out
    assert "\x1b" not in done.out


def test_a_terminal_shows_what_goes_in_red_and_what_comes_in_green() -> None:
    definitions = {
        name: (Definition(Path("matmul/cpu.py"), line, name, f"def {name}(p):\n    return {line}", function=True),)
        for line, name in enumerate(("cpu:naive", "cpu:blocked"), 1)
    }
    step = change(NAIVE, BLOCKED, definitions, dict.fromkeys(definitions, "sisd"))
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    show(console, change_view.render([step], 80))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[31m-    return 1\x1b[0m" in text
    assert "\x1b[32m+    return 2\x1b[0m" in text


def test_the_same_source_is_said_in_words(gpuplay: Gpuplay, steps: Path) -> None:
    done = gpuplay("ladder", "./steps.py", "--on", "cpu:same", "--diff", folder=steps)
    assert done.code == 0, done.err
    assert "The same source: cpu:loop is compiled without vector instructions" in done.out
    assert "---" not in done.out


def test_a_builder_that_has_no_name_is_refused_with_its_file(gpuplay: Gpuplay, steps: Path) -> None:
    done = gpuplay("ladder", "./steps.py", "--on", "cpu:lambda", "--diff", folder=steps)
    assert done.code == 2
    assert "steps.py: cpu:lambda is built by 'lambda', which is no function of this file" in done.err


def test_changes_are_no_results_to_export(gpuplay: Gpuplay) -> None:
    done = gpuplay("ladder", "matmul", "--diff", "--json")
    assert done.code == 2
    assert "leave --json away" in done.err


@pytest.mark.parametrize("kernel", BUNDLED)
def test_every_bundled_kernel_has_a_ladder_with_sources(gpuplay: Gpuplay, kernel: str) -> None:
    done = gpuplay("ladder", kernel, "--diff")
    assert done.code == 0, done.err
    assert done.out.count(" → cpu:") >= 2
    assert "  MIMD: " in done.out


def test_a_ladder_is_measured_verified_and_exported(gpuplay: Gpuplay, tmp_path: Path) -> None:
    assert gpuplay("new", "mine", folder=tmp_path).code == 0
    files = [tmp_path / name for name in ("out.json", "out.md", "out.csv")]
    words = ("--sizes", "2^16", "--cell-time", "50ms", "--rounds", 2, "--detail")
    done = gpuplay("ladder", "./mine.py", *words, *(word for file in files for word in ("-o", file)), folder=tmp_path)
    assert done.code == 0, done.err
    assert "From cpu:scalar to cpu:parallel:" in done.out
    assert "for comparison: two passes over memory" in done.out
    made = json.loads(files[0].read_text(encoding="utf-8"))
    jsonschema.validate(made, schemas.SWEEP, cls=jsonschema.Draft202012Validator)
    rows = [(rung["variant"], rung["below"]) for rung in made["ladder"][0]["rungs"]]
    assert rows == [("cpu:scalar", None), ("cpu:simd", "cpu:scalar"), ("cpu:parallel", "cpu:simd")]
    assert {result["status"] for result in made["results"]} == {"ok"}
    assert files[1].read_text(encoding="utf-8").startswith("# Ladder of mine\n")
    assert len(files[2].read_text(encoding="utf-8").splitlines()) == 5


def test_the_default_size_is_one_that_the_slowest_rung_can_do(gpuplay: Gpuplay) -> None:
    done = gpuplay("ladder", "matmul", "--plan")
    assert done.code == 0, done.err
    assert [line.split()[:2] for line in done.out.splitlines() if "GFLOP" in line] == [["1024", "2.15"]]
