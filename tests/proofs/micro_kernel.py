"""Compile the register tile of the matrix products, and print as JSON what its loops are made of.

python tests/proofs/micro_kernel.py ROWS VECTORS DTYPE

For every loop that multiplies: its fused multiply-adds by register class, and the vector registers that it
moves to or from the stack. Vectors are as wide as the environment says.
"""

import importlib
import json
import re
import sys

import numpy as np
from numba import njit

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import NAMESPACE
from gpuplay.intrinsics.tiles import Shape

FMA = re.compile(r"\bvfn?madd\d+(?:ps|pd|ss|sd)\b.*%([xyz])mm")
STACK = re.compile(r"\bvmov\w+\b.*\((?:%rsp|%rbp)\b.*%[xyz]mm|\bvmov\w+\b.*%[xyz]mm\d+, -?\d*\((?:%rsp|%rbp)")


def loops(listing):
    """Bodies of the innermost loops of a listing: from a label to the last jump back to it, with no loop inside."""
    lines = listing.splitlines()
    labels = {line.rstrip(":"): number for number, line in enumerate(lines) if re.match(r"\.LBB\d+_\d+:", line)}
    back = {}
    for number, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.LBB\d+_\d+)$", line)
        if jump and labels[jump[1]] < number:
            back[labels[jump[1]]] = number
    spans = list(back.items())
    inner = [(a, b) for a, b in spans if not any(a < c and d < b for c, d in spans)]
    return [lines[a : b + 1] for a, b in inner]


def main(rows, vectors, dtype):
    load_kernel(find_kernel("matmul"))
    gemm = importlib.import_module(f"{NAMESPACE}._shared.gemm")
    Rows, Operand = gemm.Rows, gemm.Operand
    shape = Shape(rows, vectors)

    @njit
    def run(C, A, B, wide, depth):
        c, a, b = Rows(C, 0, wide), Operand(A, 0, depth, 1), Rows(B, 0, wide)
        gemm.tile_product(c, a, b, depth, rows, wide, False, shape)  # noqa: FBT003

    run(*(np.ones((64, 64), dtype) for _ in range(3)), 64, 16)
    (listing,) = gemm.tile_product.inspect_asm().values()
    found = []
    for body in loops(listing):
        kinds = [match[1] for line in body if (match := FMA.search(line))]
        if kinds:
            spilled = sum(bool(STACK.search(line)) for line in body)
            found.append({"fma": {kind: kinds.count(kind) for kind in sorted(set(kinds))}, "spilled": spilled})
    print(json.dumps(found))


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
