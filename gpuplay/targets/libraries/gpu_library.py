"""What the targets of GPU libraries share: the device, stream and clock of the target ``cuda``, under other arrays.

A library's arrays are windows into ours: no copy. Its work goes onto our stream, where it is held back and
timed by events as our own is.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.targets.cuda.graphs import CaptureError
from gpuplay.targets.cuda.target import CudaTarget
from gpuplay.targets.libraries.library import Library, LibraryCall

if TYPE_CHECKING:
    from gpuplay.targets.base import Call

UNCOUNTED_OPERATIONS = 128  # of a call that cannot be captured: so few calls are held back that the queue has room


class LibraryTarget(Library, CudaTarget):
    """A library on an NVIDIA GPU; a subclass says how its arrays are made of ours."""

    def window(self, array: Any) -> Any:
        """The library's array over the memory of one of ours."""
        raise NotImplementedError

    def library(self) -> Any:
        """The library's module, its precision pinned and its work on our stream."""
        raise NotImplementedError

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on the library's arrays; a NumPy scalar becomes a Python number."""
        self.library()
        given = [self.window(array) if hasattr(array, "copy_to_host") else array.item() for array in arrays]
        return LibraryCall(self, functools.partial(run, *given), given)

    def _timed(self, call: Call, loops: int, before: Call | None = None) -> float:
        """As `CudaTarget`, once what another call returned is saved: that is no part of this one's time."""
        self.finish()
        return super()._timed(call, loops, before)

    def _operations(self, call: Call) -> int:
        """Operations of a call, counted by capturing it once it has run twice: the first calls choose and load."""
        assert isinstance(call, LibraryCall)
        call()
        call()
        self._device.synchronize()
        try:
            return max(1, self._device.nodes(call))
        except CaptureError:
            return UNCOUNTED_OPERATIONS
        finally:
            self.forget(call)  # what a captured run returns was never computed

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
