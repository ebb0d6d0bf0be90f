"""A wrong command line gets one message that says what to type, exit code 2, and no traceback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from command import Gpuplay, copy_roofs

SIZES = {
    "0": "sizes start at 1",
    "-5": "is no size",
    "abc": "'abc' is no size",
    "8192..256": "write 256..8192",
    "1..": "is no size",
    "": "a size is missing",
    "64,,128": "a size is missing",
    "64..128x1": "write x2 or more",
    "2^60": "beyond 2^40",
}

WORDS = {
    "unknown kernel": (("matmull",), "no kernel 'matmull'; did you mean 'matmul'?"),
    "unknown variant": (("matmul", "--on", "cpu:simdd"), "did you mean cpu:simd?"),
    "unknown target": (("matmul", "--on", "gpu"), "no variant or target 'gpu'"),
    "a target without variants": (("lstm", "--on", "cupy"), "lstm has no variant on cupy"),
    "unknown baseline": (("matmul", "--baseline", "numpy"), "--baseline numpy: no such variant"),
    "unknown function": (("activation", "--function", "sigmoidd"), "did you mean sigmoid?"),
    "unknown dtype": (("matmul", "--dtype", "float16"), "none of float32, float64"),
    "a param below its range": (("dense", "--batch", "0"), "--batch 0: 0 is outside 1 to"),
    "a param that is no number": (("conv2d", "--stride", "two"), "'two' is no whole number"),
    "a knob of zero": (("matmul", "--tile", "0"), "--tile 0: 0 is outside 1 to"),
    "a knob that is barred everywhere": (("matmul", "--block-tile", "96"), "evenly with 128 or 64 only"),
    "unknown option": (("matmul", "--tiles", "16"), "--tiles"),
    "threads of zero": (("matmul", "--threads", "0"), "--threads 0"),
    "a time that is none": (("matmul", "--cell-time", "soon"), "--cell-time"),
    "a time below zero": (("matmul", "--time", "-1s"), "--time"),
    "a knob that no variant has": (("matmul", "--on", "cpu", "--tile", "16"), "add --on cuda:tiled"),
    "a graph without a GPU variant": (
        ("matmul", "--on", "cpu:simd", "--graph"),
        "--graph: none of numpy:blas, cpu:simd",
    ),
    "a device that is no GPU's": (("check", "matmul", "--device", "first"), "give a number from 0, or a UUID"),
    "a seed below zero": (("check", "matmul", "--seed", "-3"), "--seed -3: give a whole number from 0"),
    "a command to come": (("tune", "matmul"), "kept for a later version"),
    "rounds of zero": (("matmul", "--rounds", "0"), "--rounds 0: give 1 to 100"),
    "a folder that is not there": (("matmul", "-o", "no/such/folder/x.json"), "no/such/folder"),
    "an unknown suffix": (("matmul", "-o", "x.xlsx"), ".json"),
    "a file that is not there": (("./no.py",), "no kernel file ./no.py"),
    "a folder as a kernel": (("./",), "is not a kernel file"),
    "a reserved name": (("new", "sizes"), "reserved"),
    "a name with capitals": (("new", "MyKernel"), "a-z"),
    "a word of Python": (("new", "lambda"), "word of Python"),
    "an unknown command's option": (("list", "--jsn"), "--jsn"),
}

DECLARATION = """
from gpuplay.kernel import Kernel, Param, Variant

def right(p):
    def run(y, x):
        y[:] = x
    return run

