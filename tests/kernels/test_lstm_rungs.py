"""The rungs below cpu:simd of the lstm: they make one ladder, and are right with narrower vectors too."""

from __future__ import annotations

import itertools
import re

from command import Gpuplay
from product import only_in_all

RUNGS = ["cpu:naive", "cpu:separate", "cpu:joined", "cpu:packed"]
WORDS = (
    "--sizes",
    "7",
    "--batch",
    "1,5",
    "--steps",
    "2",
    "--rounds",
    "1",
    "--cell-time",
    "0.01s",
    "--baseline",
    "none",
)


def test_each_rung_adds_one_idea_to_the_one_below(gpuplay: Gpuplay) -> None:
    done = gpuplay("ladder", "lstm", "--diff")
    assert done.code == 0, done.err
    steps = re.findall(r"^(cpu:\w+) → (cpu:\w+)  ", done.out, re.MULTILINE)
    chain = [*RUNGS, "cpu:simd", "cpu:parallel"]
    assert steps == list(itertools.pairwise(chain))


@only_in_all
def test_a_narrower_vector_climbs_the_same_rungs(gpuplay: Gpuplay) -> None:
    done = gpuplay("lstm", "--on", ",".join(RUNGS), *WORDS, "--json", GPUPLAY_VECTOR_BITS="128")
    assert done.code == 0, done.err
    assert [result["variant"] for result in done.results] == [name for _ in range(2) for name in RUNGS]
    assert {result["status"] for result in done.results} == {"ok"}, [result["reason"] for result in done.results]
