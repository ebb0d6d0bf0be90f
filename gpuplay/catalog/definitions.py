"""The source of a variant, read as text: its builder, and what the builder uses of the kernel's own files.

Nothing is imported or run: names are followed through syntax trees, in the kernel's folder and, for bundled
kernels, in the folders beside it; never into gpuplay or into a library.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gpuplay.catalog.origin import Origin, kernels_dir
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import Variant

Place = tuple[Path, str]  # a name at the top level of a file; the empty name is the file as a module


@dataclass(frozen=True)
class Definition:
    """A function, class or constant at the top level of a file, with its decorators."""

    file: Path
    line: int
    name: str
    text: str
    function: bool


def definitions(origin: Origin, variant: Variant) -> tuple[Definition, ...]:
    """The builder of a variant and everything of the kernel's files that it uses, the builder's file first.

    KernelFileError where the builder cannot be found, UsageError where there is no file to read it from.
    """
    if origin.kind == "plugin":
        raise UsageError(f"{origin.name} comes from an installed package; give the path of its source file instead")
    file, name = _builder(origin, variant)
    root = kernels_dir() if origin.kind == "bundled" else Path(origin.path).parent
    found: dict[Place, Definition] = {}
    waiting = [(file, name)]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        source = _Source(place[0], root)
        if place[1] not in source.nodes:
            waiting += [target for target in source.imports(place[1]) if target[1]]
            continue
        found[place] = source.definition(place[1])
        waiting += source.uses(place[1])
    if not found:
        raise KernelFileError(f"{file}: {variant.name} is built by {name!r}, which is no function of this file")
    once = {(one.file, one.line): one for one in found.values()}  # a line may define several constants
    return tuple(sorted(once.values(), key=lambda one: (one.file != file, str(one.file), one.line)))


def _builder(origin: Origin, variant: Variant) -> Place:
    """File and name of a builder: 'module:function' as declared, '<function>' where a worker sent it."""
    path = Path(origin.path)
    folder = path if origin.kind == "bundled" else path.parent
    text = str(variant.build)
    module, colon, name = text.partition(":")
    if colon:
        return folder.joinpath(*module.split(".")).with_suffix(".py"), name
    return path, text.strip("<>")


class _Source:
    """One file as a syntax tree."""

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        try:
            self._text = file.read_text(encoding="utf-8")
            self._tree = ast.parse(self._text)
        except (OSError, SyntaxError, ValueError) as error:
            raise KernelFileError(f"{file}: cannot be read: {error}") from None

    @cached_property
    def nodes(self) -> dict[str, ast.stmt]:
        """What the file defines at its top level, by name."""
        found: dict[str, ast.stmt] = {}
        for node in self._tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {
                    name.id: node for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
                }
        return found

    def definition(self, name: str) -> Definition:
        """The text of one definition."""
        node = self.nodes[name]
        function = isinstance(node, ast.FunctionDef)
        decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        lines = self._text.splitlines()[first - 1 : node.end_lineno]
        return Definition(self._file, first, name, "\n".join(lines), function)

    def uses(self, name: str) -> Iterator[Place]:
        """The places of all names that a definition takes from this file and from those it imports."""
        node = self.nodes[name]
        own = set(_bound(node))
        for used in ast.walk(node):
            if isinstance(used, ast.Name) and used.id not in own and used.id != name:
                if used.id in self.nodes:
                    yield self._file, used.id
                yield from (place for place in self.imports(used.id) if place[1])
            if isinstance(used, ast.Attribute) and isinstance(used.value, ast.Name) and used.value.id not in own:
                yield from ((file, used.attr) for file, inner in self.imports(used.value.id) if not inner)

    def imports(self, name: str) -> Iterator[Place]:
        """Where an imported name is defined, if that is in the kernel's own files."""
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        yield from self._from(node, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        yield from self._modules(self._file.parent.joinpath(*alias.name.split(".")))

    def _from(self, node: ast.ImportFrom, name: str) -> Iterator[Place]:
        """``from .module import name``: a module of that package, or a name in that module."""
        folder = self._file.parent
        for _ in range(node.level - 1):
            folder = folder.parent
        base = folder.joinpath(*(node.module or "").split("."))
        inner = list(self._modules(base / name))
        yield from inner or ((file, name) for file, _ in self._modules(base))

    def _modules(self, base: Path) -> Iterator[Place]:
        """The file of a module, where it is one of the kernel's own."""
        for file in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if file.is_file() and file.is_relative_to(self._root):
                yield file, ""


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a definition binds itself: parameters, locals, functions in it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg):
            yield inner.arg
        elif isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id
        elif isinstance(inner, ast.FunctionDef) and inner is not node:
            yield inner.name
