"""What both proofs share: a kernel's CUDA variants, its shapes, and knob values that apply to them."""

import itertools
import sys
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.machine.model import Machine

MACHINE = Machine()


def loaded_kernel(word):
    return load_kernel(find_kernel(word))


def cuda_variants(loaded):
    return [variant for variant in loaded.kernel.variants if variant.target == "cuda"]


def problems(loaded, n, dtype, few=MappingProxyType({})):
    """The problem with default params, and one for each odd shape that the kernel declares.

    ``few`` gives other values in the place of defaults, for params that the kernel has.
    """
    kernel = loaded.kernel
    few = {axis.name: few[axis.name] for axis in kernel.axes if axis.name in few}
    for params in ({}, *kernel.odd_shapes):
        if "dtype" in params:
            continue
        problem = kernel.problem(n, **(few | dict(params) | {"dtype": dtype}))
        if kernel.applies is None or not loaded.call(kernel.applies, problem):
            yield problem


def applies(loaded, variant, problem, knobs, machine=MACHINE):
    return variant.applies is None or not loaded.call(variant.applies, problem, knobs, machine)


def extremes(variant):
    """Default knob values first, then every combination of each knob's smallest and largest candidate."""
    ends = [sorted({min(knob.values), max(knob.values)}) for knob in variant.knobs.values()]
    found = [variant.default_knobs]
    for values in itertools.product(*ends):
        knobs = dict(zip(variant.knobs, values, strict=True))
        if knobs not in found:
            found.append(knobs)
    return found
