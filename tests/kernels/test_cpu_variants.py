"""Every variant on the host is right at awkward sizes and odd shapes, with vectors of any width, on any threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import BUNDLED
from product import crossed

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings
from gpuplay.results.events import Final
from gpuplay.results.result import Result
from gpuplay.run.runner import Runner
from gpuplay.workers.crew import VECTOR_BITS

LOADED = {name: load_kernel(find_kernel(name)) for name in BUNDLED}
BY_THE_COMMAND = "activation"  # commands/test_check_and_new.py checks the whole of it
AWKWARD = "1,2,7,31,33,127,129"
ODD_SIZES = "7,33"
LIMIT_S = 2.0  # that check allows a cell
WIDTHS = {
    "activation": {"sizes": "7,33,1000", "function": "gelu,softplus"},
    "conv2d": {"sizes": "9", "batch": "2", "channels": "5", "filters": "7"},
    "dense": {"sizes": "33", "batch": "1,33"},
    "lstm": {"sizes": "33", "batch": "1,5", "steps": "2"},
    "matmul": {"sizes": "33,129", "m": "31"},
}


@pytest.fixture(autouse=True)
def common_cache(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """What is compiled here is compiled for the commands of other tests as well."""
    monkeypatch.setenv("GPUPLAY_CACHE_DIR", str(cache))


def verified(kernel: str, *asked: dict[str, Any]) -> list[Result]:
    """What ``check`` finds of problems with default knobs: every result of one worker for each environment."""
    results = []
    with Opened.of(find_kernel(kernel)) as opened:
        for values in asked:
            words = {name: str(value) for name, value in values.items()}
            named = {name: words.pop(name, None) for name in ("sizes", "on", "threads")}
            choice = Choice(**named, baseline="none", axes=words)
            plan, machine = planned(opened, choice, Settings(cell_limit_s=LIMIT_S), checking=True)
            events = Runner(plan, opened.crew, cores=machine.cores, verify_only=True).events()
            results += [event.result for event in events if isinstance(event, Final)]
    wrong = [(r.cell.label, r.reason) for r in results if r.status not in ("verified", "skipped")]
    assert wrong == []
    return [result for result in results if result.status == "verified"]


@pytest.mark.parametrize("kernel", [name for name in BUNDLED if name != BY_THE_COMMAND])
def test_every_variant_is_right_at_awkward_sizes_and_odd_shapes(kernel: str) -> None:
    declared = LOADED[kernel].kernel
    common = {"on": "python,numpy,cpu", "dtype": "float32"}
    usual = {**common, **declared.check_at, "sizes": AWKWARD}
    odd = [{**common, **declared.check_at, **shape, "sizes": ODD_SIZES} for shape in declared.odd_shapes]
    found = verified(kernel, usual, *odd)
    host = {variant.name for variant in declared.variants if variant.target in ("python", "numpy", "cpu")}
    sizes = {name: {r.cell.size for r in found if r.cell.variant == name} for name in host}
    assert {name for name in host if len(sizes[name]) < 5} == set()  # the interpreter is too slow for the largest
    assert all(any(r.cell.params == params for r in found) for params in problems(kernel, odd))


def problems(kernel: str, asked: list[dict[str, Any]]) -> list[Any]:
    declared = LOADED[kernel].kernel
    names = {axis.name for axis in declared.axes}
    return [
        declared.problem(33, **{name: value for name, value in values.items() if name in names}).params
        for values in asked
    ]


@pytest.mark.parametrize(("kernel", "bits"), crossed(BUNDLED, (128, 256)))
@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.product)])
def test_a_narrower_vector_computes_the_same(
    monkeypatch: pytest.MonkeyPatch, kernel: str, bits: int, dtype: str
) -> None:
    monkeypatch.setenv(VECTOR_BITS, str(bits))
    variants = [variant.name for variant in LOADED[kernel].kernel.variants if variant.flynn == "MIMD"]
    found = verified(kernel, {"on": ",".join(variants), "threads": "1,2", "dtype": dtype, **WIDTHS[kernel]})
    assert {(result.cell.variant, result.cell.threads) for result in found} == {
        (name, threads) for name in variants for threads in (1, 2)
    }
