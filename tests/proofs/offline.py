"""Compile every CUDA variant of a kernel without a GPU, and print a JSON record for each GPU function.

python tests/proofs/offline.py KERNEL
"""

import json
import re
import sys

import numpy as np
from cells import applies, cuda_variants, extremes, loaded_kernel, problems

from gpuplay.shapes import declared_arrays
from gpuplay.targets import offline

SIZE = 67
CAPABILITIES = ((7, 5), (9, 0))


def hollow_arrays(loaded, variant, problem, knobs):
    """What a run gets, without contents; prepared weights stand where the weights stood."""
    declared = declared_arrays(loaded, problem)
    arrays = [offline.hollow(a.shape, a.dtype or problem.dtype) for a in declared]
    if variant.prepare:
        places = [i for i, a in enumerate(declared) if a.role == "weight"]
        weights = [np.zeros(declared[i].shape, problem.dtype) for i in places]
        prepared = loaded.call(variant.prepare, problem, *weights, **knobs)
        prepared = prepared if isinstance(prepared, tuple | list) else (prepared,)
        for i, array in zip(places, prepared, strict=True):
            arrays[i] = array
    spaces = loaded.call(variant.workspace, problem, knobs) if variant.workspace else ()
    return arrays + [offline.hollow(a.shape, a.dtype or problem.dtype) for a in spaces]


def cells(loaded, variant):
    """Problem, knobs, capabilities and whether to assemble: all extremes of the plain shape, defaults of odd shapes."""
    for dtype in loaded.kernel.dtypes:
        plain, *odd = problems(loaded, SIZE, dtype)
        for place, knobs in enumerate(extremes(variant)):
            yield plain, knobs, CAPABILITIES, place == 0
        for problem in odd:
            if problem != plain:
                yield problem, variant.default_knobs, CAPABILITIES[-1:], True


def records(loaded):
    for variant in cuda_variants(loaded):
        for problem, knobs, capabilities, assemble in cells(loaded, variant):
            if applies(loaded, variant, problem, knobs):
                yield from compiled(loaded, variant, problem, knobs, capabilities, assemble=assemble)


def compiled(loaded, variant, problem, knobs, capabilities, *, assemble):
    run = loaded.call(variant.build, problem, **knobs)
    arrays = hollow_arrays(loaded, variant, problem, knobs)
    for cc in capabilities:
        for found in offline.inspect(run, arrays, cc, assemble=assemble and cc == CAPABILITIES[-1]):
            code = found.code
            yield {
                "variant": variant.name,
                "params": dict(problem.params),
                "knobs": knobs,
                "capability": list(cc),
                "function": found.name,
                "entries": len(re.findall(r"^\.visible \.entry", found.ptx, re.MULTILINE)),
                "float64_lines": [line.strip() for line in found.ptx.splitlines() if ".f64" in line],
                "resources": code and {name: value for name, value in vars(code).items() if name != "sass"},
                "instructions": code and len(re.findall(r"^\s+/\*[0-9a-f]{4,}\*/", code.sass, re.MULTILINE)),
            }


if __name__ == "__main__":
    print(json.dumps(list(records(loaded_kernel(sys.argv[1])))))
