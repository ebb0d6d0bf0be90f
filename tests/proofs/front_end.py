"""Compile what is the same code once: one run of Numba's front end for each GPU function, one of ptxas for each PTX."""

import functools
import sys
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gpuplay.measure import inspecting
from gpuplay.targets import offline

_libraries = {}
_found = {}


@contextmanager
def shared_front_end():
    """Type and lower a GPU function once for all architectures, and for all problems that it is the same code for.

    From NVVM on, each architecture compiles it by itself, as numba-cuda's libraries provide for. Numba's front end
    asks for the capability in two places, atomic additions of float64 (6.0) and fast tanh of float32 (7.5), so only
    capabilities on the same side of both share.
    """
    from numba.cuda import compiler

    alone, assembled = compiler._compile_pyfunc_with_fixup, offline.machine_code

    def shared(function, types, *, cc, **options):
        key = same_code(function), types, cc >= (6, 0), cc >= (7, 5), repr(sorted(options.items()))
        if key not in _libraries:
            library = alone(function, types, cc=cc, **options)
            _libraries[key] = function, library  # the key has identities of what the function holds
        return _libraries[key][1]

    compiler._compile_pyfunc_with_fixup, offline.machine_code = shared, _once(assembled)
    try:
        yield
    finally:
        compiler._compile_pyfunc_with_fixup, offline.machine_code = alone, assembled


@functools.cache
def _once(machine_code):
    """The same PTX for the same architecture is assembled once."""
    return functools.cache(machine_code)


def same_code(value):
    """A key that two values have in common only where functions that capture them compile to the same code.

    Functions by their bytecode, their module and all that they capture, GPU functions by their options, too; plain
    values by type and value; what has no value to compare by its identity.
    """
    function = getattr(value, "py_func", value)
    if isinstance(function, FunctionType):
        captured = tuple(same_code(cell.cell_contents) for cell in function.__closure__ or ())
        module, options = id(function.__globals__), repr(getattr(value, "targetoptions", None))
        return function.__code__, module, repr(function.__defaults__), captured, options
    if isinstance(value, tuple):
        return type(value), *map(same_code, value)
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value, repr(value)


def gpu_functions(loaded, cell, capability):
    """A cell's GPU functions compiled for a capability, with resources and machine code, once in a process."""
    key = loaded.package, cell, capability
    if key not in _found:
        with shared_front_end():
            _found[key] = inspecting.compiled_for(loaded, cell, capability, want="sass").gpu
    return _found[key]
