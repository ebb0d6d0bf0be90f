"""Targets hold arrays, run variants and tell time; what is not here says why in one line."""

import re
import subprocess
import sys
import time

import numpy as np
import pytest
from proofs.simulated_gpu import SimulatedGpu, SimulatorTarget

from gpuplay import targets
from gpuplay.errors import GpuplayError, KernelFileError, TargetMissing, UsageError
from gpuplay.machine import limits
from gpuplay.machine.model import GpuModel
from gpuplay.targets import presence

HOST = ("python", "numpy", "cpu")
MODEL = GpuModel()


def placed(target, values, dtype="float32"):
    """A view on the target that holds these values, between other elements."""
    values = np.asarray(values, dtype=dtype)
    flat = target.flat(values.size + 8, dtype)
    target.write(flat, 4, values)
    return flat, target.view(flat, 4, values.shape)


def in_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", [*HOST, "simulator"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("count", [1, 63, 4097])
def test_flat_arrays_start_on_256_bytes(name, dtype, count):
    target = SimulatorTarget() if name == "simulator" else targets.open_target(name)
    flat = target.flat(count, dtype)
    assert (flat.shape, str(flat.dtype), flat.ctypes.data % 256) == ((count,), dtype, 0)
    assert not flat.any()


@pytest.mark.parametrize("name", HOST)
def test_a_view_is_a_contiguous_window_that_writes_and_reads_reach(name):
    target = targets.open_target(name)
    flat, view = placed(target, np.arange(6).reshape(2, 3))
    assert view.shape == (2, 3)
    assert view.flags.c_contiguous
    assert target.read(flat, 3, 8).tolist() == [0, 0, 1, 2, 3, 4, 5, 0]
    view[1, 2] = 9
    assert target.read(flat, 9, 1).tolist() == [9]


@pytest.mark.parametrize("name", HOST)
def test_a_bound_call_runs_on_its_arrays(name):
    target = targets.open_target(name)
    flat, out = placed(target, [0, 0])
    _, given = placed(target, [3, 4])

    def run(out, given, factor):
        for i in range(2):
            out[i] = given[i] * factor

    call = target.bind(run, [out, given, np.float32(2)])
    call()
    target.finish()
    assert target.read(flat, 4, 2).tolist() == [6, 8]


class Clock:
    """A clock that shows what has passed on it."""

    now = 100.0

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    scripted = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: scripted.now)
    return scripted


@pytest.mark.parametrize("name", HOST)
def test_seconds_is_the_time_of_all_loops(name, clock):
    target = targets.open_target(name)
    call = target.bind(lambda: clock.advance(0.002), [])
    assert target.seconds(call, 5) == pytest.approx(0.01)


def test_python_runs_on_nested_lists_of_python_numbers():
    target = targets.open_target("python")
    _, matrix = placed(target, [[1, 2], [3, 4]])
    seen = []
    target.bind(lambda rows, scale: seen.append((rows, scale)), [matrix, np.float32(0.5)])()
    assert seen == [([[1.0, 2.0], [3.0, 4.0]], 0.5)]
    assert isinstance(seen[0][1], float)


def test_python_sees_what_was_written_between_calls():
    target = targets.open_target("python")
    flat, values = placed(target, [1, 2])

    def double(values):
        for i in range(2):
            values[i] *= 2

    call = target.bind(double, [values])
    call()
    call()
    assert target.read(flat, 4, 2).tolist() == [4, 8]
    target.write(flat, 5, np.array([10], dtype=np.float32))
    call()
    assert target.read(flat, 4, 2).tolist() == [8, 20]


def test_python_calls_that_share_an_array_see_each_other():
    target = targets.open_target("python")
    flat, values = placed(target, [1])

    def plus(amount):
        def run(values):
            values[0] += amount

        return target.bind(run, [values])

    one, ten = plus(1), plus(10)
    for call in (one, ten, one, ten):
        call()
    assert target.read(flat, 4, 1).tolist() == [23]


def test_python_makes_no_lists_inside_the_timed_loop(clock, monkeypatch):
    target = targets.open_target("python")
    flat, values = placed(target, np.zeros(5))
    call = target.bind(lambda values: clock.advance(0.002), [values])
    load, loads = call.load, []

    def load_slowly():
        clock.advance(1.0)
        loads.append(load())

    monkeypatch.setattr(call, "load", load_slowly)
    target.write(flat, 0, np.ones(1, dtype=np.float32))
    assert target.seconds(call, 10) == pytest.approx(0.02)
    assert len(loads) == 1


def test_python_rounds_to_the_dtype_when_it_writes_back():
    target = targets.open_target("python")
    flat, values = placed(target, [0.0])
    target.bind(lambda out: out.__setitem__(0, 0.1), [values])()
    assert target.read(flat, 4, 1)[0] == np.float32(0.1)


