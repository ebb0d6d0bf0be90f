"""Run every CUDA variant of a kernel on Numba's simulator at small sizes, and print a JSON record for each cell.

NUMBA_ENABLE_CUDASIM=1 python tests/proofs/simulator.py KERNEL SIZE,SIZE,…

Every GPU thread is an operating-system thread there, so knobs take values far below their candidates. A variant
with instructions that the simulator does not know has a record that says so. Each size is run in float32 with the
default params, the last of several also in float64; awkward sizes, every knob value and odd shapes are the lockstep
machine's (tests/gpu/test_variants.py).
"""

import json
import sys
import time
import warnings
from functools import partial

from cells import applies, cuda_variants, loaded_kernel, problems
from simulated_gpu import BeyondSimulator, SimulatorTarget

from gpuplay.measure.data import Placed
from gpuplay.measure.problems import ProblemData
from gpuplay.measure.weights import PreparedWeights
from gpuplay.results.cell import Cell

SWITCH_S = 1e-4  # the simulator polls its threads: at the usual 5 ms it starves those that have work
FEW = {"batch": 2, "channels": 2, "filters": 5, "steps": 2}
SMALL = {"tile": 4, "block": 32}


def small_knobs(loaded, variant, problem):
    """The smallest values that the variant admits, for knobs with a known meaning; else its defaults; else none."""
    small = {name: SMALL.get(name, default) for name, default in variant.default_knobs.items()}
    served = (knobs for knobs in (small, variant.default_knobs) if applies(loaded, variant, problem, knobs))
    return next(served, None)


def outcomes(loaded, variant, problem, knobs):
    """What is wrong, or an empty string, on the ordinary inputs and on every exact probe."""
    data = ProblemData(loaded, problem, SimulatorTarget(), (problem.n,))
    spaces = loaded.call(variant.workspace, problem, knobs) if variant.workspace else ()
    own = [Placed(data.target, array, problem.dtype) for array in spaces]
    prepared = None
    if variant.prepare:
        prepared = PreparedWeights(data, partial(loaded.resolve(variant.prepare), problem, **knobs)).placed
    arguments = data.arguments(prepared, variant) + [space.view for space in own]
    call = data.target.bind(loaded.call(variant.build, problem, **knobs), arguments)
    cell = Cell(problem.kernel, problem.n, problem.params, variant.name, tuple(knobs.items()))
    for probe in (None, *data.probes()):
        if probe is not None and (variant.prepare or not probe.exact):
            continue
        data.poison_outputs()
        call()
        data.target.finish()
        yield probe.name if probe else "ordinary inputs", data.verdict(cell, probe).reason


def shapes(loaded, sizes):
    """Every size in float32, the last of several also in float64."""
    for n in sizes:
        yield next(problems(loaded, n, "float32", FEW))
    if len(sizes) > 1:
        yield next(problems(loaded, sizes[-1], "float64", FEW))


def records(loaded, sizes):
    for variant in cuda_variants(loaded):
        for problem in shapes(loaded, sizes):
            knobs = small_knobs(loaded, variant, problem)
            if knobs is None:
                continue
            began = time.perf_counter()
            record = {"variant": variant.name, "n": problem.n, "params": dict(problem.params), "knobs": knobs}
            try:
                for inputs, wrong in outcomes(loaded, variant, problem, knobs):
                    yield record | {"inputs": inputs, "wrong": wrong, "seconds": time.perf_counter() - began}
            except BeyondSimulator as reason:
                yield record | {"beyond": str(reason), "wrong": ""}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setswitchinterval(SWITCH_S)
    SimulatorTarget()
    print(json.dumps(list(records(loaded_kernel(sys.argv[1]), [int(n) for n in sys.argv[2].split(",")]))))
