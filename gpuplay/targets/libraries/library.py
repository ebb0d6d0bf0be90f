"""What the targets of all libraries share: a run may make its outputs instead of writing into them.

A run writes into its outputs where the library lets it; where it makes new arrays, the run returns them, and they
are brought into the declared outputs outside of the timed call: a peer is not charged for a copy that its users
do not make.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.errors import KernelFileError

if TYPE_CHECKING:
    from gpuplay.targets.base import Call


class Library:
    """A target whose runs may return their outputs; the first base of one, before what holds its arrays."""

    _unsaved: LibraryCall | None = None

    def assign(self, destination: Any, source: Any) -> None:
        """Copy what a run returned into an output."""
        destination[...] = source

    def comparable(self, returned: Any) -> Any:
        """What a run returned, as an array whose shape and dtype compare with an output's."""
        return returned

    def settle(self) -> None:
        """Bring what the last call returned into its outputs."""
        call, self._unsaved = self._unsaved, None
        if call is not None:
            call.save()

    def began(self, call: LibraryCall) -> None:
        """Save what another call returned, before this one may use its memory; let go of what this one did."""
        if self._unsaved is not call:
            self.settle()
        self._unsaved, call.returned = call, None

    def forget(self, call: LibraryCall) -> None:
        """Let go of what a call returned, unsaved."""
        call.returned = self._unsaved = None


class LibraryCall:
    """A run bound to a library's arrays, and what its last call returned. Its outputs are the first of ``arrays``."""

    def __init__(self, target: Library, run: Call, arrays: Sequence[Any]) -> None:
        self._target = weakref.proxy(target)
        self._arrays = arrays
        self.run = run
        self.returned: Any = None

    def __call__(self) -> object:
        """Run once. The memory of what was returned before is free for it, as in a user's loop."""
        self._target.began(self)
        self.returned = self.run()
        return None

    def save(self) -> None:
        """Copy the returned arrays into the outputs; KernelFileError where they do not fit."""
        returned, self.returned = self.returned, None
        if returned is None:
            return
        results = returned if isinstance(returned, tuple) else (returned,)
        for position, (array, made) in enumerate(zip(self._arrays, results, strict=False)):
            result = self._target.comparable(made)
            if (tuple(result.shape), result.dtype) != (tuple(array.shape), array.dtype):
                raise KernelFileError(
                    f"output {position}: the run returned {result.dtype} {tuple(result.shape)}; "
                    f"the array is {array.dtype} {tuple(array.shape)}"
                )
            self._target.assign(array, result)