KERNEL = Kernel(
    name="{name}", summary="y = x", size="7",
    inputs=lambda p, rng: {{"x": rng.standard_normal(p.n, dtype=p.dtype)}},
    output=lambda p: p.n, reference=lambda p, x: {reference}, {more}
    variants=(Variant("numpy:copy", "library", "a copy", right),),
)
"""


def declared(name: str = "mine", reference: str = "x", more: str = "") -> str:
    return DECLARATION.format(name=name, reference=reference, more=more)


FILES = {
    "a syntax error": ("def broken(:\n", "mine.py:1: syntax error"),
    "an error at import": ("import numpy\nnumpy.nonsense()\n", "mine.py:2: AttributeError"),
    "an exit at import": ("import sys\n\nsys.exit(4)\n", "mine.py:3: exits when it is imported"),
    "a crash at import": ("import ctypes\nctypes.string_at(0)\n", "segmentation fault"),
    "no KERNEL": ("x = 1\n", "declares no KERNEL"),
    "a KERNEL of another type": ("KERNEL = 3\n", "KERNEL is a int"),
    "a reserved kernel name": (declared(name="check"), "reserved"),
    "a reserved param name": (declared(more='params=(Param("export", "no"),),'), "reserved"),
    "an unknown field": (declared(more="colour=3,"), "Kernel has no field 'colour'; it has name, summary"),
    "a field nearly right": (declared(more="outputs=3,"), "Kernel has no field 'outputs'; did you mean output?"),
    "fields by place": ("from gpuplay.kernel import Kernel\nKERNEL = Kernel('a', 'b')\n", "takes its fields by name"),
    "a reference that returns nothing": (declared(reference="None"), "reference returned nothing"),
    "a reference that is no function": (
        declared().replace("reference=lambda p, x: x,", "reference='x',"),
        "'x' names no function: give the function itself, or 'module:name'",
    ),
    "a reference of another shape": (declared(reference="x[:-1]"), "reference of out has shape (6,), declared is (7,)"),
    "a reference that raises": (declared(reference="x / nothing"), "name 'nothing' is not defined"),
    "a reference that is NaN": (declared(reference="x * float('nan')"), "the reference of out is NaN everywhere"),
    "a tolerance that is NaN": (
        declared(more="tolerance=lambda p, e, x: float('nan'),"),
        "tolerance of out is NaN, infinite or below 0",
    ),
    "a check that compares nothing": (
        declared(more="check=lambda p, o, i, r: iter(()),")
        .replace('size="7"', 'size="2^23"')
        .replace("output=", "cost=lambda p: Cost(p.n, p.n), output=")
        .replace("import Kernel", "import Cost, Kernel"),
        "check compares nothing of out",
    ),
    "a cost that is none": (declared(more="cost=lambda p: (1, 2),"), "cost and work must return a Cost, not (1, 2)"),
    "an applies that is no reason": (declared(more="applies=lambda p: True,"), "None or a reason, not True"),
    "an output that is text": (
        declared().replace("lambda p: p.n, ref", "lambda p: str(p.n), ref"),
        "whole numbers, not",
    ),
    "an output without extent": (declared().replace("lambda p: p.n, ref", "lambda p: (), ref"), "(1,) for a number"),
    "a dtype that is none": (declared(more='dtypes=("bfloat16",),'), "dtypes are some of"),
    "an exit while planning": (declared(more="cost=lambda p: exit(3),"), "mine.py: planning failed: calls sys.exit(3)"),
    "a size that is none": (declared().replace('size="7"', 'size="seven"'), "'seven' is no size"),
}


@pytest.fixture(scope="module")
def apart(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cache folder for kernel files that are used once: in the common one they would take the place of the others."""
    folder = tmp_path_factory.mktemp("apart")
    copy_roofs(cache, folder)
    return {"GPUPLAY_CACHE_DIR": str(folder)}


def refused(gpuplay: Gpuplay, *words: object, **more: Any) -> str:
    """Run a command that must be refused; its message on one line of blanks."""
    done = gpuplay(*words, **more)
    assert done.code == 2, (done.code, done.out, done.err)
    assert "Traceback" not in done.err
    assert done.out == ""
    return " ".join(done.err.replace("│", " ").split())


@pytest.mark.parametrize("sizes", SIZES, ids=lambda text: text or "empty")
def test_sizes_that_are_none_are_refused_with_the_grammar(gpuplay: Gpuplay, sizes: str) -> None:
    message = refused(gpuplay, "matmul", f"--sizes={sizes}")
    assert SIZES[sizes] in message


