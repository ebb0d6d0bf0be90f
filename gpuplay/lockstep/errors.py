"""What the lockstep machine raises: a check that fired, a construct that it does not cover."""

from __future__ import annotations

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.record import Fault, Place


class LockstepFault(GpuplayError):
    """Checks fired during a launch; the message is that of the first, ``faults`` has all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")
        self.faults = faults

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.faults,)


class Unsupported(GpuplayError):
    """A construct that the machine does not cover: where it stands and what it is called."""

    def __init__(self, construct: str, place: Place) -> None:
        super().__init__(f"{place}: the lockstep machine does not cover {construct}")
        self.construct, self.place = construct, place

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.construct, self.place)
