"""The same source is right with vectors of any width, on one thread and on two."""

from __future__ import annotations

import pytest
from command import Gpuplay

from gpuplay.catalog.find import bundled_kernels, find_kernel
from gpuplay.catalog.load import load_kernel

SHAPES = {
    "activation": ("--sizes", "7,33,1000", "--function", "gelu,softplus"),
    "conv2d": ("--sizes", "9", "--batch", "2", "--channels", "5", "--filters", "7"),
    "dense": ("--sizes", "33", "--batch", "1,33"),
    "lstm": ("--sizes", "33", "--batch", "1,5", "--steps", "2"),
    "matmul": ("--sizes", "33,129", "--m", "31"),
}
QUICK = ("--rounds", "1", "--cell-time", "0.01s", "--baseline", "none", "--json")


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("kernel", [origin.name for origin in bundled_kernels()])
def test_a_narrower_vector_computes_the_same(gpuplay: Gpuplay, kernel: str, bits: int) -> None:
    variants = [v.name for v in load_kernel(find_kernel(kernel)).kernel.variants if v.flynn == "MIMD"]
    words = (kernel, "--on", ",".join(variants), "--threads", "1,2", *SHAPES[kernel], *QUICK)
    done = gpuplay(*words, GPUPLAY_VECTOR_BITS=str(bits))
    assert done.code == 0, done.err
    assert {result["status"] for result in done.results} == {"ok"}, [result["reason"] for result in done.results]
    assert {result["threads"] for result in done.results} == {1, 2}
