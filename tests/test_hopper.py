"""What only GPUs of capability 9.0 have, and shared memory above 48 KB, shown without a GPU."""

import importlib.metadata

import numpy as np
import pytest
from numba import cuda, float32

from gpuplay.limits import LaunchError, refuse_launch
from gpuplay.lockstep.machine import Machine
from gpuplay.machine_model import MODELS, GpuModel, model_of
from gpuplay.targets import offline

LARGE = 96 * 1024


def compiler_missing():
    try:
        importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        return True
    return False


compiles = pytest.mark.skipif(compiler_missing(), reason="numba-cuda is not installed; pip install 'gpuplay[cuda]'")


@cuda.jit
def reversed_through_shared(y, x):
    """y is x backwards, by way of all of its dynamic shared memory; one block."""
    kept = cuda.shared.array(0, float32)
    for i in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        kept[i] = x[i]
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        y[i] = kept[x.size - 1 - i]


def test_a_block_has_more_than_48_kilobytes_of_dynamic_shared_memory():
    x = np.arange(LARGE // 4, dtype=np.float32)
    y = np.zeros_like(x)
    Machine().launch(reversed_through_shared, 1, 256, y, x, shared=LARGE)
    assert (y == x[::-1]).all()


@pytest.mark.parametrize(
    ("model", "static", "dynamic", "said"),
    [
        (GpuModel(), 49153, 0, "49153 bytes of static shared memory; a block has at most 49152"),
        (GpuModel(), 0, 227 * 1024 + 1, "232449 bytes of dynamic shared memory; a block has at most 232448"),
        (GpuModel(), 48 * 1024, 180 * 1024, "49152 \\+ 184320 bytes of shared memory; a block has at most 232448"),
        (model_of((7, 5)), 0, 65 * 1024, "66560 bytes of dynamic shared memory; a block has at most 65536"),
    ],
    ids=["static", "dynamic", "both", "turing"],
)
def test_more_shared_memory_than_a_block_can_have_is_refused(model, static, dynamic, said):
    with pytest.raises(LaunchError, match=said):
        refuse_launch(model, None, (1, 1, 1), (32, 1, 1), dynamic, static)


def test_a_capability_without_a_model_has_the_newest_that_is_not_newer():
    assert [model_of(model.capability) for model in MODELS] == list(MODELS)
    assert model_of((8, 7)).capability == (8, 6)
    assert model_of((9, 0, "a")) == GpuModel()
    assert model_of((12, 0)).capability == (9, 0)
    assert model_of((7, 0)).capability == (7, 5)


@compiles
def test_capability_9_is_compiled_with_all_that_the_architecture_has():
    def run(gpu, y, x):
        gpu.launch(reversed_through_shared, 1, 256, y, x, shared=LARGE)

    arrays = [offline.hollow((256,), "float32")] * 2
    targets = {cc: offline.inspect(run, arrays, cc, assemble=False)[0].ptx for cc in ((8, 0), (9, 0), (9, 0, "a"))}
    assert ".target sm_80\n" in targets[8, 0]
    assert ".target sm_90a\n" in targets[9, 0]
    assert ".target sm_90a\n" in targets[9, 0, "a"]