@pytest.mark.parametrize(
    "spoil", [lambda out: out.append(1.0), lambda out: out.__setitem__(0, "x")], ids=["long", "text"]
)
def test_python_refuses_lists_that_no_longer_fit(spoil):
    target = targets.open_target("python")
    _, out = placed(target, [0.0, 0.0])
    target.bind(spoil, [out])()
    with pytest.raises(KernelFileError, match="argument 0: the run left"):
        target.finish()


def test_numpy_sets_the_threads_of_blas():
    code = (
        "import numpy, threadpoolctl; from gpuplay.targets import open_target; t = open_target('numpy');"
        "t.use_threads(1); print({p['num_threads'] for p in threadpoolctl.threadpool_info()})"
    )
    assert in_process(code) == "{1}"


def test_cpu_sets_the_threads_of_numba_and_names_the_most():
    code = (
        "import os; os.environ['NUMBA_NUM_THREADS'] = '2'\n"
        "from gpuplay.errors import GpuplayError; from gpuplay.targets import open_target; t = open_target('cpu')\n"
        "t.use_threads(1); import numba; print(numba.get_num_threads())\n"
        "try: t.use_threads(3)\n"
        "except GpuplayError as error: print(error)"
    )
    assert in_process(code) == "1\n3 threads: Numba has 2 here; ask for at most --threads 2"


def test_the_simulator_is_never_timed():
    with pytest.raises(GpuplayError, match="never timed"):
        SimulatorTarget().seconds(lambda: None, 1)


def test_the_simulator_wants_its_variable(monkeypatch):
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    target = SimulatorTarget()
    with pytest.raises(GpuplayError, match="NUMBA_ENABLE_CUDASIM=1"):
        target.bind(lambda gpu: None, [])


def test_an_unknown_target_is_refused_and_has_its_line():
    with pytest.raises(UsageError, match="target 'opencl': this version of gpuplay cannot run it"):
        targets.open_target("opencl")
    assert targets.why_not("opencl") == "this version of gpuplay cannot run it"


class FakeDriver:
    """The three functions that presence asks of libcuda."""

    def __init__(self, start=0, count=1, version=13000):
        self._start, self._count, self._version = start, count, version

    def cuDeviceGetUuid(self, found, number):  # noqa: N802
        found.raw = bytes([0x1A + number, 0x2B] + [0] * 14)
        return 0

    def cuInit(self, _flags):  # noqa: N802
        return self._start

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = self._count
        return 0

    def cuDriverGetVersion(self, version):  # noqa: N802
        version._obj.value = self._version
        return 0


def reason(monkeypatch, driver, device=0, **versions):
    """What presence says with this driver (or the OSError) and these distributions installed."""

    def opened():
        if isinstance(driver, OSError):
            raise driver
        return driver

    found = {"numba_cuda": "0.30.4", "cuda_bindings": "13.0.1"} | versions
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(presence, "installed", lambda name: found.get(name.replace("-", "_"), ""))
    for variable in ("CUDA_VISIBLE_DEVICES", "NUMBA_ENABLE_CUDASIM", "NUMBA_DISABLE_CUDA"):
        monkeypatch.delenv(variable, raising=False)
    return presence.why_not(device, opened)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("3", 3), ("GPU-1b2b0000-0000-0000-0000-000000000000", 1), ("GPU-1c", 2)],
    ids=["number", "another", "uuid", "beginning"],
)
def test_a_gpu_is_found_by_number_or_uuid(text, number):
    assert presence.find_device(text, lambda: FakeDriver(count=4)) == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-1", "--device -1: give a number from 0, or a UUID such as GPU-"),
        ("GPU-9", r"--device GPU-9: there is no such GPU; there are 0 \(GPU-1a2b0000-.*\), 1 \(GPU-1b2b"),
        ("GPU-1", "--device GPU-1: more than one GPU begins so; there are 0"),
    ],
    ids=["negative", "unknown", "ambiguous"],
)
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(text, said):
    with pytest.raises(UsageError, match=said):
        presence.find_device(text, lambda: FakeDriver(count=2))


def test_a_uuid_without_a_driver_is_a_missing_target():
    def absent():
        raise OSError("libcuda.so.1")

    with pytest.raises(TargetMissing, match="--device GPU-1: "):
        presence.find_device("GPU-1", absent)


@pytest.mark.parametrize("name", ["torch_gpu", "cupy"])
def test_a_library_on_the_gpu_says_first_that_there_is_none(name):
    assert targets.why_not(name) == targets.why_not("cuda")


def test_a_pytorch_without_cuda_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(presence, "why_not", lambda _device: "")
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    version = tmp_path / "torch" / "version.py"
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    version.write_text("__version__ = '2.9.0+cpu'\ncuda: Optional[str] = None\n", encoding="utf-8")
    assert presence.without_torch_gpu().startswith("PyTorch 2.9.0+cpu is built without CUDA; ")
    version.write_text("__version__ = '2.9.0+cu130'\ncuda: Optional[str] = '13.0'\n", encoding="utf-8")
    assert presence.without_torch_gpu() == ""
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    assert presence.without_torch_gpu() == "NVIDIA_TF32_OVERRIDE is set; unset it"


