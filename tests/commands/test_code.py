"""``gpuplay code``: loops and occupancy of listings written by hand, real compilations, wrong words, missing tools."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scripted
from command import Gpuplay
from needs import needs_assembler
from places import PLANTED
from rich.console import Console
from scenes.coding import SASS, X86, cell, document

from gpuplay.analysis.machine_code import host_code, sass
from gpuplay.analysis.machine_code.flow import loops
from gpuplay.analysis.machine_code.inspection import GpuRow
from gpuplay.analysis.machine_code.occupancy import Occupancy, Raise, Use, occupancy
from gpuplay.commands.steps import inspecting
from gpuplay.errors import UsageError
from gpuplay.machine.model import MODELS, model_of
from gpuplay.results.compiled import GpuFunction, HostFunction
from gpuplay.targets.stand_ins import offline
from gpuplay.views.code import export, listing, resources
from gpuplay.views.code.data import CodeDocument
from gpuplay.views.text.layout import show

SEAM = PLANTED / "seam.py"


# --- loops of machine code ---


def test_a_loop_is_what_leads_back_and_a_slow_path_behind_the_end_is_none() -> None:
    code = sass.parse(SASS)
    assert [one.mnemonic for one in code][-2:] == ["BRA", "BRA"], "padding is left out"
    outer, inner = loops(code)
    assert (inner.depth, [code[p].mnemonic.partition(".")[0] for p in inner.own]) == (
        2,
        ["STS", "IADD3", "ISETP", "BRA"],
    )
    assert outer.depth == 1
    assert inner.members < outer.members
    assert [code[p].mnemonic for p in outer.own if code[p].mnemonic.startswith(("MUFU", "FFMA"))] == [
        "FFMA",
        "FFMA",
        "MUFU.RCP",
    ]
    assert len(loops(code)) == 2, "the way back from the slow path closes no loop, nor does the trap at the end"


def test_the_hottest_loop_is_the_one_that_computes_and_its_mix_adds_up() -> None:
    found = sass.read(SASS)
    assert found.loop is not None
    assert dict(found.mix.kinds) == {"FFMA": 2, "MUFU": 1, "LDS.128": 1, "LDG": 1, "BAR": 1, "other": 3}
    assert sum(dict(found.mix.kinds).values()) == found.mix.total == 9
    assert found.mix.share("FFMA") == pytest.approx(2 / 9)
    assert found.mix.share("LDS") == pytest.approx(1 / 9)
    assert dict(found.whole.kinds)["STG.128"] == 1


def test_a_loop_that_only_copies_is_hottest_where_none_computes() -> None:
    found = sass.read("\n".join(line for line in SASS.splitlines() if "FFMA" not in line and "MUFU" not in line))
    assert found.loop is not None
    assert found.loop.depth == 2


def test_a_function_without_a_loop_is_described_as_a_whole() -> None:
    found = sass.read("  /*0000*/   LDG.E.128 R4, desc[UR4][R2.64] ;\n  /*0010*/   STG.E.128 desc[UR4][R2.64], R4 ;\n")
    assert found.loop is None
    assert found.mix.kinds == (("LDG.128", 1), ("STG.128", 1))


ARM = """
run:
.LBB0_2:
        ldr     q1, [x0], #16
        fmla    v0.4s, v1.4s, v2.s[0]
        subs    x1, x1, #4
        b.ne    .LBB0_2
        ret
