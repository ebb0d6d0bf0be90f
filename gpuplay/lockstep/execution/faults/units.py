"""Units beside the threads, and what they were asked in vain: to copy boxes, to count them, to multiply tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpuplay.lockstep.record import Fault, Place

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.sites import Site


def barrier_not_set_up(batch: Batch, site: Site, lane: int) -> None:
    """A barrier that counts arrivals, used before it was set up as far as the thread can know."""
    thread = batch.thread(lane)
    text = f"{thread} uses a barrier of {site.array} that has not been set up before, as far as this thread can know"
    meet = "cuda.syncthreads()" if batch.program.cluster == 1 else "cluster_sync()"
    remedy = f"let one thread call init_barrier and publish_barriers, then all of them {meet}"
    batch.fault(Fault("unset", text, site.place, thread, array=site.array, remedy=remedy))


def barrier_unpublished(batch: Batch, site: Site, lane: int) -> None:
    """A barrier that a copy is to count at, without having been made known to copies."""
    thread = batch.thread(lane)
    text = f"{thread} begins a copy that counts at a barrier of {site.array} that copies do not know of"
    remedy = "let the thread that called init_barrier call publish_barriers"
    batch.fault(Fault("unset", text, site.place, thread, array=site.array, remedy=remedy))


def box_too_large(batch: Batch, site: Site, lane: int, taken: int, there: int) -> None:
    """A box of ``taken`` bytes where shared memory has ``there``."""
    thread = batch.thread(lane)
    text = f"{thread} copies a box of {taken} bytes into {site.array}, which has {there} bytes from there on"
    remedy = "launch with more shared memory, or copy smaller boxes"
    batch.fault(Fault("out of bounds", text, site.place, thread, array=site.array, remedy=remedy))


def read_too_early(batch: Batch, place: Place, lane: int, begun: Place, array: str) -> None:
    """Shared memory into which a copy was ``begun``, read by a lane that has not waited for it."""
    thread = batch.thread(lane)
    text = f"{thread} reads {array}, into which a copy was begun at line {begun.line}, without having waited"
    remedy = "let it wait for the phase of the barrier that the copy's bytes count at: wait_for_phase(…)"
    batch.fault(Fault("race", text, place, thread, begun, array=array, remedy=remedy))


def overwritten(batch: Batch, place: Place, lane: int, reader: int, read: Place) -> None:
    """Shared memory that a lane copies over, though the warp of lane ``reader`` may still read it."""
    thread, other = batch.thread(lane), batch.thread(reader)
    text = f"{thread} copies over shared memory that the warp of {other} may still read (line {read.line})"
    remedy = "let the readers wait for their products, then arrive at a barrier, and wait for its phase before copying"
    batch.fault(Fault("race", text, place, thread, other=read, other_thread=other, remedy=remedy))


def no_block(batch: Batch, place: Place, lane: int, rank: int) -> None:
    """A block beyond the last one of a cluster."""
    thread = batch.thread(lane)
    text = f"{thread} reaches for block {rank} of its cluster, which has {batch.program.cluster}"
    batch.fault(Fault("out of bounds", text, place, thread, index=(rank,), remedy="declare the cluster: cluster_of(…)"))


def tile_unset(batch: Batch, place: Place, lane: int, array: str) -> None:
    """A tile that a warpgroup multiplies, with pieces that nobody has written."""
    thread = batch.thread(lane)
    text = f"{thread} and its warpgroup multiply a tile of {array} that is not all written"
    remedy = "copy the whole tile first, zeros beyond the edges"
    batch.fault(Fault("unset", text, place, thread, array=array, remedy=remedy))


def wrong_descriptor(batch: Batch, place: Place, lane: int, what: str) -> None:
    """A product by what describes no tile that the warpgroup could multiply."""
    thread = batch.thread(lane)
    remedy = "describe_tile(shared, at, leading, stride) of a tile within one shared array, by all 128 threads alike"
    batch.fault(Fault("warp", f"{thread} multiplies by {what}", place, thread, remedy=remedy))


def not_shared(batch: Batch, place: Place, array: str) -> None:
    """Matrices to load from an array that is not in shared memory."""
    thread = batch.thread(batch.mask.first)
    text = f"{thread}: ldmatrix reads {array}, which is not in shared memory"
    batch.fault(Fault("warp", text, place, thread, array=array, remedy="copy the tile to shared memory first"))
