"""The target ``torch``: library calls through PyTorch on the host's cores, as peers to measure against.

Tensors are windows into the same 256-byte aligned arrays as the other host targets have: no copy. Importing
this module does not import PyTorch.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.targets import presence
from gpuplay.targets.host import HostTarget
from gpuplay.targets.libraries.library import Library, LibraryCall

if TYPE_CHECKING:
    from gpuplay.targets.base import Call


class TorchTarget(Library, HostTarget):
    """PyTorch on the CPU, with its own pool of threads."""

    name = "torch"

    def __init__(self) -> None:
        self._mode: Any = None

    def why_not(self) -> str:
        """Why there is no PyTorch, found out without importing it."""
        return presence.without_torch()

    def use_threads(self, threads: int) -> None:
        """Set the number of threads of PyTorch's pool and of the libraries that it brings."""
        self._torch.set_num_threads(threads)

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on tensors that share the arrays' memory; a NumPy scalar becomes a Python number."""
        tensors = [self._torch.from_numpy(a) if isinstance(a, np.ndarray) else a.item() for a in arrays]
        return LibraryCall(self, functools.partial(run, *tensors), arrays)

    def comparable(self, returned: Any) -> Any:
        """The tensor's memory as an array of NumPy's, as the outputs are."""
        return returned.numpy()

    def seconds(self, call: Call, loops: int) -> float:
        """Wall-clock seconds of the calls. Of what they return only the last is kept, as in a user's loop."""
        if not isinstance(call, LibraryCall):
            return super().seconds(call, loops)
        self.began(call)
        run, repeats = call.run, range(loops - 1)
        start = time.perf_counter()
        for _ in repeats:
            run()
        returned = run()
        elapsed = time.perf_counter() - start
        call.returned = returned
        return elapsed

    @functools.cached_property
    def _torch(self) -> Any:
        """PyTorch in inference mode for good: nobody needs gradients, and entering it anew would cost every call."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        import torch

        self._mode = torch.inference_mode()  # kept: the mode ends with this object
        self._mode.__enter__()
        return torch
