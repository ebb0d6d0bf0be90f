"""Every bundled CUDA variant on the lockstep machine: right, without a fault, each dtype as Numba infers it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from gpuplay.catalog.find import bundled_kernels
from gpuplay.catalog.load import Loaded, load_kernel
from gpuplay.kernel import Problem, Variant
from gpuplay.machine.model import Machine
from gpuplay.measure.building import build, problem_data
from gpuplay.results.cell import Cell
from gpuplay.targets.stand_ins.lockstep import LockstepTarget

SIZES = (1, 2, 7, 31, 33, 127, 129)
ODD_SIZE = 33
LOADED = {origin.name: load_kernel(origin) for origin in bundled_kernels()}
VARIANTS = [
    pytest.param(name, variant.name, id=f"{name}-{variant.name.replace(':', '-')}")
    for name, loaded in LOADED.items()
    for variant in loaded.kernel.variants
    if variant.target == "cuda"
]


def knobs_of(variant: Variant) -> Iterator[dict[str, int]]:
    """Every combination of the candidates."""
    for values in itertools.product(*(knob.values for knob in variant.knobs.values())):
        yield dict(zip(variant.knobs, values, strict=True))


def refusal(loaded: Loaded, variant: Variant, problem: Problem, knobs: dict[str, int]) -> str:
    """Why the variant does not serve this problem; '' where it does."""
    return (variant.applies and loaded.call(variant.applies, problem, knobs, Machine())) or ""


def right(loaded: Loaded, variant: Variant, problem: Problem, knobs: dict[str, int]) -> bool:
    """Whether the variant serves this problem; then it is right, at the first call and without a fault."""
    if refusal(loaded, variant, problem, knobs):
        return False
    cell = Cell(problem.kernel, problem.n, problem.params, variant.name, tuple(knobs.items()))
    target = LockstepTarget(check_types=True)
    built = build(loaded, cell, problem_data(loaded, cell, target, 0))
    built.run_once()
    assert built.verdict().reason == "", cell
    assert target.report.faults == ()
    assert target.report.total.warp_instructions > 0
    return True


@pytest.mark.parametrize("n", SIZES, ids="n{}".format)
@pytest.mark.parametrize(("kernel", "name"), VARIANTS)
def test_a_variant_is_right_with_every_knob_value(kernel: str, name: str, n: int) -> None:
    loaded = LOADED[kernel]
    variant = loaded.kernel.variant(name)
    problem = loaded.kernel.problem(n, **loaded.kernel.check_at)
    served = [right(loaded, variant, problem, knobs) for knobs in knobs_of(variant)]
    assert any(served)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kernel", "name"), VARIANTS)
def test_a_variant_is_right_at_every_odd_shape(kernel: str, name: str, dtype: str) -> None:
    loaded = LOADED[kernel]
    variant = loaded.kernel.variant(name)
    knobs, served, reasons = variant.default_knobs, [], []
    for shape in loaded.kernel.odd_shapes:
        problem = loaded.kernel.problem(ODD_SIZE, **dict(loaded.kernel.check_at) | dict(shape) | {"dtype": dtype})
        served.append(right(loaded, variant, problem, knobs))
        reasons.append(refusal(loaded, variant, problem, knobs))
    made_for_float32 = dtype == "float64" and all("float" in reason for reason in reasons)
    assert any(served) or made_for_float32
