"""Random accesses with random barriers: the lockstep machine reports a race where their whole history has one.

A GPU function goes through phases; in each, the threads that ``act`` names touch the word that ``index`` names,
in shared or global memory, and then they meet, in warps, in blocks, or not at all. The truth is worked out from
all pairs of accesses.
"""

import linecache
import random

import numpy as np
import pytest
from numba import cuda, int32
from product import some

from gpuplay.lockstep.machine import LockstepMachine

SEEDS = 120
ACCESSES = {
    "load": "value += {array}[index[{phase}, i]]",
    "store": "{array}[index[{phase}, i]] = value",
    "atomic": "value += cuda.atomic.add({array}, index[{phase}, i], 1)",
}
MEETINGS = {"nobody": "pass", "warp": "cuda.syncwarp()", "block": "cuda.syncthreads()"}


class Draw:
    """What one seed gives: phases as (access, array, meeting), a geometry, who touches which word in each."""

    def __init__(self, seed):
        rng, numbers = random.Random(seed), np.random.default_rng(seed)
        self.block, self.blocks, self.words = rng.choice([32, 64, 96]), rng.choice([1, 2]), rng.choice([4, 16, 48])
        arrays = rng.choice([("tile",), ("tile", "out")])
        self.phases = [
            (rng.choice(["load", "load", "store", "store", "atomic"]), rng.choice(arrays), rng.choice(list(MEETINGS)))
            for _ in range(rng.randint(2, 6))
        ]
        size = len(self.phases), self.block * self.blocks
        self.index = numbers.integers(0, self.words, size).astype(np.int32)
        self.act = numbers.random(size) < rng.choice([0.9, 0.5, 3 / size[1]])


def written(phases, words, name):
    """The GPU function of these phases, and the line of each phase's access."""
    lines = ["def touch(out, index, act):", f"    tile = cuda.shared.array({words}, int32)"]
    lines += ["    i, value = cuda.grid(1), int32(0)", f"    for word in range(cuda.threadIdx.x, {words}, 32):"]
    lines += ["        if cuda.threadIdx.x < 32:", "            tile[word] = 0", "    cuda.syncthreads()"]
    places = {}
    for phase, (access, array, meeting) in enumerate(phases):
        lines += [f"    if act[{phase}, i]:", "        " + ACCESSES[access].format(array=array, phase=phase)]
        places[len(lines)] = phase
        lines.append("    " + MEETINGS[meeting])
    text = "\n".join([*lines, ""])
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace = {"cuda": cuda, "int32": int32}
    exec(compile(text, name, "exec"), namespace)
    return cuda.jit(namespace["touch"]), places


def unordered(phases, one, other, block):
    """May these accesses (phase, thread) happen in either order?"""
    (first, a), (last, b) = sorted([one, other])
    if a == b:
        return False
    met = {meeting for _, _, meeting in phases[first:last]}
    ordered = "block" in met or ("warp" in met and a % block // 32 == b % block // 32)
    return not (ordered and a // block == b // block)


def races(draw):
    """Pairs of phases whose accesses race, from all pairs of accesses to each word."""
    history, found = {}, set()
    for phase, (access, array, _) in enumerate(draw.phases):
        for thread in np.flatnonzero(draw.act[phase]).tolist():
            word = array, thread // draw.block if array == "tile" else 0, int(draw.index[phase, thread])
            for earlier, before in history.setdefault(word, []):
                harmless = draw.phases[earlier][0] == access != "store"
                if not harmless and unordered(draw.phases, (earlier, before), (phase, thread), draw.block):
                    found.add((earlier, phase))
            history[word].append((phase, thread))
    return found


@pytest.mark.parametrize("seed", some(range(SEEDS), lambda seed: seed < SEEDS // 3))
def test_a_race_is_reported_where_the_whole_history_has_one(seed):
    draw = Draw(seed)
    function, places = written(draw.phases, draw.words, f"<phases {seed}>")
    machine = LockstepMachine(keep_going=True)
    machine.launch(function, draw.blocks, draw.block, np.zeros(draw.words, np.int32), draw.index, draw.act)
    assert {fault.kind for fault in machine.report.faults} <= {"race"}
    told = {tuple(sorted((places[f.place.line], places[f.other.line]))) for f in machine.report.faults}
    truth = races(draw)
    assert told <= truth
    assert bool(told) == bool(truth)


def test_some_of_the_random_phases_race_and_some_do_not():
    racing = sum(bool(races(Draw(seed))) for seed in range(SEEDS))
    assert SEEDS // 5 < racing < SEEDS * 4 // 5
