"""``print`` in a GPU function: what the first threads say, and how many lines all of them say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpuplay.lockstep.execution.faults.accesses import at_lane

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot


def translate(emit: Emitter, statement: Any) -> None:
    """Print a line for each active lane: texts, and the numbers of variables."""
    parts: list[tuple[str, Slot | None]] = []
    for position, variable in enumerate(statement.args):
        known = statement.consts.get(position, emit.constant(variable.name))
        if known is None and emit.dtype(variable.name) is None:
            raise emit.unsupported(f"print of {emit.kind(variable.name)}")
        parts.append((str(known), None) if known is not None else ("", emit.slot(variable.name)))
    slots = tuple(slot for _, slot in parts if slot is not None)

    def say(batch: Batch) -> None:
        def line(lane: int) -> str:
            said = (text if slot is None else str(at_lane(batch.v[slot], lane)) for text, slot in parts)
            return f"{batch.thread(lane)}: {' '.join(said)}"

        batch.launch.say(line, batch.mask.array)

    emit.operation(say, uses=slots)
    emit.count()
