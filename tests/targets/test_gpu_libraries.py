"""Libraries on a GPU: what they return is judged, their work fits the queue, and none of it needs a GPU to be tried."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Gpuplay
from fake_device import KERNEL_MS, FakeStream, device_on
from places import PROOFS

from gpuplay.catalog.find import bundled_kernels
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.errors import KernelFileError
from gpuplay.kinds.built_in import GPU_PEERS
from gpuplay.measure.libraries import cudnn_version
from gpuplay.targets.libraries.gpu_library import UNCOUNTED_OPERATIONS, LibraryTarget
from gpuplay.targets.libraries.torch_gpu import short_name
from gpuplay.workers.crew import environment_of, variables

PROOF = PROOFS / "gpu_peers.py"
needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")


class Ours:
    """One of our device arrays; its memory is NumPy's."""

    def __init__(self, values: Any) -> None:
        self.memory = np.asarray(values, dtype=np.float32)

    def copy_to_host(self) -> Any:
        return self.memory.copy()


class Library(LibraryTarget):
    """A library whose arrays are NumPy's, on a stand-in for the stream."""

    name = "fake"

    def __init__(self, stream: FakeStream, *, graph: bool = False) -> None:
        super().__init__(graph=graph)
        self.__dict__["_device"] = device_on(stream)

    def window(self, array: Any) -> Any:
        return array.memory

    def assign(self, destination: Any, source: Any) -> None:
        destination[...] = source

    def library(self) -> Any:
        return np


def doubling(stream: FakeStream, launches: int = 1) -> Callable[[Any, Any], Any]:
    """A run that returns its result in a new array, NaN while it is only captured."""

    def run(_out: Any, given: Any) -> Any:
        captured = stream.recorded is not None
        for _ in range(launches):
            stream.queue()
        return np.full_like(given, np.nan) if captured else given * 2

    return run


def test_what_a_run_returns_reaches_its_output_when_the_target_has_finished() -> None:
    stream = FakeStream()
    target, out, given = Library(stream), Ours([0, 0]), Ours([3, 4])
    call = target.bind(doubling(stream), [out, given])
    call()
    assert out.memory.tolist() == [0, 0]
    target.finish()
    assert out.memory.tolist() == [6, 8]
    target.finish()
    other = target.bind(doubling(stream), [Ours([0, 0]), given])
    call()
    given.memory[:] = 1
    other()  # which may take the memory of what the first one returned
    assert out.memory.tolist() == [6, 8]


def test_several_outputs_and_scalars_are_served() -> None:
    stream = FakeStream()
    target, first, second = Library(stream), Ours([0, 0]), Ours([0])
    call = target.bind(
        lambda _a, _b, k: (np.full(2, k, np.float32), np.full(1, -k, np.float32)), [first, second, np.float32(5)]
    )
    call()
    target.finish()
    assert (first.memory.tolist(), second.memory.tolist()) == ([5, 5], [-5])


@pytest.mark.parametrize("wrong", [np.zeros(3, np.float32), np.zeros(2)], ids=["shape", "dtype"])
def test_a_result_that_does_not_fit_its_output_is_named(wrong: Any) -> None:
    target = Library(FakeStream())
    call = target.bind(lambda _out: wrong, [Ours([0, 0])])
    call()
    with pytest.raises(KernelFileError, match="output 0: the run returned"):
        target.finish()


def test_what_another_call_returned_is_saved_before_the_clock_starts() -> None:
    stream = FakeStream()
    target, out, given = Library(stream), Ours([0]), Ours([1])
    one = target.bind(doubling(stream), [out, given])
    other = target.bind(doubling(stream), [Ours([0]), given])
    target.seconds(one, 1)
    target.seconds(other, 1)  # counts its operations
    one()
    saved: list[bool] = []
    target.assign = lambda *_: saved.append(stream.held and not stream.flag[0])  # type: ignore[method-assign]
    target.seconds(other, 2)
    assert saved == [False]


