"""What only GPUs of capability 9.0 have, and shared memory above 48 KB, shown without a GPU."""

from types import SimpleNamespace

import numpy as np
import pytest
from needs import compiles, numba_cuda_missing
from numba import cuda, float32, uint16, uint64

from gpuplay.intrinsics import ptx
from gpuplay.lockstep.machine import LockstepMachine
from gpuplay.machine.limits import LaunchError, refuse_launch
from gpuplay.machine.model import MODELS, GpuModel, model_of
from gpuplay.precision import stored
from gpuplay.targets.cuda import tensor_maps
from gpuplay.targets.cuda.device import DeviceGpu
from gpuplay.targets.stand_ins import offline
from gpuplay.targets.stand_ins.lockstep import LockstepGpu

LARGE = 96 * 1024


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
    LockstepMachine().launch(reversed_through_shared, 1, 256, y, x, shared=LARGE)
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


# ---- copies of boxes, and products of warpgroups ----

ROWS, COLUMNS = 24, 64
BOX_BYTES = 2 * ROWS * COLUMNS
ZEROS = (np.float32(0),) * 64


@cuda.jit
def copied_box(y, matrix, row, column):
    """One box of a matrix, unswizzled: y (24, 64)."""
    tile, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
    thread = cuda.threadIdx.x
    first = ptx.elements_to_boundary(tile, 1024)
    if thread == 0:
        ptx.init_barrier(full, 0, 1)
        ptx.publish_barriers()
    cuda.syncthreads()
    if thread == 0:
        ptx.acquire_tensor_map(matrix)
        ptx.arrive_expecting(full, 0, BOX_BYTES)
        ptx.copy_box_async(tile, first, matrix, row, column, full, 0)
    ptx.wait_for_phase(full, 0, 0)
    for i in range(ROWS):
        piece = (thread // 8) ^ (i % 8)
        y[i, thread] = tile[first + COLUMNS * i + 8 * piece + thread % 8]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (16, 64), (8, 128), (-8, -24), (24, 40), (40, 0), (0, 168)])
def test_a_box_comes_with_zeros_for_what_lies_outside_of_the_matrix(row, column):
    x = np.arange(1, 40 * 168 + 1, dtype=np.uint16).reshape(40, 168)
    surrounded = np.zeros((40 + 2 * ROWS, 168 + 2 * COLUMNS), np.uint16)
    surrounded[ROWS:-ROWS, COLUMNS:-COLUMNS] = x
    y, machine = np.zeros((ROWS, COLUMNS), np.uint16), LockstepMachine()
    described = LockstepGpu(GpuModel(), machine).tensor_map(x, (ROWS, COLUMNS))
    machine.launch(copied_box, 1, COLUMNS, y, described, row, column, shared=BOX_BYTES + 1024)
    expected = surrounded[ROWS + row : 2 * ROWS + row, COLUMNS + column : 2 * COLUMNS + column]
    assert (y == expected).all()
    loads = machine.report.total.global_loads
    inside = max(min(row + ROWS, 40) - max(row, 0), 0), max(min(column + COLUMNS, 168) - max(column, 0), 0)
    assert loads.bytes_asked == 2 * inside[0] * inside[1]


def test_the_sectors_of_a_box_are_counted_row_by_row():
    x = np.zeros((64, 136), np.uint16)
    machine, y = LockstepMachine(), np.zeros((ROWS, COLUMNS), np.uint16)
    described = LockstepGpu(GpuModel(), machine).tensor_map(x, (ROWS, COLUMNS))
    machine.launch(copied_box, 1, COLUMNS, y, described, 0, 0, shared=BOX_BYTES + 1024)
    loads = machine.report.total.global_loads
    assert loads.ideal_sectors == ROWS * 4
    assert loads.sectors == ROWS // 2 * (4 + 5)  # rows of 272 bytes: every other one begins in the middle of a sector


