"""The intrinsics below Numba's vocabulary: what they compile to, what they refuse, what they do on the machine."""

import importlib.metadata
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from numba import cuda, float32
from places import PROOFS

from gpuplay.intrinsics import ptx
from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.front.inference import TypingFailed
from gpuplay.lockstep.machine import LockstepMachine

LANES = 32


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """By function: its PTX for compute capability 8.0, and the bytes of its stack."""
    try:
        importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("numba-cuda is not installed; pip install 'gpuplay[cuda]'")
    command = [sys.executable, str(PROOFS / "intrinsics.py")]
    cwd = tmp_path_factory.mktemp("offline")
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("load4_and_store4", r"(?:ld|st)\.global\S*", ["ld.global.v4.f32", "st.global.v4.f32"]),
        ("load4_and_store4_of_shared_memory", r"(?:ld|st)\.shared\S*", ["st.shared.v4.f32", "ld.shared.v4.f32"]),
        ("streaming", r"(?:ld|st)\.global\S*", ["ld.global.cs.v4.f32", "st.global.cs.v4.f32"]),
        ("readonly", r"ld\.global\S*", ["ld.global.nc.v4.f32", "ld.global.nc.f32"]),
        ("approximate", r"\w+\.approx\S*", ["tanh.approx.f32", "ex2.approx.ftz.f32"]),
        (
            "copies",
            r"cp\.async[^\[;]*(?: \d)?",
            [
                *("cp.async.cg.shared.global ", "cp.async.commit_group", "cp.async.ca.shared.global "),
                *("cp.async.commit_group", "cp.async.wait_group 1", "cp.async.wait_group 0"),
            ],
        ),
        ("add_outer", r"fma\.rn\.f32", ["fma.rn.f32"] * 64),
        ("add_outer", r"\.(?:maxntid|minnctapersm) \d+", [".maxntid 256", ".minnctapersm 2"]),
    ],
    ids=lambda value: value if str(value).isidentifier() else "",
)
def test_an_intrinsic_compiles_to_its_instructions(compiled, name, pattern, expected):
    assert re.findall(pattern, compiled[name]["ptx"]) == expected
    assert compiled[name]["stack"] == 0


def launched(function, *arrays, keep_going=False):
    machine = LockstepMachine(keep_going=keep_going, check_types=True)
    machine.launch(function, 1, LANES, *arrays)
    return machine.report


def numbers(count, dtype=np.float32):
    return np.arange(count).astype(dtype)


