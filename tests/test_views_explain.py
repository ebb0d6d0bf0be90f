"""The pages of ``explain`` to the letter from scripted reports; exports that parse and hold everything."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from gpuplay.errors import UsageError
from gpuplay.lockstep.record import Report
from gpuplay.results.result import Result
from gpuplay.views.check import watch
from gpuplay.views.explain import compare, export, lanes, page
from gpuplay.views.explain.data import Document
from gpuplay.views.explain.figures import amount, bar
from gpuplay.views.text.layout import show
from tests import scripted
from tests.screen import kept
from tests.scripted import measure, plan
from tests.scripted_report import RACE, banks, drawn, explained, one_line, report, worked

PADDED = replace(
    report(),
    lines=tuple(
        (place, replace(counts, shared_loads=banks(1)) if counts.shared_loads.requests else counts)
        for place, counts in report().lines
    ),
)


def explained_page(width: int) -> Text:
    return page.render(explained(), width)


def explained_fault(width: int) -> Text:
    found = report(faults=(RACE,))
    return page.render(explained(found, "failed", "race: …"), width)


def explained_pair(width: int) -> Text:
    return compare.render(explained(), explained(PADDED, variant="cuda:padded", knobs=()), width)


def lanes_of_global(width: int) -> Text:
    maps = [
        drawn(16, "A", lambda lane: 256 * lane, 32, 4),
        drawn(16, "B", lambda lane: 4 * lane + 4, 5, 4),
        drawn(16, "C", lambda lane: 8 * lane if lane < 9 else None, 3, 3, width=8),
        drawn(16, "D", lambda lane: 256 * (lane // 8), 4, 1),
    ]
    return lanes.render(explained(), maps, width)


def lanes_of_shared(width: int) -> Text:
    maps = [
        drawn(19, "tile", lambda lane: 4 * lane, 1, 1, space="shared"),
        drawn(19, "tile", lambda lane: 64 * lane, 16, 1, space="shared", ways=16),
        drawn(19, "wide", lambda lane: 8 * lane, 2, 2, space="shared", width=8),
        drawn(19, "one", lambda _lane: 12, 1, 1, space="shared"),
    ]
    return lanes.render(explained(), maps, width)


def watched(width: int) -> Text:
    found = plan(variants=("numpy:blas", "cpu:simd"), sizes=(1, 33))

    def outcome(cell: scripted.Cell) -> Result:
        if cell.variant == "cpu:simd" and cell.size == 33:
            return scripted.wrong(cell, "SIMD")
        return Result(cell, "SIMD", "verified")

    return watch.render(found.kernel, measure(found, outcome), width, 8)


VIEWS: dict[str, Callable[[int], Text]] = {
    f.__name__: f for f in (explained_page, explained_fault, explained_pair, lanes_of_global, lanes_of_shared, watched)
}


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", VIEWS)
def test_the_view_looks_as_its_screen_does(name: str, width: int) -> None:
    text = VIEWS[name](width).plain + "\n"
    assert text == kept(name, width, text)
    assert max(map(len, text.splitlines())) <= width


def test_the_first_failure_stands_on_top_of_a_screen_that_is_cut_to_its_height() -> None:
    lines = watched(100).plain.splitlines()
    assert lines[0].startswith("  ✗ cpu:simd")
    assert len(lines) == 8
    assert "more lines" in lines[-1]


def test_no_line_of_source_is_cut_however_narrow_the_screen() -> None:
    text = page.render(explained(), 60).plain
    joined = " ".join(" ".join(line.split("  ")[-1] for line in text.splitlines()).split())
    assert "out[j, i] = scaled(tile[x, y])" in joined
    assert max(map(len, text.splitlines())) <= 60


def test_what_is_marked_by_colour_is_marked_without_it_as_well() -> None:
    found = explained(report(faults=(RACE,)), "failed")
    coloured, plain = io.StringIO(), io.StringIO()
    show(Console(file=coloured, width=100, force_terminal=True, color_system="truecolor"), page.render(found, 100))
    show(Console(file=plain, width=100, no_color=True), page.render(found, 100))
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()
    lines = {line.split()[0]: line for line in plain.getvalue().splitlines() if line[:2].strip().isdecimal()}
    assert "32/4 !" in lines["16"]
    assert "✗" in lines["19"]
    assert "█" in lines["19"]


def test_a_function_without_shared_memory_has_no_column_for_it() -> None:
    text = page.render(explained(one_line(worked(float32=64))), 80).plain
    assert "FLOPs" in text
    assert "bank" not in text.split("Findings")[0]


def test_a_run_that_ended_before_anything_was_executed_says_why_and_claims_nothing() -> None:
    found = explained(Report(), "failed", "mine.py:12: the lockstep machine does not cover set literals")
    text = page.render(found, 80).plain
    assert "does not cover set literals" in " ".join(text.split())
    assert "Findings" not in text


# --- exports ---


def document() -> Document:
    pair = [explained(report(faults=(RACE,)), "failed", "race"), explained(PADDED, variant="cuda:padded")]
    return Document(pair, "0.1.0", "2026-01-02T03:04:05+00:00", ("gpuplay", "explain", "a<b>.py"), 0)


def test_json_holds_every_line_with_its_counters_and_is_strict() -> None:
    read = json.loads(export.text(".json", document()), parse_constant=pytest.fail)
    first = read["explained"][0]
    assert read["schema"] == "gpuplay-explain/1"
    assert first["total"]["warp_instructions"] == report().total.warp_instructions
    lines = {entry["line"]: entry for entry in first["functions"][0]["lines"]}
    assert lines[16]["counts"]["global_loads"]["sectors"] == 32 * 128
    assert lines[16]["text"].strip() == "tile[y, x] = A[i, j]"
    assert "counts" not in lines[10]
    assert first["faults"][0]["other"]["line"] == 16
    assert [finding["kind"] for finding in first["findings"]] == ["fault", "bank conflict", "uncoalesced"]
    assert len(first["maps"]) == 4
    assert {row["counter"] for row in read["compared"]} >= {"warp instructions", "shared loads: wavefronts"}


class Page(HTMLParser):
    """The tags of a page, each closed in its order, and what they refer to."""

    EMPTY = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_one_well_formed_page_that_needs_no_other_file() -> None:
    text = export.text(".html", document())
    read = Page()
    read.feed(text)
    assert read.open == []
    assert read.links == []
    assert {"table", "pre", "style", "details", "ol"} <= read.seen
    assert "script" not in read.seen
    assert "url(" not in text
    for words in ("a<b>.py", "if i < A.shape[0]", "32/4", "nothing orders the two", "cuda:padded"):
        assert words in read.text
    assert "background: rgba(" in text


def test_markdown_holds_findings_source_and_table() -> None:
    text = export.text(".md", document())
    assert text.count("```") % 2 == 0
    assert "| shared loads: wavefronts |" in text
    assert "tile[y, x] = A[i, j]" in text
    assert "2. line 19: a warp's loads of tile take 32 wavefronts" in text


def test_files_that_cannot_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown suffix '.csv'; use .json, .md, .html"):
        export.refuse([str(tmp_path / "x.csv")])
    with pytest.raises(UsageError, match="there is no folder"):
        export.refuse([str(tmp_path / "no" / "x.html")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0"), (999, "999"), (1000, "1.00k"), (16_384, "16.4k"), (524_288, "524k"), (1_048_576, "1.05M")]
)
def test_counts_are_short(n: int, text: str) -> None:
    assert amount(n) == text


def test_a_bar_shows_the_smallest_share_and_never_more_than_the_whole() -> None:
    assert bar(0.0, 2) == "  "
    assert bar(0.001, 2) == "▏ "
    assert bar(1.0, 2) == "██"