def test_operations_are_counted_by_capture_and_batches_fit_the_queue() -> None:
    stream = FakeStream(capacity=512)
    target, out = Library(stream), Ours([0, 0])
    call = target.bind(doubling(stream, launches=100), [out, Ours([1, 2])])
    assert target.seconds(call, 50) == pytest.approx(100 * 50 * KERNEL_MS * 1e-3)
    assert stream.most_waiting == 500
    target.finish()
    assert out.memory.tolist() == [2, 4]  # of the last call, not of the one that was captured


def test_a_library_that_cannot_be_captured_is_held_back_a_few_calls_at_a_time() -> None:
    stream = FakeStream(capacity=512)
    target = Library(stream)
    target.__dict__["_device"].driver.refuse = "end"
    call = target.bind(doubling(stream), [Ours([0]), Ours([1])])
    assert target.seconds(call, 50) == pytest.approx(50 * KERNEL_MS * 1e-3)
    assert stream.most_waiting == 512 // UNCOUNTED_OPERATIONS


def test_a_replayed_graph_leaves_its_result_as_a_call_does() -> None:
    stream = FakeStream()
    target, out, given = Library(stream, graph=True), Ours([0]), Ours([1])
    results = np.zeros(1, np.float32)

    def run(_out: Any, _given: Any) -> Any:
        stream.queue()
        return results

    call = target.bind(run, [out, given])
    replay = target.queued(call)
    results[:] = 7  # what the graph writes when it is replayed
    replay()
    target.finish()
    assert out.memory.tolist() == [7]


@needs_torch
def test_every_peer_through_pytorch_is_right_on_the_hosts_tensors() -> None:
    done = subprocess.run([sys.executable, PROOF], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= {"torch_gpu:mm", "torch_gpu:mm_tf32", "torch_gpu:map", "torch_gpu:linear"}
    assert set(found) >= {"torch_gpu:conv2d", "torch_gpu:conv2d_tf32", "torch_gpu:lstm"}
    assert set(found.values()) == {""}, found


@pytest.mark.parametrize("origin", bundled_kernels(), ids=lambda origin: origin.name)
def test_every_kernel_has_a_peer_on_the_gpu_that_names_its_library_and_precision(origin: Origin) -> None:
    kernel = load_kernel(origin).kernel
    peers = [v for v in kernel.variants if v.target in ("torch_gpu", "cupy")]
    assert "torch_gpu" in {v.target for v in peers}
    for variant in peers:
        assert variant.flynn == "library"
        assert environment_of(variant) == GPU_PEERS
        if kernel.name != "activation":  # which multiplies no matrices
            assert str(variant.library).endswith(
                {"": "TF32 off", "tfloat32": "TF32", "bfloat16": "bfloat16"}[variant.precision]
            )
    assert variables(GPU_PEERS, Path("cache"), 2)["CUPY_TF32"] == "0"


@pytest.mark.parametrize(("number", "text"), [(8907, "8.9.7"), (90100, "9.1.0"), (91002, "9.10.2")])
def test_the_version_of_cudnn_is_read_by_either_rule(number: int, text: str) -> None:
    assert cudnn_version(number) == text


def test_a_gpu_function_is_named_without_types_and_arguments() -> None:
    assert (
        short_name("void cutlass::Kernel2<sgemm_256x128>(sgemm_256x128::Params)") == "cutlass::Kernel2<sgemm_256x128>"
    )
    assert short_name("Memcpy DtoD (Device -> Device)") == "Memcpy DtoD"
    assert len(short_name("x" * 500)) == 101


def test_the_part_of_lstm_that_stands_against_pytorchs_cell_is_right_and_listed_nowhere(gpuplay: Gpuplay) -> None:
    done = gpuplay("check", "lstm_cell", "--on", "numpy,cuda", "--sizes", "1,33")
    assert done.code == 0, done.out + done.err
    assert "cuda:pointwise" in done.out
    assert "lstm_cell" not in gpuplay("list").out
    assert "lstm_cell" not in [origin.name for origin in bundled_kernels()]
