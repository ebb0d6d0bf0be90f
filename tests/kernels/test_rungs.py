"""A rung has one name and one idea: its builder, its declaration and the pages on ladders agree."""

from __future__ import annotations

import re

import pytest
from places import DOCS

from gpuplay.catalog.find import bundled_kernels
from gpuplay.catalog.load import load_kernel
from gpuplay.kernel import Kernel, Variant

KERNELS = {origin.name: load_kernel(origin) for origin in bundled_kernels()}
BUILT_HERE = ("python", "cpu", "cuda")


def name_of(builder: object) -> str:
    return str(builder).rpartition(":")[2].rstrip("_")


def short(variant: Variant) -> str:
    return variant.name.partition(":")[2]


def rungs(kernel: Kernel, target: str) -> list[str]:
    """All variants of a target that stand in a ladder, in the order in which they are declared."""
    below = {variant.improves_on for variant in kernel.variants}
    return [v.name for v in kernel.variants if v.target == target and (v.improves_on or v.name in below)]


def section(page: str, kernel: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8").partition(f"\n## {kernel}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_builder_bears_the_short_name_of_a_variant_that_it_builds(kernel: str) -> None:
    variants = KERNELS[kernel].kernel.variants
    for variant in variants:
        assert name_of(variant.build) in {short(v) for v in variants if v.build == variant.build}, variant.name


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param((kernel, variant), id=f"{kernel}-{variant.name}")
        for kernel, loaded in KERNELS.items()
        for variant in loaded.kernel.variants
        if variant.target in BUILT_HERE and name_of(variant.build) == short(variant)
    ],
)
def test_a_builder_tells_first_the_idea_that_its_variant_declares(variant: tuple[str, Variant]) -> None:
    kernel, declared = variant
    told = " ".join((KERNELS[kernel].resolve(declared.build).__doc__ or "").split("\n\n")[0].split())
    assert told == declared.idea[0].upper() + declared.idea[1:] + "."


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("page", "target"), [("ladder-cpu.md", "cpu"), ("ladder-cuda.md", "cuda")])
def test_the_page_on_a_ladder_has_its_rungs_in_their_order(kernel: str, page: str, target: str) -> None:
    text, declared = section(page, kernel), rungs(KERNELS[kernel].kernel, target)
    assert re.findall(rf"^\| ({target}:\w+) \|", text, re.MULTILINE) == declared
    told = re.findall(rf"^\*\*(?:{target}:\w+ )?→ ({target}:\w+)\.?(?: → ({target}:\w+))?", text, re.MULTILINE)
    assert {name for pair in told for name in pair if name} == set(declared[1:])
