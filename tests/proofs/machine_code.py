"""Run one variant once, and print as JSON how many packed and scalar arithmetic instructions its machine code has.

python tests/proofs/machine_code.py KERNEL VARIANT N

Meant for an environment with an empty cache folder: code that comes from the cache cannot be inspected.
"""

import gc
import json
import re
import sys

from numba.core.dispatcher import Dispatcher

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import NAMESPACE
from gpuplay.measure.bench import Bench
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell

ARITHMETIC = re.compile(r"\bv?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d*)(ps|pd|ss|sd)\b")


def main(kernel_name, variant_name, n):
    loaded = load_kernel(find_kernel(kernel_name))
    variant = loaded.kernel.variant(variant_name)
    problem = loaded.kernel.problem(n)
    cell = Cell(kernel_name, n, problem.params, variant_name, tuple(variant.default_knobs.items()))
    prepared = Bench(loaded, Settings()).build(cell)
    assert not prepared.wrong, prepared.wrong
    counts = {"packed": 0, "scalar": 0, "functions": 0}
    for function in (o for o in gc.get_objects() if issubclass(type(o), Dispatcher)):
        if function.py_func.__module__.startswith(NAMESPACE) and function.signatures:
            counts["functions"] += 1
            for listing in function.inspect_asm().values():
                for kind in ARITHMETIC.findall(listing):
                    counts["packed" if kind[0] == "p" else "scalar"] += 1
    print(json.dumps(counts))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
