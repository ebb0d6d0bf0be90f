"""The shape of the house: a room imports only from below, and the main process stays light.

A room is a folder, or a file that stands beside folders. Nothing here names files in rooms.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from places import ROOT

PACKAGE = ROOT / "gpuplay"

ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"


def rooms() -> dict[str, tuple[str, ...]]:
    """Rooms from the ground up, as the tables of the architecture's page have them: of the house, and of its parts."""
    found: dict[str, list[str]] = {}
    house = ""
    for line in ARCHITECTURE.read_text(encoding="utf-8").splitlines():
        first = line.partition(" | ")[0]
        if head := re.fullmatch(r"\| rooms of `([\w.]+)`", first):
            house = head[1]
        elif house and first.startswith("| `"):
            found.setdefault(house, []).extend(re.findall(r"`(\w+)`", first))
        elif not line.startswith("|"):
            house = ""
    return {house: tuple(names) for house, names in found.items()}


ROOMS = rooms()
# What the main process need not import; all other rooms do without numba and numpy, through all that they import.
WORKERS_ALONE = ("bounds", "intrinsics", "lockstep", "targets", "measure")
HEAVY = ("numba", "numpy", "llvmlite", "cuda", "threadpoolctl", "torch", "cupy")
LONGEST = 360  # lines: the contract's, which stands in one file on purpose; others stay under 300


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(node: ast.AST) -> Iterator[str]:
    """Full names of what one import statement brings in; a name that is no module of ours is left out."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        parts = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from {part if part in MODULES else node.module for part in parts}


def at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: no function bodies, nothing for type checkers only."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from at_import(statement.orelse)
            continue
        for name in ("body", "orelse", "finalbody", "handlers"):
            for part in getattr(statement, name, []):
                yield from at_import(part.body if isinstance(part, ast.ExceptHandler) else [part])


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def room(module: str, house: str) -> str:
    """The room of a house that a module stands in; empty for what is not in it, and for its own face."""
    inside = module.removeprefix(house + ".")
    return inside.partition(".")[0] if inside != module else ""


@cache
def burden(module: str) -> frozenset[str]:
    """What a module loads of HEAVY when it is imported, through all modules of ours that it imports."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        here = waiting.pop()
        if here in seen or here not in MODULES:
            continue
        seen.add(here)
        for statement in at_import(tree(here).body):
            for name in imported(statement):
                waiting.append(name)
                found |= {name.split(".")[0]} & set(HEAVY)
    return frozenset(found)


@pytest.mark.parametrize("house", ROOMS)
def test_a_house_is_made_of_the_rooms_that_are_told(house: str) -> None:
    assert {place for module in MODULES if (place := room(module, house))} == set(ROOMS[house])


@pytest.mark.parametrize("house", ROOMS)
def test_a_room_imports_only_from_rooms_below_types_included(house: str) -> None:
    rooms = ROOMS[house]
    upward = [
        f"{module} imports {name}, which stands above it"
        for module in MODULES
        if (here := room(module, house))
        for node in ast.walk(tree(module))
        for name in imported(node)
        if (there := room(name, house)) and rooms.index(there) > rooms.index(here)
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("module", [name for name in MODULES if room(name, "gpuplay") not in WORKERS_ALONE])
def test_a_module_of_the_main_process_loads_nothing_heavy_through_whatever_it_imports(module: str) -> None:
    assert not burden(module)


def test_the_page_of_the_architecture_has_the_rooms_of_all_three_houses() -> None:
    assert set(ROOMS) == {"gpuplay", "gpuplay.intrinsics", "gpuplay.lockstep"}


def test_files_can_be_read_in_one_sitting() -> None:
    long = {
        name: lines for name, path in MODULES.items() if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_a_class_has_its_name_to_itself() -> None:
    homes: dict[str, list[str]] = {}
    for module in MODULES:
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}
