"""A variant compiled to be looked at, in a worker: CUDA variants without a GPU, CPU variants by one call.

Numba's disk cache plays no part: what comes from it cannot be inspected.
"""

from __future__ import annotations

import gc
import linecache
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError
from gpuplay.measure.building import build, problem_data
from gpuplay.plan.shapes import declared_arrays
from gpuplay.results.compiled import Compiled, GpuFunction, HostFunction, Resources, SourceFile
from gpuplay.targets import open_target
from gpuplay.targets.stand_ins import offline

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Problem, Variant
    from gpuplay.results.cell import Cell

_FILES = (
    re.compile(r'^\s*//## File "([^"]+)"', re.MULTILINE),
    re.compile(r'^\s*\.file\s+\d+\s+"([^"]+)"', re.MULTILINE),
)
_SYMBOL = re.compile(r'^"?((?:__gufunc__\.)?_ZN(?!7cpython)[^":\s]*)"?:', re.MULTILINE)
_NAME_PART = re.compile(r"(\d+)")


# --- CUDA ---


def compiled_for(loaded: Loaded, cell: Cell, capability: offline.Capability, *, want: str) -> Compiled:
    """A CUDA variant's GPU functions compiled for a capability, on arrays without contents.

    ``want`` is ``ptx``, ``resources`` or ``sass``: PTX needs no ptxas; PTX and SASS carry source lines.
    """
    variant = loaded.kernel.variant(cell.variant)
    problem, knobs = loaded.kernel.problem(cell.size, **dict(cell.params)), dict(cell.knobs)
    run = loaded.call(variant.build, problem, **knobs)
    arrays = hollow_arrays(loaded, variant, problem, cell)
    assemble, lineinfo = want != "ptx", want != "resources"
    try:
        found = offline.inspect(run, arrays, capability, assemble=assemble, disassemble=assemble, lineinfo=lineinfo)
    except Exception as error:
        if any(kind.__name__ == "NumbaError" for kind in type(error).__mro__):  # numba's own, or numba-cuda's
            raise GpuplayError(f"Numba refuses it: {_reason(str(error))}") from error
        raise
    functions = tuple(_gpu_function(one) for one in found)
    architecture = "sm_" + "".join(map(str, offline.architecture(capability)))
    listings = [one.sass if want == "sass" else one.ptx for one in functions] if want != "resources" else []
    return Compiled(cell, architecture, gpu=functions, sources=_sources(listings))


def _reason(message: str) -> str:
    """The line of a message of Numba's that says what is wrong, and the line of source that it names."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    said = next((line for line in lines if not line.startswith("Failed in ")), "no message")
    places = [line for line in lines if line.startswith("File ")]
    return " ".join([said, *(f"({place.rstrip(':')})" for place in places[-1:])])


def hollow_arrays(loaded: Loaded, variant: Variant, problem: Problem, cell: Cell) -> list[Any]:
    """A run's arguments without contents: prepared weights in the weights' place, workspaces last."""
    import numpy as np

    def hollow(array: Any) -> Any:
        return offline.hollow(array.shape, array.dtype or problem.dtype)

    arrays: list[Any] = []
    weights = []
    place = None
    for declared in declared_arrays(loaded, problem):
        array = variant.stored(declared, problem.dtype)
        if declared.role == "weight" and variant.prepare:
            place = len(arrays) if place is None else place
            weights.append(np.zeros(declared.shape, declared.dtype or problem.dtype))
        else:
            arrays.append(hollow(array))
    if variant.prepare:
        prepared = loaded.call(variant.prepare, problem, *weights, **dict(cell.knobs))
        arrays[place:place] = prepared if isinstance(prepared, tuple | list) else (prepared,)
    spaces = loaded.call(variant.workspace, problem, cell.choices) if variant.workspace else ()
    return arrays + [hollow(space) for space in spaces]


def _gpu_function(one: offline.Inspected) -> GpuFunction:
    launch, code = one.launch, one.code
    resources = None
    if code:
        spills = code.spill_stores_bytes, code.spill_loads_bytes
        resources = Resources(code.registers, code.stack_bytes, *spills, code.shared_bytes)
    sass = code.sass if code else ""
    return GpuFunction(one.name, launch.grid, launch.block, one.launches, launch.shared, one.ptx, resources, sass)


def _sources(listings: Sequence[str]) -> tuple[SourceFile, ...]:
    """The files that listings name; `linecache` also has source that was generated."""
    names = {name for text in listings for pattern in _FILES for name in pattern.findall(text)}
    return tuple(SourceFile(name, tuple(linecache.getlines(name))) for name in sorted(names))


# --- CPU ---


def compiled_here(loaded: Loaded, cell: Cell, seed: int) -> Compiled:
    """A CPU variant's functions, compiled by one call on the ordinary inputs.

    For a worker that has compiled nothing yet: only then does every function that the run calls come up.
    """
    from numba.core import dispatcher
    from numba.core.caching import NullCache

    kind: Any = dispatcher.Dispatcher
    called: dict[int, Any] = {}
    compile_for_args = kind._compile_for_args  # noqa: SLF001 - called where Python calls with new types

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.setdefault(id(self), self)
        return compile_for_args(self, *args, **kwargs)

    target = open_target("cpu", 0)
    target.use_threads(cell.threads)
    kind.enable_caching = lambda _self: None
    kind._compile_for_args = noted  # noqa: SLF001
    for one in gc.get_objects():
        if isinstance(one, kind):
            one._cache = NullCache()  # noqa: SLF001 - of functions that were declared before
    build(loaded, cell, problem_data(loaded, cell, target, seed)).run_once()
    functions = [function for one in called.values() for function in _host_functions(one)]
    if not functions:
        raise GpuplayError(f"{cell.variant}: calls no function that Numba compiled; try --as source")
    return Compiled(cell, host=tuple(functions))


def _host_functions(function: Any) -> Iterable[HostFunction]:
    """A compiled function and what was compiled into it, without the wrappers for Python and C."""
    for signature, listing in function.inspect_asm().items():
        bodies = _by_symbol(listing)
        optimised = _definitions(function.inspect_llvm(signature))
        for symbol, text in bodies.items():
            yield HostFunction(_plain_name(symbol), optimised.get(symbol, ""), text)


def _by_symbol(listing: str) -> dict[str, str]:
    """Assembly by function: from each symbol of Numba's to the end that the assembler marks."""
    found = {}
    for match in _SYMBOL.finditer(listing):
        end = re.compile(r"^\s*\.(?:cfi_endproc|size\s+\"?" + re.escape(match[1]) + r")", re.MULTILINE)
        stop = end.search(listing, match.end())
        if stop:
            found[match[1]] = listing[match.start() : stop.start()].rstrip()
    return found


def _definitions(module: str) -> dict[str, str]:
    """The functions that an LLVM module defines."""
    found = {}
    for match in re.finditer(r'^define [^\n]*?@"?([^"(\s]+)"?\([^\n]*\{\n.*?^\}', module, re.MULTILINE | re.DOTALL):
        found[match[1]] = match[0]
    return found


def _plain_name(symbol: str) -> str:
    """The function's name in a symbol of Numba's: the last of its length-prefixed parts, ``_3c`` being '<'."""
    rest, name = symbol.removeprefix("__gufunc__.").removeprefix("_ZN"), symbol
    while match := _NAME_PART.match(rest):
        length = int(match[1])
        name, rest = rest[match.end() : match.end() + length], rest[match.end() + length :]
    if name.startswith("__numba_parfor_gufunc"):
        return "parallel loop"
    return name