@pytest.mark.parametrize("what", WORDS, ids=lambda text: text.replace(" ", "-"))
def test_a_wrong_word_is_named(gpuplay: Gpuplay, what: str) -> None:
    words, fragment = WORDS[what]
    assert fragment in refused(gpuplay, *words)


@pytest.mark.parametrize("what", FILES, ids=lambda text: text.replace(" ", "-"))
def test_a_broken_kernel_file_is_refused_with_its_place(
    gpuplay: Gpuplay, apart: dict[str, str], tmp_path: Path, what: str
) -> None:
    text, fragment = FILES[what]
    (tmp_path / "mine.py").write_text(text)
    assert fragment in refused(gpuplay, "./mine.py", folder=tmp_path, **apart)


def test_a_kernel_file_that_loops_at_import_is_killed(gpuplay: Gpuplay, apart: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import time\n\nwhile True:\n    time.sleep(0.1)\n")
    message = refused(gpuplay, "./mine.py", folder=tmp_path, **apart)
    assert "mine.py: still importing after 15 s" in message


def test_the_export_is_refused_before_anything_is_measured(gpuplay: Gpuplay) -> None:
    done = gpuplay("matmul", "--sizes", "4096", "-o", "/proc/no/x.json")
    assert done.code == 2
    assert done.seconds < 30


@pytest.mark.parametrize("words", [("-h",), ("help", "matmul"), ("check", "-h")])
def test_help_is_found_by_every_word_for_it(gpuplay: Gpuplay, words: tuple[str, ...]) -> None:
    done = gpuplay(*words)
    assert done.code == 0, done.err
    assert done.out.startswith("Usage: gpuplay")
    assert "--help" in done.out


def test_no_columns_are_as_many_as_usual(gpuplay: Gpuplay) -> None:
    done = gpuplay("matmul", "--sizes", "64", "--plan", COLUMNS="0")
    assert done.code == 0
    assert "matmul" in done.out


def test_a_name_without_its_path_is_told_the_path(gpuplay: Gpuplay, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    done = gpuplay("mine", folder=tmp_path)
    assert done.code == 2
    assert "give its path, ./mine.py" in done.err


def test_a_target_asked_for_that_is_not_here_exits_3(gpuplay: Gpuplay) -> None:
    done = gpuplay("matmul", "--on", "cupy", "--sizes", "64", CUDA_VISIBLE_DEVICES="")
    assert done.code == 3
    assert "cupy is not here: " in done.err


def test_without_a_gpu_variants_for_one_are_verified_where_they_are_asked_for(gpuplay: Gpuplay) -> None:
    words = ("--on", "cuda:tiled", "--tile", "8,16", "--sizes", "64", "--cell-time", "0.05s", "--json")
    done = gpuplay("matmul", *words, CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    found = [result for result in done.results if result["variant"] == "cuda:tiled"]
    assert [result["knobs"] for result in found] == [{"tile": 8}, {"tile": 16}]
    assert {result["status"] for result in found} == {"verified"}


def test_a_size_beyond_memory_is_a_skipped_row_with_its_bytes(gpuplay: Gpuplay) -> None:
    done = gpuplay("matmul", "--on", "numpy,cpu", "--sizes", "2^20", "--json")
    assert done.code == 0
    large = done.results
    assert {cell["class"] for cell in large} == {"library", "SISD", "SIMD", "MIMD"}
    assert all(cell["status"] == "skipped" for cell in large)
    assert re.fullmatch(r"needs \d+ TiB with copies to verify, .* are free", large[0]["reason"])
    both = gpuplay("matmul", "--sizes", "64,2^20", "--on", "numpy:blas", "--cell-time", "0.1s", "--json")
    assert [cell["status"] for cell in both.results] == ["ok", "skipped"]