def test_a_gpu_with_all_that_it_needs_has_no_reason(monkeypatch):
    assert reason(monkeypatch, FakeDriver()) == ""


@pytest.mark.parametrize(
    ("driver", "device", "versions", "said"),
    [
        (OSError("libcuda.so.1"), 0, {}, "no NVIDIA driver here"),
        (FakeDriver(start=100), 0, {}, "the NVIDIA driver finds no GPU; run nvidia-smi"),
        (FakeDriver(count=0), 0, {}, "the NVIDIA driver finds no GPU; run nvidia-smi"),
        (FakeDriver(start=803), 0, {}, "differ in version; reboot"),
        (FakeDriver(start=999), 0, {}, r"does not start \(error 999\); run nvidia-smi"),
        (FakeDriver(), 1, {}, "there is no GPU 1: give --device 0$"),
        (FakeDriver(count=4), 7, {}, "there is no GPU 7: give --device 0 to 3$"),
        (FakeDriver(), 0, {"numba_cuda": ""}, r"^numba-cuda is not installed; pip install 'gpuplay\[cuda\]'$"),
        (FakeDriver(version=12040), 0, {"numba_cuda": ""}, r"pip install 'gpuplay\[cuda12\]'$"),
        (FakeDriver(version=12040), 0, {}, r"serves CUDA 12.4, the libraries here are CUDA 13; .*\[cuda12\]'$"),
        (FakeDriver(version=11080), 0, {"cuda_bindings": "12.9.1"}, "serves CUDA 11.8, .* CUDA 12; update the driver$"),
    ],
    ids=[
        "driver",
        "no-device",
        "count-0",
        "mismatch",
        "broken",
        "one",
        "four",
        "package",
        "package-12",
        "wheels",
        "old",
    ],
)
def test_why_not_names_what_is_missing_and_what_mends_it(monkeypatch, driver, device, versions, said):
    line = reason(monkeypatch, driver, device, **versions)
    assert "\n" not in line
    assert re.search(said, line), line


def test_newer_drivers_serve_older_libraries(monkeypatch):
    assert reason(monkeypatch, FakeDriver(version=13000), cuda_bindings="12.9.1") == ""


def test_why_not_sees_hidden_devices_and_the_simulator(monkeypatch):
    assert reason(monkeypatch, FakeDriver()) == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert presence.why_not(0, lambda: FakeDriver(start=100)).endswith("CUDA_VISIBLE_DEVICES is '', unset it")
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    assert presence.why_not(0, FakeDriver) == "NUMBA_ENABLE_CUDASIM is set; unset NUMBA_ENABLE_CUDASIM"


@pytest.mark.parametrize(
    ("grid", "block", "shared", "said"),
    [
        (1, (64, 64), 0, "block 64×64 is 4096 threads; a block has at most 1024"),
        (1, (1, 1, 65), 0, "block 1×1×65: z is at most 64"),
        ((1, 65536), 32, 0, "grid 1×65536: y is at most 65535"),
        (2**31, 32, 0, "x is at most 2147483647"),
        (1, 32, 232449, "232449 bytes of dynamic shared memory; a block has at most 232448"),
        (1, 32, -1, "-1 bytes"),
    ],
)
def test_a_launch_over_a_limit_is_refused_by_name(grid, block, shared, said):
    def tiled():
        pass

    with pytest.raises(limits.LaunchError, match=said) as refused:
        limits.refuse_launch(MODEL, tiled, limits.dims("grid", grid), limits.dims("block", block), shared)
    assert str(refused.value).startswith("tiled: ")


@pytest.mark.parametrize("given", [0, (4, 0), (1, 1, 1, 1), (), 2.5, "4", (-1,)])
def test_extents_that_are_no_whole_numbers_are_refused(given):
    with pytest.raises(limits.LaunchError, match="give one to three whole numbers"):
        limits.dims("grid", given)


@pytest.mark.parametrize(("given", "three"), [(7, (7, 1, 1)), ((2, 3), (2, 3, 1)), (np.int64(5), (5, 1, 1))])
def test_extents_are_completed_to_three(given, three):
    assert limits.dims("block", given) == three
    limits.refuse_launch(MODEL, None, three, three, MODEL.shared_bytes_opt_in)


@pytest.mark.parametrize("source", [np.zeros(3, np.float32), np.zeros(2, np.float64)], ids=["shape", "dtype"])
def test_a_copy_between_unlike_arrays_is_refused(source):
    with pytest.raises(GpuplayError, match=r"copy: destination float32 \(2,\), source"):
        SimulatedGpu(MODEL).copy(np.zeros(2, np.float32), source)
