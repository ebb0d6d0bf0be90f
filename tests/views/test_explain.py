"""What the pages of ``explain`` say, from scripted reports; exports that parse and hold everything."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from scenes.explaining import PADDED, watched
from scripted_report import RACE, explained, one_line, report, worked

from gpuplay.errors import UsageError
from gpuplay.lockstep.record import Report
from gpuplay.views.explain import export, page
from gpuplay.views.explain.data import ExplainDocument
from gpuplay.views.explain.figures import amount, bar
from gpuplay.views.text.layout import show


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


def document() -> ExplainDocument:
    pair = [explained(report(faults=(RACE,)), "failed", "race"), explained(PADDED, variant="cuda:padded")]
    return ExplainDocument(pair, "0.1.0", "2026-01-02T03:04:05+00:00", ("gpuplay", "explain", "a<b>.py"), 0)


def test_json_holds_every_line_with_its_counters_and_is_strict() -> None:
    read = json.loads(export.FORMS[".json"](document()), parse_constant=pytest.fail)
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
    text = export.FORMS[".html"](document())
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
    text = export.FORMS[".md"](document())
    assert text.count("```") % 2 == 0
    assert "| shared loads: wavefronts |" in text
    assert "tile[y, x] = A[i, j]" in text
    assert "2. line 19: a warp's loads of tile take 32 wavefronts" in text


def test_files_that_cannot_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown suffix '.csv'; use .json, .md, .html"):
        export.exporter([str(tmp_path / "x.csv")])
    with pytest.raises(UsageError, match="there is no folder"):
        export.exporter([str(tmp_path / "no" / "x.html")])
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