"""


@pytest.mark.parametrize(
    ("asm", "bits", "fused", "packed", "scalar"), [(X86, 512, 1, 2, 0), (ARM, 128, 1, 1, 0)], ids=["x86-64", "AArch64"]
)
def test_the_width_and_the_fused_operations_of_a_host_loop(
    asm: str, bits: int, fused: int, packed: int, scalar: int
) -> None:
    found = host_code.hottest_loop([HostFunction("run", "", asm)])
    assert found is not None
    assert found.loop is not None
    assert (found.vector_bits, found.fused, found.packed, found.scalar) == (bits, fused, packed, scalar)


def test_one_number_at_a_time_is_no_vector() -> None:
    found = host_code.read(HostFunction("run", "", X86.replace("jl ", "nop ")))
    assert (found.vector_bits, found.scalar) == (0, 3)


# --- occupancy ---

# Threads, registers, bytes of shared memory; blocks and limiters worked out by hand from the calculator's rules.
OCCUPANCIES = {
    "sm_90 full by warps and registers": ((9, 0), (256, 32, 0), 8, {"warps", "registers"}),
    "sm_75 has half the warps": ((7, 5), (256, 32, 0), 4, {"warps"}),
    "sm_80 by registers": ((8, 0), (256, 128, 16384), 2, {"registers"}),
    "a register more costs units of eight": ((8, 0), (256, 129, 0), 1, {"registers"}),
    "warps lie in one partition each": ((9, 0), (32, 255, 0), 8, {"registers"}),
    "sm_86 by blocks": ((8, 6), (32, 32, 0), 16, {"blocks"}),
    "sm_75 by shared memory": ((7, 5), (128, 32, 33 * 1024), 1, {"shared memory"}),
    "the system reserves 1 KiB of each block from 8.0 on": ((8, 0), (128, 32, 16 * 1024), 9, {"shared memory"}),
    "too much shared memory for a block": ((8, 6), (128, 32, 100 * 1024), 0, {"shared memory"}),
    "too many registers for a block": ((9, 0), (1024, 96, 0), 0, {"registers"}),
}


@pytest.mark.parametrize("name", OCCUPANCIES)
def test_occupancy_is_that_of_the_calculator(name: str) -> None:
    capability, use, blocks, limiters = OCCUPANCIES[name]
    model = model_of(capability)
    found = occupancy(Use(*use), model)
    assert (found.blocks, set(found.limiters)) == (blocks, limiters)
    assert found.share == pytest.approx(found.warps / model.resident_warps)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"sm_{model.capability[0]}{model.capability[1]}")
def test_what_is_said_to_raise_the_occupancy_does_and_nothing_nearer(model: Any) -> None:
    for use in (Use(256, 128, 16384), Use(96, 40, 0), Use(128, 64, 40000), Use(32, 20, 0), Use(1024, 64, 60000)):
        found = occupancy(use, model)
        for one in found.raises:
            changed = {"registers": "registers", "block": "threads", "shared memory": "shared_bytes"}[one.what]
            better = occupancy(Use(**(vars(use) | {changed: one.value})), model)
            assert better.share == pytest.approx(one.share)
            assert better.share > found.share
            if one.what != "block":
                nearer = occupancy(Use(**(vars(use) | {changed: one.value + 1})), model)
                assert nearer.share <= found.share


def test_nothing_raises_a_full_multiprocessor() -> None:
    assert occupancy(Use(256, 32, 0), model_of((9, 0))).raises == ()


@pytest.mark.parametrize(
    ("size", "text"), [(45568, "44.5 KiB"), (50175, "48.9 KiB"), (16384, "16 KiB"), (896, "896 B")]
)
def test_shared_memory_that_would_do_is_never_rounded_up(size: int, text: str) -> None:
    more = Occupancy(4, 16, 0.25, ("shared memory",), (Raise("shared memory", size, 0.3125),))
    assert resources.more(more) == f"≤ {text} shared: 31 %"


# --- views ---


def test_machine_code_stands_below_the_line_that_it_comes_from_and_the_hottest_loop_is_marked() -> None:
    lines = listing.render(document("sass"), 100).plain.splitlines()
    start = lines.index("  // tiles.py:5  total += a[0]")
    assert "LDS.128" in lines[start + 1]
    assert lines[start + 1].startswith("▌")
    assert not next(line for line in lines if "STG.E.128" in line).startswith("▌")
    assert not any("NOP" in line or "## File" in line for line in lines)


def test_a_terminal_has_colours_and_a_pipe_has_none() -> None:
    coloured, plain = io.StringIO(), io.StringIO()
    show(
        Console(file=coloured, width=100, force_terminal=True, color_system="standard"),
        listing.render(document("sass"), 100),
    )
    show(Console(file=plain, width=100), listing.render(document("sass"), 100))
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()


def test_exports_hold_every_row_and_markdown_its_code() -> None:
    read = json.loads(export.FORMS[".json"](document()), parse_constant=pytest.fail)
    assert read["schema"] == "gpuplay-code/1"
    first = read["compiled"][0]
    assert (first["variant"], first["architecture"], first["knobs"]) == ("cuda:tiled", "sm_80", {"tile": 16})
    assert first["functions"][0]["hottest_loop"]["kinds"]["FFMA"] == 2
    assert first["functions"][0]["shared_bytes"] == 17408
    assert "sass" not in first["functions"][0]
    assert [len(one["functions"]) for one in read["compiled"]] == [1, 1, 2, 0, 1, 0]
    assert json.loads(export.FORMS[".json"](document("sass")))["compiled"][0]["functions"][0]["sass"] == SASS
    table = export.FORMS[".md"](document())
    assert "| cuda:tiled tile=16 | sm\\_80 |" in table
    assert "needs compute capability 9.0" in table
    assert export.FORMS[".md"](document("sass")).count("```") % 2 == 0


def test_no_occupancy_without_the_assembler() -> None:
    bare = GpuRow(cell(), "sm_80", GpuFunction("f", (1, 1, 1), (32, 1, 1), 1, 0, "", None, ""))
    text = resources.render(CodeDocument(scripted.MATMUL, "resources", "", "", (), gpu=[bare]), 100).plain
    assert "–" in text
    assert resources.limiters(None) == resources.more(None) == "–"
    assert resources.limiters(Occupancy(1, 64, 1.0, ("warps",))) == ""


# --- as a user calls it ---


@needs_assembler
def test_all_rungs_stand_in_one_table_for_every_architecture(gpuplay: Gpuplay, tmp_path: Path) -> None:
    file = tmp_path / "code.json"
    words = ("--on", "cuda:coalesced,cuda:tiled", "--as", "resources", "--arch", "sm_75,sm_90", "-o", file)
    done = gpuplay("code", "matmul", *words, CUDA_VISIBLE_DEVICES="")
    assert done.code == 0, done.err
    read = json.loads(file.read_text(encoding="utf-8"))
    rows = [(one["variant"], one["architecture"]) for one in read["compiled"]]
    assert rows == [(name, arch) for name in ("cuda:coalesced", "cuda:tiled") for arch in ("sm_75", "sm_90a")]
    for one in read["compiled"]:
        (found,) = one["functions"]
        assert 16 <= found["resources"]["registers"] <= 255
        assert found["occupancy"]["share"] > 0
        assert found["hottest_loop"]["kinds"]["FFMA"] > 0
    assert read["compiled"][3]["functions"][0]["hottest_loop"]["kinds"]["BAR"] > 0
    assert "cuda:tiled" in done.out
    assert max(map(len, done.out.splitlines())) <= 100


@needs_assembler
def test_line_information_changes_no_instruction_and_bars_no_variant(gpuplay: Gpuplay) -> None:
    code = {}
    for form in ("resources", "sass"):  # with the values of variables beside the lines, NVVM refuses cuda:wgmma
        done = gpuplay("code", "matmul", "--on", "cuda:tiled,cuda:wgmma", "--as", form, "--arch", "sm_90", "--json")
        assert done.code == 0, done.out
        found = [function for one in json.loads(done.out)["compiled"] for function in one["functions"]]
        code[form] = [(one["resources"], one["instructions"], one["hottest_loop"]) for one in found]
    assert code["resources"] == code["sass"]
    assert code["sass"][1][2]["kinds"]["HGMMA"] > 0


@needs_assembler
@pytest.mark.parametrize(("form", "instruction"), [("sass", "FFMA R"), ("ptx", "fma.rn.f32")])
def test_source_lines_stand_beside_machine_code(gpuplay: Gpuplay, form: str, instruction: str) -> None:
    done = gpuplay("code", "matmul", "--on", "cuda:tiled", "--as", form)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    first = next(number for number, line in enumerate(lines) if instruction in line)
    place = next(line for line in reversed(lines[:first]) if line.strip().startswith("// "))
    assert "total +=" in place
    assert "\x1b" not in done.out
    assert "_ZN15gpuplay" not in "\n".join(line for line in lines if "NumbaEnv" not in line)


@needs_assembler
def test_static_and_dynamic_shared_memory_of_a_users_file_are_both_counted(gpuplay: Gpuplay) -> None:
    done = gpuplay("code", SEAM, "--block", 64, "--arch", "sm_80", "--json")
    assert done.code == 0, done.err
    (found,) = json.loads(done.out)["compiled"][0]["functions"]
    assert (found["resources"]["shared_bytes"], found["dynamic_shared_bytes"], found["shared_bytes"]) == (256, 256, 512)


@needs_assembler
def test_what_an_architecture_does_not_have_is_said_and_what_no_compiler_takes_fails(
    gpuplay: Gpuplay, tmp_path: Path
) -> None:
    text = SEAM.read_text(encoding="utf-8")
    old = 'return f"{knobs[\'block\']} threads over {most}" if knobs["block"] > most else None'
    assert old in text
    (tmp_path / "new.py").write_text(
        text.replace(old, 'return None if machine.gpu.capability >= (8, 0) else "needs sm_80"'), encoding="utf-8"
    )
    done = gpuplay("code", "./new.py", "--arch", "sm_75,sm_80", "--block", 64, folder=tmp_path)
    assert done.code == 0, done.err
    assert "¹ needs sm_80" in done.out
    done = gpuplay("code", "./new.py", "--arch", "sm_75", folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "cuda:seam block=64" in done.err
    (tmp_path / "bad.py").write_text(text.replace("spare[here] = doubled", "spare[here] = nowhere"), encoding="utf-8")
    done = gpuplay("code", "./bad.py", "--block", 64, folder=tmp_path)
    assert done.code == 1
    assert "nowhere" in " ".join(done.out.split())


@needs_assembler
def test_two_variants_show_what_differs_and_the_table_of_both(gpuplay: Gpuplay) -> None:
    done = gpuplay("code", "matmul", "--on", "cuda:coalesced,cuda:tiled", "--arch", "sm_80")
    assert done.code == 0, done.err
    assert done.out.startswith("cuda:coalesced → cuda:tiled")
    assert "+            cuda.syncthreads()" in done.out
    assert done.out.index("cuda.syncthreads()") < done.out.index("occupancy")


def test_the_source_of_any_variant_needs_no_compiler(gpuplay: Gpuplay) -> None:
    done = gpuplay("code", "matmul", "--on", "numpy:blas,cuda:tiled", "--as", "source", PATH="")
    assert done.code == 0, done.err
    assert "np.matmul" in done.out
    done = gpuplay("code", "matmul", "--on", "cuda:tiled", "--as", "source", "--json")
    names = [one["name"] for one in json.loads(done.out)["sources"][0]["definitions"]]
    assert "tiled" in names


def test_vectors_and_fused_operations_of_cpu_variants(gpuplay: Gpuplay, tmp_path: Path) -> None:
    assert gpuplay("new", "mine", folder=tmp_path).code == 0
    words = ("--sizes", 4096, "--on", "cpu:scalar,cpu:parallel", "--as", "resources", "--json")
    done = gpuplay("code", "./mine.py", *words, folder=tmp_path)
    assert done.code == 0, done.err
    scalar, parallel = (one["hottest_loop"] for one in json.loads(done.out)["compiled"])
    assert (scalar["vector_bits"], scalar["packed"], scalar["loop"]) == (0, 0, True)
    assert parallel["function"] == "parallel loop"
    assert parallel["vector_bits"] >= 128
    for form, sign in (("asm", "ret"), ("llvm", "define ")):
        done = gpuplay("code", "./mine.py", "--sizes", 4096, "--on", "cpu:simd", "--as", form, folder=tmp_path)
        assert done.code == 0, done.err
        assert sign in done.out
        assert "cpu:simd: run, the hottest loop is here" in done.out


REFUSED = {
    "an architecture that is none": (("--arch", "sm_70"), "'sm_70' is none of sm_75, sm_80, sm_86, sm_89, sm_90"),
    "a form that is none": (("--as", "bytes"), "--as bytes: is none of resources, source, ptx, sass, llvm, asm"),
    "machine code of a library": (
        ("--on", "numpy:blas", "--as", "sass"),
        "numpy:blas has none; for it there is --as source",
    ),
    "PTX of a CPU variant": (("--on", "cpu:simd", "--as", "ptx"), "or --as llvm or --as asm"),
    "an architecture for the CPU": (("--on", "cpu:simd", "--arch", "sm_80"), "is for CUDA variants"),
    "two sizes": (("--sizes", "64,128"), "give one size"),
    "two values of a param": (("--m", "64,128"), "--m 64,128: code is compiled for one problem"),
    "a knob of another variant": (("--on", "cuda:naive", "--tile", "8"), "has no such knob; code --on cuda:tiled"),
    "a knob value that is barred": (("--on", "cuda:tiled", "--tile", "64"), "4096 threads"),
    "an unknown suffix": (("-o", "x.csv"), "unknown suffix '.csv'; use .json, .md"),
}


@needs_assembler
@pytest.mark.parametrize("what", REFUSED, ids=lambda text: text.replace(" ", "-"))
def test_a_wrong_word_is_named_and_nothing_is_shown(gpuplay: Gpuplay, what: str) -> None:
    given, fragment = REFUSED[what]
    done = gpuplay("code", "matmul", *given)
    assert (done.code, done.out) == (2, ""), (done.code, done.out, done.err)
    assert "Traceback" not in done.err
    assert fragment in " ".join(done.err.split())


MISSING = """
import sys
from gpuplay.cli import run
from gpuplay.targets.stand_ins import offline
offline.TOOLS = {name: "no-such-wheel-" + name for name in offline.TOOLS}
sys.exit(run(sys.argv[1:]))
"""


@needs_assembler
def test_a_missing_assembler_is_named_with_what_brings_it(cache: Path) -> None:
    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"GPUPLAY_CACHE_DIR": str(cache), "PATH": ""}
        command = [sys.executable, "-c", MISSING, "code", "matmul", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    done = ran("--on", "cuda:tiled")
    assert (done.returncode, done.stdout) == (3, "")
    said = " ".join(done.stderr.split())
    assert "ptxas and nvdisasm are not installed; pip install no-such-wheel-ptxas no-such-wheel-nvdisasm" in said
    assert "--as ptx" in said
    assert ran("--on", "cuda:tiled", "--as", "ptx").returncode == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, ((9, 0),)), ("sm_75,sm_90", ((7, 5), (9, 0))), ("sm_90a", ((9, 0),)), ("86,8.9", ((8, 6), (8, 9)))],
)
def test_architectures_from_words(text: str | None, found: tuple[tuple[int, int], ...]) -> None:
    assert inspecting.architectures(text) == found


def test_without_a_word_the_architecture_is_that_of_the_gpu_here() -> None:
    assert inspecting.architectures(None, (8, 9)) == ((8, 9),)
    with pytest.raises(UsageError, match="'gpu' is none of"):
        inspecting.architectures("gpu")
    with pytest.raises(UsageError, match="'sm_80a' is none of"):
        inspecting.architectures("sm_80a")
    assert offline.architecture((9, 0)) == (9, 0, "a")
