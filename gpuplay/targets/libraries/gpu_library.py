"""What the targets of GPU libraries share: the device, stream and clock of the target ``cuda``, under other arrays.

A library's arrays are windows into ours: no copy. Its work goes onto our stream, where it is held back and
timed by events as our own is. A run writes into its outputs where the library lets it; where it makes a new
array, the run returns it, and `finish` brings it into the declared output, outside of the timed call.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.errors import KernelFileError
from gpuplay.targets.cuda.graphs import CaptureError
from gpuplay.targets.cuda.target import CudaTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.targets.base import Call

UNCOUNTED_OPERATIONS = 128  # of a call that cannot be captured: so few calls are held back that the queue has room


class LibraryTarget(CudaTarget):
    """A library on an NVIDIA GPU; a subclass says how its arrays are made of ours."""

    def __init__(self, device: int = 0, *, graph: bool = False) -> None:
        super().__init__(device, graph=graph)
        self._unsaved: LibraryCall | None = None

    def window(self, array: Any) -> Any:
        """The library's array over the memory of one of ours."""
        raise NotImplementedError

    def assign(self, destination: Any, source: Any) -> None:
        """Copy one of the library's arrays into another, on our stream."""
        raise NotImplementedError

    def library(self) -> Any:
        """The library's module, its precision pinned and its work on our stream."""
        raise NotImplementedError

    def write(self, flat: Any, start: int, values: NDArray[Any]) -> None:
        """Copy host values into a flat array; results that a run returned come first, and do not undo it later."""
        self.finish()
        super().write(flat, start, values)

    def read(self, flat: Any, start: int, count: int) -> NDArray[Any]:
        """A host copy of ``count`` elements, with all that the runs returned."""
        self.finish()
        return super().read(flat, start, count)

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on the library's arrays; a NumPy scalar becomes a Python number."""
        self.library()
        given = [self.window(array) if hasattr(array, "copy_to_host") else array.item() for array in arrays]
        return LibraryCall(self, functools.partial(run, *given), given)

    def finish(self) -> None:
        """Bring what the last call returned into its outputs, and wait for the stream."""
        call, self._unsaved = self._unsaved, None
        if call is not None:
            call.save()
        super().finish()

    def began(self, call: LibraryCall) -> None:
        """Save what another call returned, before this one may use its memory."""
        if self._unsaved is not None and self._unsaved is not call:
            self._unsaved.save()
        self._unsaved = call

    def _timed(self, call: Call, loops: int, before: Call | None = None) -> float:
        """As `CudaTarget`, once what another call returned is saved: that is no part of this one's time."""
        self.finish()
        return super()._timed(call, loops, before)

    def _operations(self, call: Call) -> int:
        """Operations of a call, counted by capturing it once it has run twice: the first calls choose and load."""
        call()
        call()
        self._device.synchronize()
        try:
            return max(1, self._device.nodes(call))
        except CaptureError:
            return UNCOUNTED_OPERATIONS
        finally:
            self.forget(call)  # what a captured run returns was never computed

    def forget(self, call: Call) -> None:
        """Let go of what a call returned, unsaved."""
        assert isinstance(call, LibraryCall)
        call.returned = self._unsaved = None

    def _captured(self, call: Call) -> Call:
        """A replay that leaves the results of the captured run as what the call returned."""
        assert isinstance(call, LibraryCall)
        replay = self.replay_of(call)
        returned, kept = call.returned, weakref.ref(call)  # the call as part of its own replay would never be let go
        self.forget(call)

        def replayed() -> None:
            again = kept()
            if again is not None:
                self.began(again)
                again.returned = returned
            replay()

        return replayed

    def replay_of(self, call: LibraryCall) -> Call:
        """A graph of a call; CaptureError where it cannot be captured."""
        return self._device.captured(call)


class LibraryCall:
    """A run bound to a library's arrays, and what its last call returned."""

    def __init__(self, target: LibraryTarget, run: Call, arrays: Sequence[Any]) -> None:
        self._target = weakref.proxy(target)
        self._arrays = arrays
        self.run = run
        self.returned: Any = None

    def __call__(self) -> object:
        """Run once, on the stream."""
        self._target.began(self)
        self.returned = None  # its memory is the next result's, as in a user's loop
        self.returned = self.run()
        return None

    def save(self) -> None:
        """Copy the returned arrays into the outputs, the first arrays; KernelFileError where they do not fit."""
        returned, self.returned = self.returned, None
        if returned is None:
            return
        results = returned if isinstance(returned, tuple) else (returned,)
        for position, (array, result) in enumerate(zip(self._arrays, results, strict=False)):
            if (tuple(result.shape), result.dtype) != (tuple(array.shape), array.dtype):
                raise KernelFileError(
                    f"output {position}: the run returned {result.dtype} {tuple(result.shape)}; "
                    f"the array is {array.dtype} {tuple(array.shape)}"
                )
            self._target.assign(array, result)
