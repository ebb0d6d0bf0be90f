"""Constants that compiled code holds: those of a run before, of another environment, of another knob value."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Gpuplay
from places import PLANTED

SCALED = """
import os

import numpy as np
from numba import cuda, njit

from gpuplay.kernel import Kernel, Variant

FACTOR = float(os.environ["FACTOR"])


@njit(cache=True)
def scaled(y, x):
    for i in range(x.size):
        y[i] = FACTOR * x[i]


@cuda.jit
def scale(y, x):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x.dtype.type(FACTOR) * x[i]


KERNEL = Kernel(
    name="scaled", summary="y = 2·x", size="64",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n, reference=lambda p, x: 2 * x, dtypes=("float32",),
    variants=(
        Variant("cpu:loop", "SISD", "a loop", lambda p: scaled),
        Variant("cuda:loop", "SIMT", "a thread each", lambda p: lambda gpu, y, x: gpu.launch(scale, p.n, 32, y, x)),
    ),
)
"""
TILED = """
import numpy as np
from numba import cuda, float32

from gpuplay.kernel import Kernel, Variant

TILE = 16


@cuda.jit
def copy(y, x):
    tile = cuda.shared.array(TILE, float32)
    t, first = cuda.threadIdx.x, cuda.blockIdx.x * TILE
    tile[t] = x[first + t]
    cuda.syncthreads()
    y[first + t] = tile[t]


def build(p, tile):
    global TILE
    TILE = tile
    return lambda gpu, y, x: gpu.launch(copy, x.size // tile, tile, y, x)


KERNEL = Kernel(
    name="tiled", summary="a copy", size="2^6..2^8",
    inputs=lambda p, rng: {"x": rng.standard_normal(64 * p.n).astype(p.dtype)},
    output=lambda p: 64 * p.n, reference=lambda p, x: x, dtypes=("float32",),
    variants=(Variant("cuda:global", "SIMT", "a global tile", build, knobs={"tile": (16, 32)}),),
)
"""


@pytest.mark.parametrize(
    "words", [pytest.param(("check",), id="check"), pytest.param((), id="sweep", marks=pytest.mark.product)]
)
def test_code_that_was_compiled_for_other_constants_is_not_used(
    gpuplay: Gpuplay, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "scaled.py").write_text(SCALED, encoding="utf-8")
    for factor, code in (("2", 0), ("3", 1)):
        done = gpuplay(*words, "./scaled.py", "--sizes", "64", folder=tmp_path, FACTOR=factor)
        assert done.code == code, f"{factor}: {done.out}{done.err}"
        assert ("wrong" in done.out) == bool(code)


def test_a_global_that_changes_after_the_first_compilation_is_named(gpuplay: Gpuplay, tmp_path: Path) -> None:
    (tmp_path / "tiled.py").write_text(TILED, encoding="utf-8")
    done = gpuplay("check", "./tiled.py", folder=tmp_path, COLUMNS="400")
    assert done.code == 1
    [told] = [line for line in done.out.splitlines() if "✗" in line]
    assert "tile=32" in told
    assert "copy reads the global TILE, which was 16 when it was compiled and is 32 now" in told


def test_what_depends_on_the_order_of_atomics_is_wrong(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", PLANTED / "left_open.py", COLUMNS="400")
    assert done.code == 1
    [told] = [line for line in done.out.splitlines() if "✗" in line]
    lines = (PLANTED / "left_open.py").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "y[cuda.atomic.add" in text)
    assert (
        f"right only if atomics are served in the order of the threads, which no GPU promises (left_open.py:{line})"
        in told
    )
    assert "cuda:counter" in told
