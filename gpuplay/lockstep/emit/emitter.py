"""What statements, expressions and calls emit: operations on slots, counted work, memory accesses, barriers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gpuplay.lockstep.emit.build import Build
from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution.program import Compute, Meet, Op, Slot, Work
from gpuplay.lockstep.front.dtypes import class_dtype, dtype_of, is_tuple
from gpuplay.lockstep.front.inference import Typed
from gpuplay.lockstep.memory.sites import Site
from gpuplay.lockstep.record import Action, Place
from gpuplay.lockstep.scalars import operators

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch

Inline: TypeAlias = "Callable[[Emitter, Typed, tuple[Slot, ...], str], None]"


class Emitter:
    """One function at one place of call: its variables' slots, and the block that is being filled.

    ``inline(emitter, typed, arguments, result)`` translates a device function in the place of its call:
    its arguments' slots in, its result's variable out.
    """

    def __init__(self, build: Build, typed: Typed, path: tuple[str, ...], inline: Inline) -> None:
        self.build, self.typed, self.path, self.inline = build, typed, path, inline
        self.statics: dict[str, Any] = {}
        self.constants: dict[str, Any] = {}
        self.slots: dict[str, Slot] = {}
        self.tuples: dict[str, tuple[str, ...]] = {}
        self.current = build.blocks[0]
        self.place = Place(typed.source.file, typed.source.first)
        build.sources.setdefault((typed.source.file, typed.source.first), typed.source)

    def kind(self, name: str) -> Any:
        """Numba's type of a variable."""
        return self.typed.types[name]

    def dtype(self, name: str) -> np.dtype[Any] | None:
        """The dtype of a variable that holds a number."""
        return dtype_of(self.typed.types[name])

    def static(self, name: str) -> Any:
        """The object that a variable is known to hold before anything runs; None where it is not known."""
        if name in self.statics:
            return self.statics[name]
        return class_dtype(self.typed.types[name])

    def slot(self, name: str) -> Slot:
        """The slot of a variable."""
        if name not in self.slots:
            shown = "" if name.startswith("$") else name.removeprefix("arg.").partition(".")[0]
            dtype = dtype_of(self.typed.types[name]) if name in self.typed.types else None
            self.slots[name] = self.build.slot(shown, dtype)
        return self.slots[name]

    def shown(self, name: str) -> str:
        """A variable's name in the source, or a word for a value without one."""
        known = self.build.names[self.slot(name)]
        return known or "array"

    def constant(self, name: str) -> Any:
        """The value of a variable that never changes; None where it may."""
        return self.constants.get(name)

    def number(self, name: str, dtype: np.dtype[Any] | None) -> Slot:
        """A slot with a variable's value in this dtype."""
        slot, have = self.slot(name), self.dtype(name)
        if dtype is None or have is None or have == dtype:
            return slot
        return self.cast(slot, have, dtype)

    def cast(self, slot: Slot, have: np.dtype[Any], want: np.dtype[Any]) -> Slot:
        """A slot with the value in another dtype; constants are converted once."""
        convert = operators.cast(have, want)
        if convert is None:
            return slot
        value = self.build.initial[slot]
        if isinstance(value, np.generic):
            return self.build.slot(dtype=want, value=convert(value))
        out = self.build.slot(dtype=want)
        self.operation(lambda batch: batch.set(out, convert(batch.v[slot])), defs=(out,), uses=(slot,))
        return out

    def operation(self, op: Op, defs: tuple[Slot, ...] = (), uses: tuple[Slot, ...] = ()) -> None:
        """Append an operation to the block."""
        block = self.current
        block.uses |= {use for use in uses if use not in block.defs and self.build.initial[use] is None}
        block.defs |= set(defs)
        block.ops.append(op)
        for slot in defs:
            self.build.flows.setdefault(slot, set()).update(uses)

    def count(self, **work: int) -> None:
        """Count work on the line of the statement."""
        counted = self.current.work.get(self.place, Work())
        self.current.work[self.place] = counted.plus(**{"instructions": 1} | work)

    def define(self, name: str, dtype: np.dtype[Any] | None, value: Compute, uses: tuple[Slot, ...]) -> None:
        """Set a variable to what ``value`` gives, a number of this dtype or, where it is None, anything else."""
        want, out = self.dtype(name), self.slot(name)
        if dtype is None or want is None or want == dtype:
            self.operation(lambda batch: batch.set(out, value(batch)), defs=(out,), uses=uses)
            return
        raw = self.build.slot(dtype=dtype)
        self.operation(lambda batch: batch.set(raw, value(batch)), defs=(raw,), uses=uses)
        self.copy(out, self.cast(raw, dtype, want))

    def copy(self, out: Slot, slot: Slot) -> None:
        """Set one slot to what another holds."""
        self.operation(lambda batch: batch.set(out, batch.v[slot]), defs=(out,), uses=(slot,))

    def convert(self, target: str, source: str) -> None:
        """Set a variable to another's value, in its own type."""
        if target not in self.statics or self.dtype(target) is not None:
            self.move(self.slot(target), source, self.kind(target))

    def move(self, out: Slot, name: str, kind: Any) -> None:
        """Set a slot to a variable's value, converted to the type of the slot."""
        want = dtype_of(kind)
        if want is not None:
            self.copy(out, self.number(name, want))
        elif is_tuple(kind) and is_tuple(self.kind(name)):
            self.copy(out, self._tuple(name, kind))
        else:
            self.copy(out, self.slot(name))

    def _tuple(self, name: str, kind: Any) -> Slot:
        """A slot with a tuple whose elements have the types of ``kind``."""
        have = [dtype_of(item) for item in self.kind(name)]
        want = [dtype_of(item) for item in kind]
        source = self.slot(name)
        if have == want:
            return source
        pairs = zip(have, want, strict=True)
        converts = [operators.cast(h, w) if h is not None and w is not None else None for h, w in pairs]
        out = self.build.slot()

        def convert(batch: Batch) -> None:
            values = zip(converts, batch.v[source], strict=True)
            batch.set(out, tuple(c(value) if c else value for c, value in values))

        self.operation(convert, defs=(out,), uses=(source,))
        return out

    def site(self, array: str, action: Action, width: int, *, issued: bool = True) -> Site:
        """A new memory access on this line; it counts as one instruction where it is ``issued`` by itself."""
        site = Site(self.place, self.shown(array), action, width)
        self.build.sites.append(site)
        self.build.touches.append((self.slot(array), action))
        if issued:
            self.count()
        return site

    def unsupported(self, construct: str) -> Unsupported:
        """What to raise for a construct that is not covered."""
        return Unsupported(construct, self.place)

    def meet(self, meeting: Callable[[int], Meet]) -> None:
        """End the block at a barrier and go on in a new one."""
        following = self.build.block()
        end = meeting(following)
        block = self.current
        block.uses |= {use for use in end.uses if use not in block.defs and self.build.initial[use] is None}
        block.end = end
        self.count()
        self.current = self.build.blocks[following]
