"""Compile every CUDA variant of a kernel without a GPU, and print a JSON record for each GPU function.

python tests/proofs/offline.py KERNEL [--in-turn]

In turn, each variant is compiled for one dtype with its default knobs, for one of the architectures that it serves.
"""

import json
import math
import re
import sys

import numpy as np
from cells import applies, cuda_variants, extremes, loaded_kernel, problems
from front_end import shared_front_end

from gpuplay.machine.model import Machine, model_of
from gpuplay.plan.shapes import declared_arrays
from gpuplay.targets.stand_ins import offline

SIZE = 67
CAPABILITIES = ((7, 5), (8, 0), (9, 0))


def hollow_arrays(loaded, variant, problem, knobs):
    """What a run gets, without contents; prepared weights stand where the weights stood."""
    declared = declared_arrays(loaded, problem)
    kept = [variant.stored(a, problem.dtype) for a in declared]
    arrays = [offline.hollow(a.shape, a.dtype or problem.dtype) for a in kept]
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
    """Problem, knobs and capabilities: all of these for defaults of the plain shape, the last for all else."""
    for dtype in loaded.kernel.dtypes:
        plain, *odd = problems(loaded, SIZE, dtype)
        for knobs in extremes(variant):
            yield plain, knobs, CAPABILITIES if knobs == variant.default_knobs else CAPABILITIES[-1:]
        for problem in odd:
            if problem != plain:
                yield problem, variant.default_knobs, CAPABILITIES[-1:]


def cells_in_turn(loaded, turn, variant):
    """One problem, default knobs, and one capability: the next dtype and the next capability for each variant."""
    knobs, dtypes = variant.default_knobs, loaded.kernel.dtypes
    for step in range(len(dtypes)):
        plain, *_ = problems(loaded, SIZE, dtypes[(turn + step) % len(dtypes)])
        served = [cc for cc in CAPABILITIES if applies(loaded, variant, plain, knobs, Machine(gpu=model_of(cc)))]
        if served and applies(loaded, variant, plain, knobs):
            yield plain, knobs, (served[turn % len(served)],)
            return


def records(loaded, *, in_turn):
    for turn, variant in enumerate(cuda_variants(loaded)):
        for problem, knobs, capabilities in cells_in_turn(loaded, turn, variant) if in_turn else cells(loaded, variant):
            if applies(loaded, variant, problem, knobs):
                yield from compiled(loaded, variant, problem, knobs, capabilities)


def compiled(loaded, variant, problem, knobs, capabilities):
    run = loaded.call(variant.build, problem, **knobs)
    arrays = hollow_arrays(loaded, variant, problem, knobs)
    for cc in capabilities:
        if not applies(loaded, variant, problem, knobs, Machine(gpu=model_of(cc))):
            continue
        for found in offline.inspect(run, arrays, cc, disassemble=False):
            yield {
                "variant": variant.name,
                "params": dict(problem.params),
                "knobs": knobs,
                "default": knobs == variant.default_knobs,
                "capability": list(cc),
                "function": found.name,
                "entries": len(re.findall(r"^\.visible \.entry", found.ptx, re.MULTILINE)),
                "float64_lines": [line.strip() for line in found.ptx.splitlines() if ".f64" in line],
                "threads": math.prod(found.launch.block),
                "resources": {name: value for name, value in vars(found.code).items() if name != "sass"},
            }


if __name__ == "__main__":
    with shared_front_end():
        print(json.dumps(list(records(loaded_kernel(sys.argv[1]), in_turn="--in-turn" in sys.argv))))
