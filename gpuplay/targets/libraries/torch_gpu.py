"""The target ``torch_gpu``: PyTorch, with cuBLAS and cuDNN, on an NVIDIA GPU, as peers to measure against.

Importing this module does not import PyTorch.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from gpuplay.targets import presence
from gpuplay.targets.cuda.graphs import CaptureError
from gpuplay.targets.libraries.gpu_library import LibraryTarget

if TYPE_CHECKING:
    from gpuplay.targets.base import Call
    from gpuplay.targets.libraries.library import LibraryCall

LONGEST_NAME = 100  # characters of a GPU function's: templates spell out all that they were made of


class TorchGpuTarget(LibraryTarget):
    """PyTorch on a GPU: float32 means float32, and cuDNN takes the algorithm that it finds to be the fastest."""

    name = "torch_gpu"

    def why_not(self) -> str:
        """Why PyTorch has no GPU here, found out without importing it."""
        return presence.without_torch_gpu(self._index)

    def window(self, array: Any) -> Any:
        """A tensor over the memory of an array; uint16 are the bits of bfloat16."""
        torch = self.library()
        bits = array.dtype == "uint16"
        tensor = torch.as_tensor(array.view("int16") if bits else array, device=f"cuda:{self._index}")
        return tensor.view(torch.bfloat16) if bits else tensor

    def assign(self, destination: Any, source: Any) -> None:
        """Copy a tensor into another."""
        destination.copy_(source)

    def library(self) -> Any:
        """PyTorch in inference mode, without TF32, its current stream ours."""
        return self._torch

    def replay_of(self, call: LibraryCall) -> Call:
        """PyTorch's own capture, which keeps the memory of the captured results apart from all other."""
        torch = self.library()
        captured = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(captured, stream=self._stream, capture_error_mode="relaxed"):
                call()
        except Exception as error:
            raise CaptureError((str(error).strip() or type(error).__name__).splitlines()[0]) from error
        return captured.replay  # type: ignore[no-any-return]

    def algorithm(self, call: Call) -> str:
        """The GPU function that most of a call's time goes to, as PyTorch's profiler names it."""
        profiler = self.library().profiler
        try:
            with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as seen:
                call()
                self.finish()
            spent: dict[str, float] = {}
            for event in seen.events():
                if "CUDA" in str(event.device_type):
                    spent[event.name] = spent.get(event.name, 0.0) + event.time_range.elapsed_us()
        except Exception:  # noqa: BLE001  a profiler that is not allowed to look leaves the name unknown, no more
            return ""
        return short_name(max(spent, key=spent.__getitem__)) if spent else ""

    @functools.cached_property
    def _torch(self) -> Any:
        import torch
        import torch.profiler

        self._mode = torch.inference_mode()  # kept: the mode ends with this object
        self._mode.__enter__()
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        handle = int(self._device.stream.handle)  # opens the device, in the context that PyTorch will use, too
        torch.cuda.set_device(self._index)
        self._stream: Any = torch.cuda.ExternalStream(handle, device=self._index)
        torch.cuda.set_stream(self._stream)
        return torch


def short_name(function: str) -> str:
    """A GPU function's name without return type, arguments and what is longer than anybody reads."""
    name = function.removeprefix("void ").partition("(")[0].strip() or function
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
