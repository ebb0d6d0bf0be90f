"""CUDA variants without a GPU: ``check`` and the sweep's table verify them on the lockstep machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from command import Gpuplay, Outcome
from numba import cuda
from places import PLANTED

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.errors import LockstepFault
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

BUGS = PLANTED / "planted_cuda.py"
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}
SWEEP = ("./planted_cuda.py", "--cell-time", "0.02s", "--rounds", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(BUGS, tmp_path)
    return tmp_path


def line_of(planted: str) -> str:
    """Where a mistake stands in the planted file, as a message names it."""
    lines = BUGS.read_text().splitlines()
    return f"planted_cuda.py:{next(n for n, line in enumerate(lines, 1) if f'# planted: {planted}' in line)}"


def flat(text: str) -> str:
    """Words as they follow each other, whatever the lines."""
    return " ".join(text.split())


def builds(folder: Path) -> int:
    """How many CUDA variants were built in this folder."""
    log = folder / "builds.txt"
    return len(log.read_text().splitlines()) if log.exists() else 0


def checked(gpuplay: Gpuplay, folder: Path, variant: str, *more: str) -> Outcome:
    return gpuplay("check", "./planted_cuda.py", "--on", variant, *more, folder=folder, **NO_GPU)


@pytest.mark.parametrize("variant", ["cuda:right", "cuda:mended"])
def test_a_right_variant_passes_without_a_gpu_though_asked_for_by_name(
    gpuplay: Gpuplay, folder: Path, variant: str
) -> None:
    done = checked(gpuplay, folder, variant, *(("--sizes", "1,65") if variant == "cuda:right" else ()))
    text = flat(done.out)
    if variant == "cuda:right":  # a factor of 3 is a knob value like any other, and wrong
        assert done.code == 1
        assert "factor=2 2 of 2 1–65 right" in text
        assert "factor=3 0 of 2 1–65 wrong" in text
    else:
        assert done.code == 0, done.out + done.err
        assert "cuda:mended 7 of 7 1–129 right" in text
        assert "on the lockstep machine: cuda:mended (7 problems): " in text


def test_the_machine_serves_all_that_a_run_asks_of_the_seam(gpuplay: Gpuplay, folder: Path) -> None:
    done = gpuplay("check", PLANTED / "seam.py", "--sizes", "1,7,64,65", folder=folder, **NO_GPU)
    assert done.code == 0, done.out + done.err
    assert "3 of 3 variants (knob values apart) right, 24 problems checked, 1 not run here" in flat(done.out)


def test_a_wrong_variant_shows_the_worst_place(gpuplay: Gpuplay, folder: Path) -> None:
    done = checked(gpuplay, folder, "cuda:off")
    assert done.code == 1
    assert "on the lockstep machine: out[30] is " in flat(done.out)


@pytest.mark.parametrize(
    ("variant", "kind", "planted"),
    [
        ("cuda:racy", "race", "a race"),
        ("cuda:unset", "unset", "unset"),
        ("cuda:workspace", "unset", "workspace"),
        ("cuda:behind", "out of bounds", "behind the end"),
    ],
)
def test_a_check_that_fires_fails_the_cell_and_names_the_line_and_the_thread(
    gpuplay: Gpuplay, folder: Path, variant: str, kind: str, planted: str
) -> None:
    done = checked(gpuplay, folder, variant, "--sizes", "33")
    text = flat(done.out)
    assert done.code == 1
    assert f"{variant} 0 of 1 33 failed" in text
    assert f"on the lockstep machine: {kind}: block 0 thread " in text
    assert line_of(planted) in text


def test_with_keep_going_the_outputs_are_judged_past_a_check_that_fires(gpuplay: Gpuplay, folder: Path) -> None:
    done = checked(gpuplay, folder, "cuda:unset", "--sizes", "33", "--keep-going")
    assert done.code == 1
    assert "the outputs are right" in flat(done.out)


def test_a_launch_beyond_the_limits_is_refused_by_their_name(gpuplay: Gpuplay, folder: Path) -> None:
    done = checked(gpuplay, folder, "cuda:wide", "--sizes", "33")
    assert done.code == 1
    assert "block 64×64 is 4096 threads; a block has at most 1024" in flat(done.out)


def test_a_problem_of_too_much_work_is_skipped(gpuplay: Gpuplay, folder: Path) -> None:
    done = checked(gpuplay, folder, "cuda:right", "--sizes", "2^28")
    assert done.code == 0
    assert "too much work for the lockstep machine" in flat(done.out)


def test_a_sweep_verifies_cuda_once_for_each_state_of_the_sources(gpuplay: Gpuplay, folder: Path) -> None:
    first = gpuplay(*SWEEP, folder=folder, **NO_GPU)
    assert first.code == 0, first.out + first.err
    assert "cuda:right verified at n ≤ 129, untimed" in first.out
    once = builds(folder)
    assert once
    again = gpuplay(*SWEEP, "--json", folder=folder, **NO_GPU)
    assert builds(folder) == once
    for size in (100, 200):
        cell = again.cell("cuda:right", size=size)
        assert (cell["status"], cell["verified_at"], cell["time"]) == ("verified", [1, 33, 129], None)
    (folder / "planted_cuda.py").write_text(BUGS.read_text() + "\n# edited\n")
    gpuplay(*SWEEP, folder=folder, **NO_GPU)
    assert builds(folder) > once


def test_a_wrong_cuda_variant_ends_a_sweep_with_exit_1_each_time(gpuplay: Gpuplay, folder: Path) -> None:
    source = BUGS.read_text()
    (folder / "planted_cuda.py").write_text(source.replace("Knob((2, 3), 2)", "Knob((2, 3), 3)"))
    for _ in range(2):
        done = gpuplay(*SWEEP, folder=folder, **NO_GPU)
        assert done.code == 1
        assert "on the lockstep machine at n = 1: out[0] is " in flat(done.out)


def test_a_plan_builds_nothing(gpuplay: Gpuplay, folder: Path) -> None:
    done = gpuplay(*SWEEP, "--plan", folder=folder, **NO_GPU)
    assert done.code == 0
    assert "cuda:right not timed here" in done.out
    assert "2 verified only" in done.out
    assert builds(folder) == 0


def test_a_cuda_variant_asked_for_by_name_in_a_sweep_is_verified_without_a_gpu(gpuplay: Gpuplay, folder: Path) -> None:
    done = gpuplay(*SWEEP, "--on", "cuda:right", "--json", folder=folder, **NO_GPU)
    assert done.code == 0
    assert {done.cell("cuda:right", size=size)["status"] for size in (100, 200)} == {"verified"}


def test_the_target_is_here_and_never_tells_a_time() -> None:
    target = LockstepTarget()
    assert target.why_not() == ""
    model = target.gpu()
    assert model is not None
    assert model.modelled
    with pytest.raises(GpuplayError, match="lockstep is never timed"):
        target.seconds(lambda: None, 1)


@cuda.jit
def copied(y, x):
    y[cuda.threadIdx.x] = x[cuda.threadIdx.x]


def test_an_array_in_the_place_of_one_that_is_gone_is_not_unset() -> None:
    target, storage = LockstepTarget(), bytearray(32 * 4)

    def run() -> None:
        arrays = target.flat(32, "float32"), np.frombuffer(storage, np.float32)
        target.bind(lambda gpu, y, x: gpu.launch(copied, 1, 32, y, x), arrays)()

    gone = np.frombuffer(storage, np.float32)
    target.unset(gone, 0, 32)
    with pytest.raises(LockstepFault, match="before any thread wrote it"):
        run()
    del gone
    run()


@pytest.mark.parametrize("way", ["brackets", "configured", "bare", "forall"])
def test_a_launch_that_the_machine_would_not_see_is_refused_with_what_to_write(way: str) -> None:
    configured = copied[128, 32] if way == "configured" else None

    def run(_gpu: object, y: object, x: object) -> None:
        if way == "brackets":
            copied[1, 32](y, x)
        elif way == "forall":
            copied.forall(32)(y, x)
        else:
            (configured or copied)(y, x)

    target = LockstepTarget()
    call = target.bind(run, (target.flat(32, "float32"), target.flat(32, "float32")))
    said = r"copied is launched directly \(test_target.py:\d+\); launch through gpu.launch\(copied, grid, block"
    with pytest.raises(GpuplayError, match=said):
        call()
    copied.forall(0)()  # Numba's own way again, which does nothing for no tasks
