"""How PyTorch and CuPy are set up on a GPU, tried on stand-ins for them: precision, stream, graphs, what they ran."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_device import FakeStream, device_on

from gpuplay.targets.cuda.graphs import CaptureError
from gpuplay.targets.libraries.cupy import CupyTarget
from gpuplay.targets.libraries.torch_gpu import TorchGpuTarget


class FakeTorch(types.ModuleType):
    """As much of PyTorch as the target sets up and asks."""

    bfloat16 = "bfloat16"

    def __init__(self) -> None:
        super().__init__("torch")
        self.__path__: list[str] = []
        self.streams: list[Any] = []
        self.entered = 0
        on = SimpleNamespace(allow_tf32=True)
        self.backends = SimpleNamespace(
            cuda=SimpleNamespace(matmul=on), cudnn=SimpleNamespace(allow_tf32=True, benchmark=False)
        )
        self.cuda = SimpleNamespace(
            set_device=self.streams.append,
            ExternalStream=lambda handle, device: ("stream", handle, device),
            set_stream=self.streams.append,
            CUDAGraph=SimpleNamespace,
            graph=self.graph,
        )

    def inference_mode(self) -> Any:
        self.entered += 1
        return contextlib.nullcontext()

    def as_tensor(self, array: Any, device: str) -> Any:
        return SimpleNamespace(of=array, device=device, view=lambda kind: (array, kind))

    @contextlib.contextmanager
    def graph(self, captured: Any, stream: Any, capture_error_mode: str) -> Iterator[None]:
        assert (stream, capture_error_mode) == (("stream", 77, 0), "relaxed")
        yield
        captured.replay = lambda: "replayed"


@pytest.fixture
def torch_gpu(monkeypatch: pytest.MonkeyPatch) -> tuple[TorchGpuTarget, FakeTorch]:
    """The target on a stand-in for PyTorch and the device."""
    torch, profiler = FakeTorch(), types.ModuleType("torch.profiler")
    torch.profiler = profiler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch.profiler", profiler)
    target = TorchGpuTarget()
    target.__dict__["_device"] = device_on(FakeStream())
    return target, torch


def test_pytorch_is_set_to_float32_and_to_our_stream(torch_gpu: tuple[TorchGpuTarget, FakeTorch]) -> None:
    target, torch = torch_gpu
    assert target.library() is torch
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (False, False)
    assert torch.backends.cudnn.benchmark
    assert torch.streams == [0, ("stream", 77, 0)]
    assert target.library() is torch
    assert torch.entered == 1


def test_the_bits_of_bfloat16_are_given_to_pytorch_as_such(torch_gpu: tuple[TorchGpuTarget, FakeTorch]) -> None:
    target, _ = torch_gpu
    plain: Any = target.window(np.zeros(4, np.float32))
    assert (plain.of.dtype, plain.device) == (np.float32, "cuda:0")
    halves, kind = target.window(np.zeros(4, np.uint16))
    assert (halves.dtype, kind) == (np.int16, "bfloat16")


def test_pytorch_captures_its_own_graphs_and_says_why_not(torch_gpu: tuple[TorchGpuTarget, FakeTorch]) -> None:
    target, _ = torch_gpu
    target.library()
    calls: list[int] = []
    fine: Any = lambda: calls.append(1)  # noqa: E731
    assert target.replay_of(fine)() == "replayed"
    assert calls == [1]

    def sorry() -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    failing: Any = sorry
    with pytest.raises(CaptureError, match=r"^operation not permitted when stream is capturing$"):
        target.replay_of(failing)


def test_the_function_that_took_longest_is_the_algorithm(torch_gpu: tuple[TorchGpuTarget, FakeTorch]) -> None:
    target, torch = torch_gpu
    profiler: Any = torch.profiler  # type: ignore[attr-defined]
    profiler.ProfilerActivity = SimpleNamespace(CUDA="cuda")

    def event(name: str, spent: float, device: str = "DeviceType.CUDA") -> Any:
        return SimpleNamespace(name=name, device_type=device, time_range=SimpleNamespace(elapsed_us=lambda: spent))

    seen = [event("void nchwToNhwc(int)", 3), event("void winograd<4>(int)", 2), event("void winograd<4>(int)", 2)]
    seen.append(event("cudaLaunchKernel", 99, "DeviceType.CPU"))
    profiler.profile = lambda activities: contextlib.nullcontext(SimpleNamespace(events=lambda: seen))
    assert target.algorithm(lambda: None) == "winograd<4>"

    def forbidden(activities: Any) -> Any:
        raise RuntimeError(f"{activities} may not be looked at")

    profiler.profile = forbidden
    assert target.algorithm(lambda: None) == ""


def test_cupy_is_set_to_our_device_and_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    cupy: Any = types.ModuleType("cupy")
    cupy.cuda = SimpleNamespace(
        Device=lambda index: SimpleNamespace(use=lambda: used.append(("device", index))),
        ExternalStream=lambda *given: SimpleNamespace(use=lambda: used.append(given)),
    )
    cupy.asarray = lambda array: ("window", array)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    target = CupyTarget()
    target.__dict__["_device"] = device_on(FakeStream())
    assert target.window(7) == ("window", 7)
    assert used == [("device", 0), (77, 0)]
