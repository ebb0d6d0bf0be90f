"""Threads that end where they should not: by an exception, which no GPU tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.lockstep.record import Fault, Place

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch


def raised(batch: Batch, place: Place, kind: str) -> None:
    """Active lanes come to a ``raise`` or to an ``assert`` that fails."""
    thread = batch.thread(batch.mask.first)
    text = f"{thread} raises {kind}: without debug=True nothing tells of it on a GPU, and the thread just ends"
    batch.fault(Fault("exception", text, place, thread, remedy="write a mark to an array where the host must know"))
