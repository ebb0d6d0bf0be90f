"""Numba's typed representation of a function → blocks of operations on slots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep import arithmetic, calls, expressions, items
from gpuplay.lockstep.build import Build
from gpuplay.lockstep.dtypes import class_dtype, dtype_of, is_tuple
from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.inference import Typed, infer
from gpuplay.lockstep.program import Branch, Jump, Leave, Meet, Op, Program, Work, arranged
from gpuplay.lockstep.record import Action, Place
from gpuplay.lockstep.sites import Site

if TYPE_CHECKING:
    from gpuplay.lockstep.engine import Engine

NOWHERE = -1


def translate(function: Any, arguments: tuple[Any, ...]) -> Program:
    """The program of a GPU function for these argument types."""
    typed = infer(function, arguments)
    build = Build()
    entry = build.block()
    body = Function(build, typed, ())
    slots = tuple(body.slot(f"arg.{name}") for name in _argument_names(typed))
    body.translate(entry, returns=None)
    return Program(
        arranged(build.blocks, entry),
        build.initial,
        slots,
        build.names,
        build.dtypes,
        build.sites,
        build.shared_arrays(),
        build.locals,
        build.float64_notes(arguments),
        list(build.sources.values()),
        fences=build.fences,
        cooperative=any(isinstance(block.end, Meet) and block.end.scope == "grid" for block in build.blocks),
        touched=build.touched(slots),
    )


class Function:
    """One function at one place of call: its variables' slots, and the block that is being filled."""

    def __init__(self, build: Build, typed: Typed, path: tuple[str, ...]) -> None:
        self.build, self.typed, self.path = build, typed, path
        self.statics: dict[str, Any] = {}
        self.constants: dict[str, Any] = {}
        self.slots: dict[str, int] = {}
        self.current = build.blocks[0]
        self.place = Place(typed.source.file, typed.source.first)
        build.sources.setdefault((typed.source.file, typed.source.first), typed.source)

    # --- what calls and expressions use ---

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

    def slot(self, name: str) -> int:
        """The slot of a variable."""
        if name not in self.slots:
            shown = "" if name.startswith("$") else name.partition(".")[0]
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

    def number(self, name: str, dtype: np.dtype[Any] | None) -> int:
        """A slot with a variable's value in this dtype."""
        slot, have = self.slot(name), self.dtype(name)
        if dtype is None or have is None or have == dtype:
            return slot
        return self.cast(slot, have, dtype)

    def cast(self, slot: int, have: np.dtype[Any], want: np.dtype[Any]) -> int:
        """A slot with the value in another dtype; constants are converted once."""
        convert = arithmetic.cast(have, want)
        if convert is None:
            return slot
        value = self.build.initial[slot]
        if isinstance(value, np.generic):
            return self.build.slot(dtype=want, value=convert(value))
        out = self.build.slot(dtype=want)
        self.emit(lambda e: e.set(out, convert(e.v[slot])), defs=(out,), uses=(slot,))
        return out

    def emit(self, op: Op, defs: tuple[int, ...] = (), uses: tuple[int, ...] = ()) -> None:
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

    def define(
        self, name: str, dtype: np.dtype[Any] | None, value: Callable[[Engine], Any], uses: tuple[int, ...]
    ) -> None:
        """Set a variable to what ``value`` gives, a number of this dtype or, where it is None, anything else."""
        want, out = self.dtype(name), self.slot(name)
        if dtype is None or want is None or want == dtype:
            self.emit(lambda e: e.set(out, value(e)), defs=(out,), uses=uses)
            return
        raw = self.build.slot(dtype=dtype)
        self.emit(lambda e: e.set(raw, value(e)), defs=(raw,), uses=uses)
        self.copy(out, self.cast(raw, dtype, want))

    def copy(self, out: int, slot: int) -> None:
        """Set one slot to what another holds."""
        self.emit(lambda e: e.set(out, e.v[slot]), defs=(out,), uses=(slot,))

    def site(self, array: str, action: Action, width: int) -> Site:
        """A new memory access on this line; it counts as one instruction."""
        site = Site(self.place, self.shown(array), action, width)
        self.build.sites.append(site)
        self.build.touches.append((self.slot(array), action))
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

    def call(self, typed: Typed, arguments: tuple[int, ...], result: str) -> None:
        """Inline a device function: its arguments' slots in, its result's variable out."""
        if len(self.path) > 32 or f"{typed.source.file}:{typed.source.first}" in self.path:
            raise self.unsupported(f"recursion ({typed.source.name} calls itself)")
        callee = Function(self.build, typed, (*self.path, f"{typed.source.file}:{typed.source.first}"))
        for name, slot in zip(_argument_names(typed), arguments, strict=True):
            self.copy(callee.slot(f"arg.{name}"), slot)
        entry, following = self.build.block(), self.build.block()
        self.current.end = Jump(entry)
        callee.translate(entry, returns=(self.slot(result), self.dtype(result), following))
        self.current = self.build.blocks[following]

    # --- statements ---

    def translate(self, entry: int, returns: tuple[int, Any, int] | None) -> None:
        """Fill blocks from an entry; ``returns`` is the result's slot, its dtype and where to go on."""
        self.returns = returns
        labels = {label: self.build.block() for label in self.typed.blocks}
        self.build.blocks[entry].end = Jump(labels[min(self.typed.blocks)])
        self._collect_statics()
        for label in sorted(self.typed.blocks):
            self.current = self.build.blocks[labels[label]]
            for statement in self.typed.blocks[label].body:
                line = statement.loc.line
                self.place = Place(self.typed.source.file, line)
                getattr(self, f"_{type(statement).__name__.lower()}", self._unknown)(statement, labels)

    def _unknown(self, statement: Any, _labels: dict[int, int]) -> None:
        raise self.unsupported(f"the statement {type(statement).__name__}: {statement}")

    def _del(self, _statement: Any, _labels: dict[int, int]) -> None:
        pass

    def _staticraise(self, _statement: Any, _labels: dict[int, int]) -> None:
        self.current.end = Leave(self.place)

    _staticttryraise = _dynamicraise = _staticraise

    def _print(self, _statement: Any, _labels: dict[int, int]) -> None:
        raise self.unsupported("print")

    def _jump(self, statement: Any, labels: dict[int, int]) -> None:
        self.current.end = Jump(labels[statement.target])

    def _branch(self, statement: Any, labels: dict[int, int]) -> None:
        then, otherwise = labels[statement.truebr], labels[statement.falsebr]
        name = statement.cond.name
        known = self.constant(name)
        if known is not None:
            self.current.end = Jump(then if known else otherwise)
            return
        condition = self.number(name, np.dtype(np.bool_))
        block = self.current
        if condition not in block.defs and self.build.initial[condition] is None:
            block.uses.add(condition)
        self.count()
        block.end = Branch(condition, then, otherwise, self.place)

    def _return(self, statement: Any, _labels: dict[int, int]) -> None:
        if self.returns is None:
            source = self.typed.source
            line = source.lines[self.place.line - source.first : self.place.line - source.first + 1]
            self.current.end = Leave(self.place, returned=any("return" in text.split() for text in line))
            return
        slot, _, following = self.returns
        name = statement.value.name
        if self.static(name) is None or self.dtype(name) is not None:
            self._move(slot, name, self.typed.returns)
        self.current.end = Jump(following)

    def _move(self, out: int, name: str, kind: Any) -> None:
        """Set a slot to a variable's value, converted to the type of the slot."""
        want = dtype_of(kind)
        if want is not None:
            self.copy(out, self.number(name, want))
        elif is_tuple(kind) and is_tuple(self.kind(name)):
            self.copy(out, self._tuple(name, kind))
        else:
            self.copy(out, self.slot(name))

    def _tuple(self, name: str, kind: Any) -> int:
        """A slot with a tuple whose elements have the types of ``kind``."""
        have = [dtype_of(t) for t in self.kind(name)]
        want = [dtype_of(t) for t in kind]
        source = self.slot(name)
        if have == want:
            return source
        converts = [
            arithmetic.cast(h, w) if h is not None and w is not None else None for h, w in zip(have, want, strict=True)
        ]
        out = self.build.slot()

        def convert(e: Engine) -> None:
            values = zip(converts, e.v[source], strict=True)
            e.set(out, tuple(c(value) if c else value for c, value in values))

        self.emit(convert, defs=(out,), uses=(source,))
        return out

    def _assign(self, statement: Any, _labels: dict[int, int]) -> None:
        target, value = statement.target.name, statement.value
        handler = getattr(self, f"_assign_{type(value).__name__.lower()}", None)
        if handler is None:
            raise self.unsupported(f"{type(value).__name__}: {value}")
        handler(target, value)

    def convert(self, target: str, source: str) -> None:
        """Set a variable to another's value, in its own type."""
        if target not in self.statics or self.dtype(target) is not None:
            self._move(self.slot(target), source, self.kind(target))

    def _assign_var(self, target: str, value: Any) -> None:
        self.convert(target, value.name)

    def _assign_arg(self, target: str, value: Any) -> None:
        self._move(self.slot(target), f"arg.{value.name}", self.kind(target))

    def _assign_const(self, target: str, value: Any) -> None:
        expressions.constant(self, target, value.value)

    _assign_global = _assign_freevar = _assign_const

    def _assign_expr(self, target: str, value: Any) -> None:
        expressions.translate(self, target, value)

    def _setitem(self, statement: Any, _labels: dict[int, int]) -> None:
        items.set_item(self, statement.target.name, statement.index.name, None, statement.value.name)

    def _staticsetitem(self, statement: Any, _labels: dict[int, int]) -> None:
        index = statement.index_var.name if statement.index_var is not None else None
        items.set_item(self, statement.target.name, index, statement.index, statement.value.name)

    def _setattr(self, statement: Any, _labels: dict[int, int]) -> None:
        items.set_item(self, statement.target.name, None, statement.attr, statement.value.name)

    def _collect_statics(self) -> None:
        """Objects and constants that variables hold, in one pass over all assignments."""
        for block in self.typed.blocks.values():
            for statement in block.body:
                if type(statement).__name__ == "Assign":
                    self.place = Place(self.typed.source.file, statement.loc.line)
                    calls.note_static(self, statement.target.name, statement.value)


def _argument_names(typed: Typed) -> list[str]:
    """Argument names in order."""
    found = {}
    for block in typed.blocks.values():
        for statement in block.body:
            if type(statement).__name__ == "Assign" and type(statement.value).__name__ == "Arg":
                found[statement.value.index] = statement.value.name
    return [found.get(index, f"unused{index}") for index in range(len(typed.arguments))]
