"""The shape of the house: a file imports only from below, and the main process stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gpuplay"

# Each floor from the bottom; within a floor, a file may import those named before it.
FLOORS = (
    ("errors", "units", "paths"),
    ("host", "machine_model", "precision", "kernel", "limits", "bounds", "intrinsics"),
    ("results", "catalog", "sources", "shapes", "sizes", "plan", "request", "promises", "lockstep"),
    ("targets",),
    ("measure",),
    ("worker", "process", "crew", "forecast", "verifying", "runner"),
    ("analysis",),
    ("views",),
    ("cli", "__main__"),
)
RANKS = {name: rank for rank, name in enumerate(name for floor in FLOORS for name in floor)}

# The floors of the lockstep machine; its record and its errors are for the main process too.
LOCKSTEP = (
    ("record", "errors"),
    ("bits", "compiled", "arithmetic", "applied", "functions"),
    ("dtypes", "identity", "builtin", "inference"),
    ("shadow", "traffic", "order", "phases", "memory", "values", "host_memory", "atomics", "sites", "copies"),
    ("program", "batch", "bulk", "faults", "deadlock", "engine", "access"),
    ("build", "emitter", "handlers", "views"),
    (
        "warps",
        "barriers",
        "arrays",
        "updates",
        "wide",
        "matrix_units",
        "register_tiles",
        "async_copies",
        "approximate",
        *("hopper_barriers", "hopper_copies", "hopper_products", "hopper_clusters"),
        "calls",
        "items",
        "expressions",
        "translate",
    ),
    ("counting", "machine"),
)
STEPS = [f"gpuplay.lockstep.{name}" for floor in LOCKSTEP for name in floor]

# What only workers import. Everything else is for the main process too, and imports none of HEAVY.
WORKERS = (
    *("gpuplay.bounds", "gpuplay.intrinsics"),
    *(name for name in STEPS if not name.endswith((".record", ".errors"))),
    *("gpuplay.targets.host", "gpuplay.targets.cuda", "gpuplay.targets.simulator", "gpuplay.targets.gpu_functions"),
    *("gpuplay.targets.torch", "gpuplay.targets.hosted", "gpuplay.targets.lockstep"),
    *("gpuplay.targets.gpu_library", "gpuplay.targets.torch_gpu", "gpuplay.targets.cupy"),
    *("gpuplay.measure.building", "gpuplay.measure.explaining", "gpuplay.measure.inspecting"),
    "gpuplay.measure.stepping",
    *("gpuplay.measure.verify", "gpuplay.measure.causes", "gpuplay.measure.bench", "gpuplay.measure.data"),
    *("gpuplay.measure.problems", "gpuplay.measure.probes", "gpuplay.measure.gpu_probes"),
)
LONGEST = 360  # lines: the contract's, which stands in one file on purpose; others stay under 300
HEAVY = ("numba", "numpy", "llvmlite", "cuda", "threadpoolctl", "torch", "cupy")


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


def place(module: str) -> str:
    """The file or folder of the package that a module belongs to; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def is_worker(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in WORKERS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_own_place_and_below(module: str) -> None:
    here = place(module)
    assert not here or here in RANKS, f"{module} has no floor yet: give it its place in FLOORS"
    rank = RANKS.get(here, -1)
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        for name in imported(node):
            if name == "gpuplay" or not name.startswith("gpuplay."):
                continue
            there = place(name)
            below = RANKS.get(there, len(RANKS))
            assert below < rank or there == here, f"{module} imports {name}, which stands above it"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("gpuplay.lockstep.")])
def test_a_part_of_the_lockstep_machine_imports_only_from_below_types_included(module: str) -> None:
    assert module in STEPS, f"{module} has no floor yet: give it its place in LOCKSTEP"
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        for name in imported(node):
            if name.startswith("gpuplay.lockstep."):
                assert STEPS.index(name) < STEPS.index(module), f"{module} imports {name}, which stands above it"


@pytest.mark.parametrize("module", [name for name in MODULES if not is_worker(name)])
def test_a_module_of_the_main_process_imports_nothing_heavy(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for statement in at_import(tree.body):
        for name in imported(statement):
            assert name.split(".")[0] not in HEAVY, f"{module} imports {name} when it is imported"
            assert not is_worker(name), f"{module} imports {name}, which is for workers, when it is imported"


def test_the_main_process_loads_neither_numba_nor_numpy() -> None:
    light = [name for name in MODULES if not is_worker(name) and not name.endswith("__main__")]
    code = f"import importlib, sys\nfor name in {light!r}:\n    importlib.import_module(name)\n"
    code += f"print(sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"


def test_files_can_be_read_in_one_sitting() -> None:
    long = {
        name: lines for name, path in MODULES.items() if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert not long