@pytest.mark.parametrize(
    ("function", "arrays", "words"),
    [
        (lambda y, x: ptx.load4(y, 0), (np.zeros((4, 4), np.float32),) * 2, "load4: a contiguous one-dimensional"),
        (lambda y, x: ptx.load4(y, 0), (np.zeros(4),) * 2, "of 32-bit elements; given"),
        (lambda y, x: ptx.load4(y, 0.5), (numbers(4),) * 2, "load4: the index is a whole number; given float64"),
        (lambda y, x: ptx.store4(y, 0, (x[0], x[1])), (numbers(4),) * 2, "store4: the values are a tuple of four"),
        (lambda y, x: ptx.store4_streaming(y, 0, (1, 2, 3, 4)), (numbers(4),) * 2, "of the array's type"),
        (lambda y, x: ptx.load_readonly(y, 0), (numbers(4, np.uint8),) * 2, "32 or 64-bit elements"),
        (lambda y, x: ptx.add_outer((x[0],), (x[0], x[1]), (x[2],)), (numbers(4),) * 2, "make a tile of 2"),
        (
            lambda y, x: ptx.add_outer((x[0],), (1,), (x[2],)),
            (numbers(4),) * 2,
            "a is a tuple of float32 or of float64",
        ),
        (lambda y, x: ptx.fast_tanh(x[0]), (np.zeros(4),) * 2, "fast_tanh: a float32; given float64"),
        (lambda y, x: ptx.wait_for_copies(x.size), (numbers(4),) * 2, "wait_for_copies: a constant from 0 to 7"),
        (lambda y, x: ptx.copy4_async(y, 0, x, 0, 4), (numbers(4), numbers(4, np.int32)), "both arrays have one dtype"),
        (lambda y, x: ptx.copy8_async(y, 0, x, 0, 4), (numbers(4),) * 2, "of 16-bit elements"),
        (lambda y, x: ptx.copy4_async(y, 0, x, 0, 0.5), (numbers(4),) * 2, "count is a whole number"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_wrong_type_is_refused_in_words(function, arrays, words):
    with pytest.raises(TypingFailed) as caught:
        launched(cuda.jit(function), *arrays)
    assert words in str(caught.value)


def test_hints_to_the_caches_change_neither_values_nor_counts():
    @cuda.jit
    def plain(y, x):
        i = cuda.grid(1)
        ptx.store4(y, 4 * i, ptx.load4(x, 4 * i))
        y[i] += x[i]

    @cuda.jit
    def hinted(y, x):
        i = cuda.grid(1)
        ptx.store4_streaming(y, 4 * i, ptx.load4_streaming(x, 4 * i))
        y[i] += ptx.load_readonly(x, i)

    @cuda.jit
    def readonly(y, x):
        i = cuda.grid(1)
        ptx.store4(y, 4 * i, ptx.load4_readonly(x, 4 * i))
        y[i] += x[i]

    counted = []
    for function in (plain, hinted, readonly):
        y, x = np.zeros(4 * LANES, np.float32), numbers(4 * LANES)
        counted.append(launched(function, y, x, keep_going=True).total)
    assert counted[0] == counted[1] == counted[2]


def test_what_the_launch_wrote_is_not_for_the_read_only_path():
    @cuda.jit
    def written(z, y):
        i = cuda.threadIdx.x
        y[i] = i
        cuda.syncthreads()
        z[i] = ptx.load_readonly(y, 31 - i)

    (fault,) = launched(written, numbers(LANES), numbers(LANES), keep_going=True).faults
    assert (fault.kind, fault.array, fault.index) == ("race", "y", (31,))
    assert "by the read-only path, but block 0 thread 31 wrote it" in fault.message


def test_a_hint_for_shared_memory_is_refused():
    @cuda.jit
    def shared(y):
        tile = cuda.shared.array(128, float32, alignment=16)
        i = cuda.threadIdx.x
        ptx.store4(tile, 4 * i, (y[0], y[0], y[0], y[0]))
        y[i] = ptx.load4_streaming(tile, 4 * i)[0]

    with pytest.raises(Unsupported, match="a hint to the caches for shared memory"):
        launched(shared, np.zeros(LANES, np.float32))


def test_approximations_are_the_exact_functions_rounded_without_denormals():
    @cuda.jit
    def both(tanh, power, x):
        i = cuda.grid(1)
        tanh[i], power[i] = ptx.fast_tanh(x[i]), ptx.fast_exp2(x[i])

    x = np.linspace(-140, 140, LANES, dtype=np.float32)
    tanh, power = np.zeros_like(x), np.zeros_like(x)
    total = launched(both, tanh, power, x).total
    with np.errstate(over="ignore"):
        exact = np.exp2(x.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(tanh, np.tanh(x.astype(np.float64)), rtol=1e-6)
    np.testing.assert_allclose(power, np.where(exact < np.finfo(np.float32).tiny, 0, exact), rtol=1e-6)
    assert power[0] == 0 < exact[0]
    assert total.special == 2 * LANES


def test_an_asynchronous_copy_counts_what_it_reads_and_the_store_to_shared_memory():
    @cuda.jit
    def partly(y, x):
        tile = cuda.shared.array(128, float32, alignment=16)
        i = cuda.threadIdx.x
        ptx.copy4_async(tile, 4 * i, x, 4 * i, min(max(x.size - 4 * i, 0), 4))
        ptx.commit_copies()
        ptx.wait_for_copies(0)
        y[i] = tile[4 * i]

    y = np.zeros(LANES, np.float32)
    total = launched(partly, y, numbers(101)).total
    assert (total.global_loads.requests, total.global_loads.sectors, total.global_loads.bytes_asked) == (1, 13, 404)
    assert (total.shared_stores.requests, total.shared_stores.wavefronts) == (1, 4)
    assert (y == [4 * i if 4 * i < 101 else 0 for i in range(LANES)]).all()
