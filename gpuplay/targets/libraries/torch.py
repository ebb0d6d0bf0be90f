"""The target ``torch``: library calls through PyTorch on the host's cores, as peers to measure against.

Tensors are windows into the same 256-byte aligned arrays as the other host targets have: no copy. A
run writes into its outputs where PyTorch lets it; where PyTorch makes a new tensor, the run returns it,
and `finish` brings it into the declared output, outside of the timed call: a peer is not charged for a
copy that its users do not make. Importing this module does not import PyTorch.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError, KernelFileError
from gpuplay.targets import presence
from gpuplay.targets.host import HostTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.targets.base import Call


class TorchTarget(HostTarget):
    """PyTorch on the CPU, with its own pool of threads."""

    name = "torch"

    def __init__(self) -> None:
        self._unsaved: _TensorCall | None = None
        self._mode: Any = None

    def why_not(self) -> str:
        """Why there is no PyTorch, found out without importing it."""
        return presence.without_torch()

    def use_threads(self, threads: int) -> None:
        """Set the number of threads of PyTorch's pool and of the libraries that it brings."""
        self._torch.set_num_threads(threads)

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array; results that a run returned come first, and do not undo it later."""
        self.finish()
        super().write(flat, start, values)

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A copy of ``count`` elements, with all that the runs returned."""
        self.finish()
        return super().read(flat, start, count)

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on tensors that share the arrays' memory; a NumPy scalar becomes a Python number."""
        tensors = [self._torch.from_numpy(a) if isinstance(a, np.ndarray) else a.item() for a in arrays]
        return _TensorCall(self, functools.partial(run, *tensors), arrays)

    def finish(self) -> None:
        """Bring the tensors that the last call returned into its outputs."""
        call, self._unsaved = self._unsaved, None
        if call is not None:
            call.save()

    def seconds(self, call: Call, loops: int) -> float:
        """Wall-clock seconds of the calls. Of what they return only the last is kept, as in a user's loop."""
        if not isinstance(call, _TensorCall):
            return super().seconds(call, loops)
        self.begin(call)
        run, repeats = call.run, range(loops - 1)
        start = time.perf_counter()
        for _ in repeats:
            run()
        returned = run()
        elapsed = time.perf_counter() - start
        self.keep(call, returned)
        return elapsed

    def begin(self, call: _TensorCall) -> None:
        """Save what another call returned; let go what this one did, so that its memory can be used again."""
        if self._unsaved is not call:
            self.finish()
        call.returned, self._unsaved = None, None

    def keep(self, call: _TensorCall, returned: object) -> None:
        """Remember what a call returned, if it did not write it into its outputs itself."""
        if returned is not None:
            call.returned, self._unsaved = returned, call

    @functools.cached_property
    def _torch(self) -> Any:
        """PyTorch in inference mode for good: nobody needs gradients, and entering it anew would cost every call."""
        if reason := self.why_not():
            raise GpuplayError(reason)
        import torch

        self._mode = torch.inference_mode()  # kept: the mode ends with this object
        self._mode.__enter__()
        return torch


class _TensorCall:
    """A run bound to tensors, and what its last call returned."""

    def __init__(self, target: TorchTarget, run: Call, arrays: Sequence[Any]) -> None:
        self._target = target
        self._arrays = arrays
        self.run = run
        self.returned: Any = None

    def __call__(self) -> object:
        self._target.begin(self)
        self._target.keep(self, self.run())
        return None

    def save(self) -> None:
        """Copy the returned tensors into the first arrays, the outputs; KernelFileError where they do not fit."""
        returned, self.returned = self.returned, None
        tensors = returned if isinstance(returned, tuple) else (returned,)
        for position, (array, tensor) in enumerate(zip(self._arrays, tensors, strict=False)):
            values = tensor.numpy()
            if (values.shape, values.dtype) != (array.shape, array.dtype):
                raise KernelFileError(
                    f"output {position}: the run returned {values.dtype} {values.shape}; "
                    f"the array is {array.dtype} {array.shape}"
                )
            array[...] = values