@pytest.mark.parametrize(
    ("model", "shape", "dtype", "box", "said"),
    [
        (model_of((8, 9)), (64, 64), "uint16", (64, 64), "RTX 4090 has no tensor memory accelerator"),
        (GpuModel(), (64,), "uint16", (64, 64), "a matrix with elements"),
        (GpuModel(), (64, 64), "float64", (64, 16), "one of uint16, float16, float32"),
        (GpuModel(), (64, 33), "uint16", (64, 64), "its rows take 66 bytes; they begin at multiples of 16"),
        (GpuModel(), (64, 64), "uint16", (64, 32), "box 64×32: 64 columns, 1 to 256 rows"),
        (GpuModel(), (64, 64), "float32", (257, 32), "box 257×32: 32 columns, 1 to 256 rows"),
    ],
    ids=["old", "vector", "double", "odd", "narrow", "high"],
)
def test_a_matrix_that_cannot_be_described_is_refused_in_words(model, shape, dtype, box, said):
    with pytest.raises(LaunchError, match=said):
        offline.OfflineGpu(model).tensor_map(np.zeros(shape, dtype), box)


@cuda.jit
def product_of_tiles(y, a_map, b_map):
    """y (64, 128) = a·b for a (64, 64) and b (64, 128), by one warpgroup."""
    tiles, full = cuda.shared.array(0, uint16), cuda.shared.array(1, uint64)
    thread = cuda.threadIdx.x
    if thread == 0:
        ptx.init_barrier(full, 0, 1)
        ptx.publish_barriers()
        ptx.arrive_expecting(full, 0, 3 * 8192)
        ptx.copy_box_async(tiles, 0, a_map, 0, 0, full, 0)
        ptx.copy_box_async(tiles, 4096, b_map, 0, 0, full, 0)
        ptx.copy_box_async(tiles, 8192, b_map, 0, 64, full, 0)
    cuda.syncthreads()
    ptx.wait_for_phase(full, 0, 0)
    a, b = ptx.describe_tile(tiles, 0, 0, 1024), ptx.describe_tile(tiles, 4096, 8192, 1024)
    ptx.fence_products()
    sums = ZEROS
    for step in range(uint64(4)):
        sums = ptx.multiply_async_bf16(sums, a + uint64(2) * step, b + uint64(128) * step)
    ptx.commit_products()
    sums = ptx.wait_for_products(sums, 0)
    for item in range(64):
        row = thread // 32 * 16 + thread % 32 // 4 + item // 2 % 2 * 8
        y[row, item // 4 * 8 + thread % 4 * 2 + item % 2] = sums[item]


def test_a_warpgroup_multiplies_the_tiles_that_its_descriptors_name():
    rng = np.random.default_rng(7)
    a, b = rng.integers(-9, 9, (64, 64)).astype(np.float32), rng.integers(-9, 9, (64, 128)).astype(np.float32)
    machine, y = LockstepMachine(), np.zeros((64, 128), np.float32)
    gpu = LockstepGpu(GpuModel(), machine)
    maps = [gpu.tensor_map(stored(x, "bfloat16"), (64, 64)) for x in (a, b)]
    machine.launch(product_of_tiles, 1, 128, y, *maps, shared=3 * 8192)
    assert (y == a @ b).all()
    assert machine.report.total.float32 == 2 * 64 * 64 * 128


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda: ptx.init_barrier((0, 0), 0, 1), "barriers are a one-dimensional shared array of uint64"),
        (lambda: ptx.arrive(cuda.shared.array(1, uint64), 0.5), "the barrier's index is a whole number"),
        (lambda: ptx.describe_tile(0, 0, 0, 0), "a one-dimensional contiguous array of numbers"),
        (lambda: ptx.multiply_async_bf16((0.5, 0.5), 0, 0), "sums are a tuple of 4, 8, … 128 float32"),
        (lambda: ptx.acquire_tensor_map(cuda.shared.array(1, float32)), "gpu.tensor_map"),
        (lambda: ptx.wait_for_products(ZEROS, 9), "groups are a constant from 0 to 7"),
    ],
    ids=["barriers", "index", "tile", "sums", "map", "groups"],
)
def test_a_wrong_argument_is_refused_in_words(body, said):
    with pytest.raises(Exception, match=said):
        LockstepMachine().launch(cuda.jit(body), 1, 32)


