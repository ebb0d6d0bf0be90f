"""Run every kernel's PyTorch peers for the GPU on the host's tensors: they are right there, or say what they need.

Prints one JSON object: the variant, and what is wrong with its outputs, '' where nothing is.
"""

from __future__ import annotations

import json
from typing import Any

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets import open_target

SIZES = {"activation": 1000, "conv2d": 12, "dense": 33, "lstm": 16, "matmul": 33}
PARAMS: dict[str, dict[str, Any]] = {
    "conv2d": {"batch": 2, "channels": 3, "filters": 5},
    "lstm": {"batch": 5, "steps": 3},
}


def verdicts(kernel: str) -> dict[str, str]:
    """What is wrong with each peer of a kernel on inputs as they are drawn and on every probe."""
    loaded = load_kernel(find_kernel(kernel))
    problem = loaded.kernel.problem(SIZES[kernel], **PARAMS.get(kernel, {}))
    found = {}
    for variant in loaded.kernel.variants:
        if variant.target != "torch_gpu" or variant.storage:
            continue
        cell = Cell(kernel, problem.n, problem.params, variant.name)
        data = problem_data(loaded, cell, open_target("torch"), 0)
        built = build(loaded, cell, data)
        built.run_once()
        reason = built.verdict().reason
        probed = None if reason else built.verdict_on_probes()
        found[variant.name] = probed.reason if probed else reason
    return found


if __name__ == "__main__":
    print(json.dumps({name: reason for kernel in SIZES for name, reason in verdicts(kernel).items()}))
