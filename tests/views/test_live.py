"""The live view from scripted events: a terminal's frames, and lines where there is no terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import scripted
from rich.console import Console
from scripted import measure, plan, record, usual

from gpuplay.plan.cells import Plan
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.results.events import Final, Provisional, StateChanged
from gpuplay.results.result import Result
from gpuplay.views.sweep.live import LiveView


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def terminal(width: int = 80, height: int = 40, *, environ: Mapping[str, str] | None = None) -> Console:
    environment = {"TERM": "xterm-256color"} if environ is None else environ
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=height, _environ=environment, legacy_windows=False
    )


def written(console: Console) -> str:
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def results_of(found: Plan) -> Mapping[tuple[str, int], Result]:
    return {(r.cell.variant, r.cell.size): r for r in measure(found, usual)}


def skip_slow(cell: Cell) -> str:
    return "would take about 21 s (--cell-limit)" if cell.variant == "cpu:scalar" and cell.size == 1024 else ""


def opened(console: Console, **more: object) -> tuple[LiveView, Plan, Mapping[tuple[str, int], Result], Clock]:
    found = plan(sizes=(256, 512, 1024), skip=skip_slow)
    clock = Clock()
    view = LiveView(console, found, record=record(()), clock=clock, **more)  # type: ignore[arg-type]
    return view, found, results_of(found), clock


FIRST = """\
matmul  C = A·B, n×n, float32        1× = numpy:blas, 2 threads
AMD EPYC 9R14, 2 cores, AVX-512
12 cells, 1 skipped, at most 24 MiB of arrays at a time
"""


def test_the_first_frame_has_the_plan_and_every_row() -> None:
    view, *_ = opened(terminal())
    text = view.frame().plain
    assert [line.split() for line in text.splitlines()[:3]] == [line.split() for line in FIRST.splitlines()]
    assert [line.split()[0] for line in text.splitlines()[7:10]] == ["256", "512", "1024"]
    assert "¹ skipped: would take about 21 s (--cell-limit)" in text
    assert text.endswith("  0 of 12 cells · 1 s gone · Ctrl-C keeps what was measured")


def test_provisional_values_are_marked_and_the_running_cell_says_its_state() -> None:
    view, _, results, clock = opened(terminal())
    view.start()
    try:
        for variant in ("numpy:blas", "cpu:scalar"):
            view.handle(Provisional(results[variant, 256]))
        view.handle(StateChanged(results["cpu:simd", 256].cell, "waiting"))
        view.handle(StateChanged(results["cpu:parallel", 256].cell, "verifying"))
        clock.now += 41
        lines = view.frame().plain.splitlines()
    finally:
        view.stop()
    row = next(line for line in lines if line.startswith("   256"))
    assert row.split() == ["256", "~168", "µs", "200", "GFLOP/s", "~1/80", "×", "waiting", "verifying", "▸", "2", "%"]
    assert any("~ provisional" in line for line in lines)
    assert "▸ cpu:parallel n = 256 verifying · 0 of 12 cells · 41 s gone" in lines[-2]
    assert lines[-1] == "  Ctrl-C keeps what was measured"


def test_final_values_lose_their_mark() -> None:
    view, _, results, _ = opened(terminal())
    view.handle(Provisional(results["numpy:blas", 256]))
    assert "~168 µs" in view.frame().plain
    view.handle(Final(results["numpy:blas", 256]))
    assert "~168 µs" not in view.frame().plain
    assert "168 µs" in view.frame().plain


def test_the_columns_stand_still_while_their_cells_fill_in() -> None:
    view, _, results, _ = opened(terminal(width=160))
    rules = set()
    for variant in scripted.CPU:
        result = results[variant, 256]
        for event in (StateChanged(result.cell, "verifying"), Provisional(result), Final(result)):
            view.handle(event)
            rules.add(next(line for line in view.frame().plain.splitlines() if line.startswith("  ──")))
    assert len(rules) == 1


def test_the_time_left_follows_the_cells_measured_and_never_exceeds_the_limit() -> None:
    view, _, results, clock = opened(terminal(width=120))
    clock.now += 10
    for variant in ("numpy:blas", "cpu:simd"):
        view.handle(Final(results[variant, 256]))
    assert "2 of 12 cells · 10 s gone, about 45 s left" in view.frame().plain
    limited = LiveView(terminal(width=120), plan(settings=Settings(time_s=15)), clock=clock)
    clock.now += 10
    for variant in ("numpy:blas", "cpu:simd"):
        limited.handle(Final(results[variant, 256]))
    assert "10 s gone, about 5 s left" in limited.frame().plain


def test_a_frame_is_never_taller_than_the_terminal_and_keeps_the_running_row_in_view() -> None:
    found = plan(sizes=tuple(range(100, 5000, 100)))
    view = LiveView(terminal(height=20), found, record=record(()), clock=Clock())
    results = results_of(found)
    view.handle(StateChanged(results["cpu:simd", 3000].cell, "timing"))
    lines = view.frame().plain.splitlines()
    assert len(lines) <= 19
    assert any(line.split()[:1] == ["3000"] and "timing ▸" in line for line in lines)
    assert any("of 49; the final table has them all" in line for line in lines)


def test_the_terminal_is_clean_when_the_view_stops() -> None:
    console = terminal()
    view, _, results, _ = opened(console)
    view.start()
    view.handle(Final(results["numpy:blas", 256]))
    view.stop()
    text = written(console)
    assert text.count("\x1b[2K") >= view.frame().plain.count("\n")
    assert text.endswith("\x1b[?25h\r\x1b[1A\x1b[2K") or "\x1b[1A" in text[-40:]


LINES = """\
matmul: 12 cells, 1 skipped, at most 24 MiB of arrays at a time
[1/12] cpu:scalar n=1024: skipped: would take about 21 s (--cell-limit)
[2/12] numpy:blas n=256: 168 µs, 200 GFLOP/s
[3/12] cpu:simd n=256: 329 µs, 102 GFLOP/s, 0.51 × numpy:blas
[4/12] cpu:parallel tile=64 n=256: wrong: C[254, 255] is 1.5, expected 2.5; last column; 256 is no multiple of 16
"""


def play(view: LiveView, results: Mapping[tuple[str, int], Result]) -> None:
    view.start()
    view.handle(Final(results["cpu:scalar", 1024]))
    view.handle(StateChanged(results["numpy:blas", 256].cell, "building"))
    view.handle(Final(results["numpy:blas", 256]))
    view.handle(Provisional(results["cpu:simd", 256]))
    view.handle(Final(results["cpu:simd", 256]))
    view.handle(Final(scripted.wrong(results["cpu:parallel", 256].cell, "MIMD")))
    view.stop()


def check_lines(make: Callable[[], Console], *, plain: bool) -> None:
    console = make()
    view, _, results, _ = opened(console, plain=plain)
    play(view, results)
    assert written(console) == LINES


def test_without_a_terminal_every_finished_cell_is_one_plain_line() -> None:
    check_lines(lambda: Console(file=io.StringIO(), width=80), plain=False)


def test_plain_and_dumb_terminals_get_lines_too() -> None:
    check_lines(lambda: terminal(environ={"TERM": "dumb"}), plain=False)
    check_lines(terminal, plain=True)


def test_the_time_stops_with_the_view() -> None:
    view, _, _, clock = opened(Console(file=io.StringIO()))
    clock.now += 5
    view.start()
    clock.now += 7
    view.stop()
    clock.now += 9
    assert view.elapsed_s == 7
