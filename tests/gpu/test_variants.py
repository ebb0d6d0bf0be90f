"""Every bundled CUDA variant on the lockstep machine: right, without a fault, each dtype as Numba infers it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from product import only_in_all, some_rows

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
    (name, variant.name)
    for name, loaded in LOADED.items()
    for variant in loaded.kernel.variants
    if variant.target == "cuda"
]


def knobs_of(variant: Variant) -> Iterator[dict[str, int]]:
    """Every combination of the candidates."""
    for values in itertools.product(*(knob.values for knob in variant.knobs.values())):
        yield dict(zip(variant.knobs, values, strict=True))


def others(kernel: str, name: str) -> list[dict[str, int]]:
    """Knobs of which as many as possible have another value than the default, these first; not the defaults."""
    variant = LOADED[kernel].kernel.variant(name)
    usual = variant.default_knobs
    ranked = sorted(knobs_of(variant), key=lambda knobs: sum(knobs[name] == usual[name] for name in usual))
    return [knobs for knobs in ranked if knobs != usual]


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


def in_turn(values: Sequence[Any], one: tuple[str, str]) -> Any:
    """The value whose turn it is at a variant, so that each has its turn at some variants."""
    return values[VARIANTS.index(one) % len(values)]


@pytest.mark.parametrize(
    ("kernel", "name", "n"),
    some_rows(((*one, n) for one in VARIANTS for n in SIZES), lambda row: row[2] == in_turn(SIZES, row[:2])),
)
def test_a_variant_is_right_at_awkward_sizes(kernel: str, name: str, n: int) -> None:
    loaded = LOADED[kernel]
    variant = loaded.kernel.variant(name)
    assert right(loaded, variant, loaded.kernel.problem(n, **loaded.kernel.check_at), variant.default_knobs)


@pytest.mark.parametrize(("kernel", "name"), [one for one in VARIANTS if others(*one)])
def test_a_variant_is_right_with_another_value_of_its_knobs(kernel: str, name: str) -> None:
    loaded = LOADED[kernel]
    problem = loaded.kernel.problem(ODD_SIZE, **loaded.kernel.check_at)
    assert any(right(loaded, loaded.kernel.variant(name), problem, knobs) for knobs in others(kernel, name))


@only_in_all
@pytest.mark.parametrize("n", SIZES, ids="n{}".format)
@pytest.mark.parametrize(("kernel", "name"), VARIANTS)
def test_a_variant_is_right_with_every_knob_value(kernel: str, name: str, n: int) -> None:
    loaded = LOADED[kernel]
    variant = loaded.kernel.variant(name)
    problem = loaded.kernel.problem(n, **loaded.kernel.check_at)
    served = [right(loaded, variant, problem, knobs) for knobs in knobs_of(variant)]
    assert any(served)


def serves_float64(kernel: str, name: str) -> bool:
    loaded = LOADED[kernel]
    variant = loaded.kernel.variant(name)
    problem = loaded.kernel.problem(ODD_SIZE, **dict(loaded.kernel.check_at) | {"dtype": "float64"})
    return not refusal(loaded, variant, problem, variant.default_knobs)


@pytest.mark.parametrize(
    ("kernel", "name", "dtype"),
    some_rows(
        ((*one, dtype) for one in VARIANTS for dtype in ("float32", "float64")),
        lambda row: (row[2] == "float64") == serves_float64(*row[:2]),
    ),
)
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
