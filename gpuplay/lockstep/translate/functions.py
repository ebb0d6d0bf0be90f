"""Numba's typed representation of a function → blocks of operations on slots."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.emit.build import Build
from gpuplay.lockstep.emit.emitter import Emitter
from gpuplay.lockstep.execution.arrangement import arranged
from gpuplay.lockstep.execution.faults.endings import raised
from gpuplay.lockstep.execution.program import Branch, Jump, Leave, Meet, Program, Slot
from gpuplay.lockstep.front.inference import Typed, infer
from gpuplay.lockstep.record import Place, Source
from gpuplay.lockstep.translate import calls, expressions, items, printing


def translate(function: Any, arguments: tuple[Any, ...]) -> Program:
    """The program of a GPU function for these argument types."""
    typed = infer(function, arguments)
    _refuse_result(typed)
    build = Build()
    entry = build.block()
    body = Function(build, typed, (), _inline)
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
        cluster=build.cluster,
        touched=build.touched(slots),
    )


class Function(Emitter):
    """The statements of one function at one place of call."""

    def translate(self, entry: int, returns: tuple[Slot, Any, int] | None) -> None:
        """Fill blocks from an entry; ``returns`` is the result's slot, its dtype and where to go on."""
        self.returns = returns
        self.return_lines = _return_lines(self.typed.source)
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

    def _staticraise(self, statement: Any, _labels: dict[int, int]) -> None:
        kind, place = getattr(statement.exc_class, "__name__", "an exception"), self.place
        self.current.ops.append(lambda batch: raised(batch, place, kind))
        self.current.end = Leave(self.place)

    _staticttryraise = _dynamicraise = _staticraise

    def _print(self, statement: Any, _labels: dict[int, int]) -> None:
        printing.translate(self, statement)

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
            self.current.end = Leave(self.place, returned=self.place.line in self.return_lines)
            return
        slot, _, following = self.returns
        name = statement.value.name
        if self.static(name) is None or self.dtype(name) is not None:
            self.move(slot, name, self.typed.returns)
        self.current.end = Jump(following)

    def _assign(self, statement: Any, _labels: dict[int, int]) -> None:
        target, value = statement.target.name, statement.value
        handler = getattr(self, f"_assign_{type(value).__name__.lower()}", None)
        if handler is None:
            raise self.unsupported(f"{type(value).__name__}: {value}")
        handler(target, value)

    def _assign_var(self, target: str, value: Any) -> None:
        self.convert(target, value.name)

    def _assign_arg(self, target: str, value: Any) -> None:
        self.move(self.slot(target), f"arg.{value.name}", self.kind(target))

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


def _refuse_result(typed: Typed) -> None:
    """A launch has nobody to take a result: GpuplayError where the function has one."""
    if type(typed.returns).__name__ in ("NoneType", "Omitted") or str(typed.returns) in ("none", "void"):
        return
    line = next((s.loc.line for b in typed.blocks.values() for s in b.body if type(s).__name__ == "Return"), 0)
    raise GpuplayError(
        f"{typed.source.name} returns a value of type {typed.returns} ({Path(typed.source.file).name}:{line}); "
        "a GPU function that is launched returns nothing: write it to an array"
    )


def _return_lines(source: Source) -> set[int]:
    """Lines with a return statement; what else ends a thread is the end of the function."""
    try:
        tree = ast.parse(textwrap.dedent("\n".join(source.lines)))
    except SyntaxError:  # an expression cut out of a longer line
        return set()
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return {source.first + node.lineno - 1 for node in found}


def _argument_names(typed: Typed) -> list[str]:
    """Argument names in order."""
    found = {}
    for block in typed.blocks.values():
        for statement in block.body:
            if type(statement).__name__ == "Assign" and type(statement.value).__name__ == "Arg":
                found[statement.value.index] = statement.value.name
    return [found.get(index, f"unused{index}") for index in range(len(typed.arguments))]


def _inline(caller: Emitter, typed: Typed, arguments: tuple[Slot, ...], result: str) -> None:
    """Translate a device function in the place of its call."""
    here = f"{typed.source.file}:{typed.source.first}:{id(typed)}"
    if here in caller.path:
        raise caller.unsupported(f"recursion ({typed.source.name} calls itself)")
    callee = Function(caller.build, typed, (*caller.path, here), _inline)
    for name, slot in zip(_argument_names(typed), arguments, strict=True):
        caller.copy(callee.slot(f"arg.{name}"), slot)
    entry, following = caller.build.block(), caller.build.block()
    caller.current.end = Jump(entry)
    callee.translate(entry, returns=(caller.slot(result), caller.dtype(result), following))
    caller.current = caller.build.blocks[following]
