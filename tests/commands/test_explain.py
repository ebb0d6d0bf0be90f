"""``gpuplay explain`` as a user calls it: of a learner's file, of bundled kernels, and with wrong words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Gpuplay
from places import PLANTED

FILE = PLANTED / "transposes.py"


def planted(what: str) -> int:
    """The number of the line that is marked so."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    (found,) = (number for number, line in enumerate(lines, 1) if line.endswith(f"# planted: {what}"))
    return found


def words(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())


def test_loads_down_a_column_are_found_in_a_learners_file_with_line_and_remedy(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:column")
    assert done.code == 0, done.err
    assert (
        f"1. line {planted('column')}: a warp's loads of A touch 32 sectors, 4 would do: adjacent threads read down "
        "a column → let threadIdx.x walk along the row, the last index"
    ) in words(done.out)
    assert "scaled  device function" in done.out
    assert "bank" not in done.out


def test_the_default_is_the_last_cuda_variant_and_a_good_one_has_no_findings(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE)
    assert done.code == 0, done.err
    assert done.out.startswith("transposes  cuda:padded  n = 64")
    assert "Findings: none" in done.out


def test_a_race_is_named_with_both_lines_above_the_counters_and_exits_1(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:racy")
    assert done.code == 1
    head, _, rest = done.out.partition("by_tiles  GPU function")
    assert f"transposes.py:{planted('read')}: race" in head
    assert f"line {planted('written')}" in words(head)
    assert "cuda.syncthreads()" in head
    assert f"{planted('read')} ✗" in rest


def test_a_wrong_result_says_where_and_exits_1_with_the_counters_all_the_same(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:wrong")
    assert done.code == 1
    assert "wrong on the lockstep machine: out[" in done.out
    assert "expected" in done.out
    assert "Summary" in done.out


def test_what_numba_cannot_type_is_said_with_its_line(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:refused")
    assert done.code != 0
    assert str(planted("refused")) in done.out + done.err
    assert "Traceback" not in done.err


def test_float64_in_a_float32_kernel_comes_first(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:promoted")
    assert f"1. line {planted('float64')}: computes in float64" in words(done.out)


def test_a_bank_conflict_is_drawn_lane_by_lane(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:tiled", "--map", planted("read"))
    assert done.code == 0, done.err
    assert "loads of tile: 32 wavefronts, 1 would do" in done.out
    rows = [line.split() for line in done.out.partition("loads of tile")[2].splitlines()]
    assert ["32", "31"] in rows  # the last wavefront serves lane 31 in the only bank that is used
    assert "stores to out: 4 sectors, the least possible" in done.out


def test_two_variants_stand_side_by_side_with_the_ratio(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, "--on", "cuda:tiled,cuda:padded")
    assert done.code == 0, done.err
    lines = {words(line) for line in done.out.splitlines()}
    assert "shared loads: worst conflict, ways 32 1 1/32 ×" in lines
    assert any(line.startswith("counter") or "cuda:tiled cuda:padded" in line for line in lines)


def test_two_values_of_a_knob_stand_side_by_side(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", "matmul", "--on", "cuda:tiled", "--tile", "8,16", "--sizes", "32", "--json")
    read = json.loads(done.out)
    assert [found["knobs"]["tile"] for found in read["explained"]] == [8, 16]
    sectors = {row["counter"]: row for row in read["compared"]}["global loads: sectors"]
    assert sectors["ratio"] == 0.5


@pytest.mark.parametrize(("variant", "loads"), [("coalesced", 64 * 64 * 64 // 32 * 5), ("tiled", 2 * 4 * 64 * 64 // 8)])
def test_matmul_loads_the_sectors_that_its_loops_ask_for(gpuplay: Gpuplay, variant: str, loads: int) -> None:
    """Coalesced: a word of A (one sector) and 32 of B (four) a step; tiled by 16: A and B four times each."""
    done = gpuplay("explain", "matmul", "--on", f"cuda:{variant}", "--sizes", "64", "--json")
    assert done.code == 0, done.err
    total = json.loads(done.out)["explained"][0]["total"]
    assert total["global_loads"]["sectors"] == loads
    assert total["float32"] == 2 * 64**3


def test_exports_are_written_in_each_form(gpuplay: Gpuplay, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("x.json", "x.md", "x.html")]
    done = gpuplay("explain", FILE, *(word for file in files for word in ("-o", file)))
    assert done.code == 0, done.err
    assert json.loads(files[0].read_text())["schema"] == "gpuplay-explain/1"
    assert "tile[y, x] = A[i + y, j + x]" in files[1].read_text()
    assert files[2].read_text().startswith("<!DOCTYPE html>")


def test_a_narrow_terminal_is_never_overrun_and_piped_output_has_no_colour(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", FILE, COLUMNS="80")
    assert max(map(len, done.out.splitlines())) <= 80
    assert "\x1b" not in done.out


REFUSED = {
    "no CUDA variant": ((PLANTED / "planted.py",), "planted has no CUDA variant to explain, only numpy:double"),
    "another target": (("matmul", "--on", "cpu:simd"), "explain runs CUDA variants, not cpu:simd"),
    "an unknown variant": (("matmul", "--on", "cuda:tild"), "did you mean cuda:tiled?"),
    "several sizes": (("matmul", "--sizes", "64,128"), "give one size, such as --sizes 64"),
    "several values of a param": (("matmul", "--k", "8,9"), "--k 8,9: explain runs one problem; give one value"),
    "three cells": (("matmul", "--on", "cuda:tiled", "--tile", "8,16,32"), "this names 3: cuda:tiled tile=8 n=64"),
    "a knob out of range": (("matmul", "--on", "cuda:tiled", "--tile", "64"), "64×64 = 4096 threads"),
    "a knob of another variant": (("matmul", "--tile", "8"), "cuda:warps has no such knob; explain --on cuda:tiled"),
    "a line without accesses": ((FILE, "--map", "1"), "nothing was loaded or stored there; lines with accesses: "),
    "a line that is none": (("matmul", "--map", "here"), "give a line's number, such as --map 14"),
    "an unknown suffix": (("matmul", "-o", "x.csv"), "use .json, .md, .html"),
    "an unknown kernel": (("matmull",), "did you mean 'matmul'?"),
    "hours of work": (("matmul", "--sizes", "8192"), "more than --cell-timeout 1 min; choose a smaller --sizes"),
    "more work than time": (("matmul", "--sizes", "512", "--cell-timeout", "0.5s"), "or a longer --cell-timeout"),
    "a timeout that is none": (("matmul", "--cell-timeout", "soon"), "--cell-timeout 'soon': no duration"),
}


@pytest.mark.parametrize("what", REFUSED, ids=lambda text: text.replace(" ", "-"))
def test_a_wrong_word_is_named_and_nothing_is_shown(gpuplay: Gpuplay, what: str) -> None:
    given, fragment = REFUSED[what]
    done = gpuplay("explain", *given)
    assert done.code == 2, (done.code, done.out, done.err)
    assert done.out == ""
    assert "Traceback" not in done.err
    assert fragment in words(done.err)


def test_a_run_beyond_its_time_is_killed_and_the_option_named(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", "matmul", "--cell-timeout", "10ms")
    assert done.code == 1
    assert "--cell-timeout" in done.err


def test_the_help_names_the_cuda_variants_and_their_knobs_only(gpuplay: Gpuplay) -> None:
    done = gpuplay("explain", "matmul", "--help")
    assert done.code == 0
    assert "cuda:tiled" in done.out
    assert "--tile" in done.out
    assert "--block-m" not in done.out
    assert "cpu:simd" not in done.out