# ---- what a device is asked for ----


@compiles
def test_numba_compiles_for_a_device_of_capability_9_with_all_that_the_architecture_has(monkeypatch):
    from numba.cuda import codegen

    for capability, flavour in {(8, 9): "", (9, 0): "a"}.items():
        context = SimpleNamespace(device=SimpleNamespace(compute_capability=capability))
        monkeypatch.setattr(codegen, "devices", SimpleNamespace(get_context=lambda context=context: context))
        library = object.__new__(codegen.CUDACodeLibrary)
        assert library._ensure_cc(None) == (*capability, flavour)


class FakeDispatcher:
    """A GPU function with one loaded version for each type of its argument."""

    __name__ = "fake"

    def __init__(self):
        self.launched = []

    def __getitem__(self, configuration):
        return lambda *args: self.launched.append((configuration[3], args))

    def typeof_pyval(self, value):
        return type(value).__name__

    def compile(self, types):
        loaded = SimpleNamespace(handle=f"handle of {', '.join(types)}", device=SimpleNamespace(id=3))
        return SimpleNamespace(library=SimpleNamespace(get_cufunc=lambda: loaded))


@pytest.fixture
def granted(monkeypatch):
    """What the driver is asked to set."""
    if numba_cuda_missing():
        pytest.skip("numba-cuda is not installed; pip install 'gpuplay[cuda]'")
    from numba.cuda.cudadrv import driver

    asked = []
    fake = SimpleNamespace(cuKernelSetAttribute=lambda attribute, *rest: asked.append((attribute.name, *rest)))
    monkeypatch.setattr(driver, "driver", fake)
    return asked


def device_gpu():
    """A DeviceGpu around a device that does nothing."""
    arrays = SimpleNamespace(device_array=lambda count, **_: SimpleNamespace(copy_to_device=lambda *_, **__: count))
    device = SimpleNamespace(properties=GpuModel(), stream=0, cuda=arrays, count=lambda: None, synchronize=lambda: None)
    return DeviceGpu(device)


def test_the_driver_is_asked_for_more_shared_memory_once_for_each_version_of_a_function(granted):
    gpu, function = device_gpu(), FakeDispatcher()
    for shared in (1024, 40 * 1024, LARGE, LARGE, LARGE - 1024):
        gpu.launch(function, 1, 32, 1.5, shared=shared)
    gpu.launch(function, 1, 32, 1, shared=LARGE)
    name = "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES"
    assert granted == [(name, 40 * 1024, "handle of float", 3)] + [
        (name, LARGE, f"handle of {t}", 3) for t in ("float", "int")
    ]
    assert [shared for shared, _ in function.launched] == [1024, 40 * 1024, LARGE, LARGE, LARGE - 1024, LARGE]


def test_a_device_describes_a_matrix_once(monkeypatch):
    encoded = []
    monkeypatch.setattr(tensor_maps, "encoded", lambda array, box: encoded.append((array.shape, box)))
    gpu = device_gpu()
    x, y = (
        SimpleNamespace(shape=shape, dtype=np.dtype(np.uint16), __cuda_array_interface__={"data": (address, False)})
        for shape, address in (((64, 128), 4096), ((128, 64), 4096))
    )
    assert gpu.tensor_map(x, (64, 64)) is gpu.tensor_map(x, (64, 64))
    assert gpu.tensor_map(x, (128, 64)) is not gpu.tensor_map(y, (128, 64))
    assert encoded == [((64, 128), (64, 64)), ((64, 128), (128, 64)), ((128, 64), (128, 64))]
