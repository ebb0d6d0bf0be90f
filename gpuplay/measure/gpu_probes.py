"""The roofs of a GPU: copies in its own memory, and chains of fused multiply-adds. Imported by workers only."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda

if TYPE_CHECKING:
    from gpuplay.machine.model import Gpu
    from gpuplay.targets.base import Call, Target

ELEMENTS = 2**26  # float32 of one array: 256 MiB, several times any GPU's cache
BLOCK = 256
BLOCKS_EACH = 32  # thread blocks for each multiprocessor: several waves, so that the last one costs little
TURNS = 512
FMAS = 8 * 16  # of one thread in one turn, see `fma_chains`
BLOCKS, SAMPLES = 4, 5


def probe(target: Target) -> dict[str, Any]:
    """Name and roofs of the GPU behind a CUDA target.

    Returns
    -------
    ``name``; ``copy`` in bytes/s, bytes read plus bytes written, the faster of the driver's copy and a
    grid-stride loop; ``fma_float32`` and ``fma_float64`` in FLOP/s.
    """
    model = target.gpu()
    if model is None:
        raise ValueError(f"target {target.name} has no GPU to probe")
    grid = model.multiprocessors * BLOCKS_EACH
    source, destination = (target.view(target.flat(ELEMENTS, "float32"), 0, (ELEMENTS,)) for _ in range(2))
    both = (destination, source)
    calls = [
        ("copy", target.bind(lambda gpu, to, origin: gpu.copy(to, origin), both), 8.0 * ELEMENTS),
        ("copy", target.bind(_by_threads(grid), both), 8.0 * ELEMENTS),
    ]
    for dtype in ("float32", "float64"):
        values = target.view(target.flat(grid * BLOCK, dtype), 0, (grid * BLOCK,))
        calls.append((f"fma_{dtype}", target.bind(_chains(grid, dtype), (values,)), 2.0 * FMAS * TURNS * grid * BLOCK))
    best: dict[str, Any] = {"name": model.name}
    for _, call, _ in calls:
        call()  # compiles
    target.finish()
    for _ in range(BLOCKS):
        for roof, call, work in calls:
            best[roof] = max(best.get(roof, 0.0), work / _median(target, call))
    return best


def _median(target: Target, call: Call) -> float:
    """Seconds a call, the median of a few samples of four calls each."""
    return statistics.median(target.seconds(call, 4) / 4 for _ in range(SAMPLES))


def _by_threads(grid: int) -> Any:
    def run(gpu: Gpu, destination: Any, source: Any) -> None:
        gpu.launch(stride_copy, grid, BLOCK, destination, source)

    return run


def _chains(grid: int, dtype: str) -> Any:
    half = np.dtype(dtype).type(0.5)

    def run(gpu: Gpu, values: Any) -> None:
        gpu.launch(fma_chains, grid, BLOCK, values, half, half)

    return run


@cuda.jit
def stride_copy(destination: Any, source: Any) -> None:
    """Copy, neighbouring threads on neighbouring words; the size is a multiple of four.

    Each thread has four loads under way before it stores: memory is far away, and bandwidth is the
    number of bytes under way divided by the time they take.
    """
    quarter = source.size // 4
    for i in range(cuda.grid(1), quarter, cuda.gridsize(1)):
        a = source[i]
        b = source[i + quarter]
        c = source[i + 2 * quarter]
        d = source[i + 3 * quarter]
        destination[i] = a
        destination[i + quarter] = b
        destination[i + 2 * quarter] = c
        destination[i + 3 * quarter] = d


@cuda.jit
def fma_chains(values: Any, c: Any, d: Any) -> None:
    """128 fused multiply-adds a turn: eight chains ``x = x·c + d`` a thread, sixteen steps each.

    Four cycles pass until a result can be used, and each of a multiprocessor's four schedulers starts
    one instruction in a cycle; with eight chains a thread even a single warp keeps its scheduler busy.
    With c = d = 1/2 every value goes to 1 and stays there.
    """
    i = cuda.grid(1)
    x0 = values.dtype.type(i & 1)
    x1, x2, x3, x4, x5, x6, x7 = x0 + c, x0 - c, x0 + d + c, c, x0 + x0, x0 * c, x0 - d - c
    for _ in range(TURNS):
        for _ in range(16):
            x0 = x0 * c + d
            x1 = x1 * c + d
            x2 = x2 * c + d
            x3 = x3 * c + d
            x4 = x4 * c + d
            x5 = x5 * c + d
            x6 = x6 * c + d
            x7 = x7 * c + d
    values[i] = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7
