"""The promises for a GPU: medians of one interleaved run a row, float32 unless the row's name says otherwise.

Each row measures the upper rungs of our ladder and the libraries of the same precision. The figures are
those that were asked of an H200.
"""

from __future__ import annotations

from dataclasses import replace

from gpuplay.peers import host
from gpuplay.peers.terms import Case, Mean, OfRoof, OfYardstick, Promise, Worst, case
from gpuplay.precision import AS_EXACT_AS_THE_PROBLEM

TENSORS = 2**26, 2**28
COPY = (("function", "identity"),)
BATCH = 32
LIBRARIES = ("torch_gpu", "cupy")


def _activation(function: str) -> Promise:
    """As fast as memory: a copy on the device moves the same bytes and computes nothing."""
    return Promise(
        name=f"activation:{function}",
        kernel="activation",
        params=(("function", function),),
        cases=tuple(case(size, quick=size == TENSORS[0]) for size in TENSORS),
        needs=(
            Worst(1.0),
            *(OfYardstick(0.95, size, "torch_gpu:map", COPY, "a device copy") for size in TENSORS),
        ),
        target="cuda",
        peers=LIBRARIES,
        among=("cuda:vectorised", "cuda:streaming"),
    )


def _matmul(precision: str, cases: tuple[Case, ...], needs: tuple[Mean | Worst, ...], *among: str) -> Promise:
    return Promise(
        name=f"matmul:{precision}",
        kernel="matmul",
        cases=cases,
        needs=needs,
        target="cuda",
        peers=LIBRARIES,
        precision="" if precision in ("float32", *AS_EXACT_AS_THE_PROBLEM) else precision,
        among=among,
    )


def _conv2d(row: Promise) -> Promise:
    """The shapes of a row for the CPU, on more images."""
    cases = tuple(_more_images(one) for one in row.cases)
    winograds = (Worst(0.6, ours=("cuda:pipelined",)),) if row.name == "conv2d:3x3" else ()  # cuDNN's choice there
    return replace(
        row,
        cases=cases,
        needs=(Worst(1.0), *winograds),
        target="cuda",
        peers=LIBRARIES,
        among=("cuda:implicit", "cuda:pipelined", "cuda:winograd"),
    )


def _more_images(one: Case) -> Case:
    params = tuple((name, BATCH if name == "batch" else value) for name, value in one.params)
    label = " ".join(f"N{BATCH}" if word in ("N4", "N8") else word for word in one.label.split())
    return replace(one, params=params, label=label)


LARGE = (case(4096, quick=True), case(8192))
MATMUL = (
    _matmul(
        "float32",
        (case(1024, quick=True), case(2048), *LARGE),
        (Mean(1.0),),
        *("cuda:vectorised", "cuda:pipelined", "cuda:warps"),
    ),
    _matmul("tfloat32x3", LARGE, (Worst(1.5),), "cuda:tf32x3"),
    _matmul("tfloat32", LARGE, (Worst(0.6, ours=("cuda:tf32",)), Worst(0.9))),
    _matmul("bfloat16", LARGE, (Worst(0.6, ours=("cuda:bf16",)), Worst(0.9))),
)
LSTM = Promise(
    name="lstm:layer",
    kernel="lstm",
    cases=(
        case(512, "64×512, 32 steps", batch=64, steps=32, quick=True),
        case(1024, "256×1024, 32 steps", batch=256, steps=32),
    ),
    needs=(Worst(1.0),),
    target="cuda",
    peers=LIBRARIES,
    among=("cuda:registers", "cuda:hoisted", "cuda:persistent"),
)
CELL = Promise(
    name="lstm:cell",
    kernel="lstm_cell",
    cases=(case(1024, "8192×1024", batch=8192, quick=True), case(2048, "8192×2048", batch=8192)),
    needs=(Worst(1.8),),
    target="cuda",
    peers=LIBRARIES,
)
DENSE = Promise(
    name="dense:vector",
    kernel="dense",
    params=(("batch", 1),),
    cases=(case(8192, quick=True), case(16384)),
    needs=(OfRoof(0.90, "copy"),),
    target="cuda",
    peers=LIBRARIES,
    among=("cuda:warp_rows", "cuda:split_k"),
)
ROWS = (
    *(_activation(function) for function in ("relu", "sigmoid", "tanh", "gelu")),
    *MATMUL,
    *map(_conv2d, host.CONV2D),
    LSTM,
    CELL,
    DENSE,
)
