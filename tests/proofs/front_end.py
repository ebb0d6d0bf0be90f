"""Compile what is the same code once: one run of Numba's front end for each GPU function, one of ptxas for each PTX."""

import functools
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gpuplay.lockstep.front.identity import meaning
from gpuplay.measure import inspecting
from gpuplay.targets.stand_ins import offline

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
        key = meaning(function), types, cc >= (6, 0), cc >= (7, 5), repr(sorted(options.items()))
        if key not in _libraries:
            _libraries[key] = alone(function, types, cc=cc, **options)
        return _libraries[key]

    compiler._compile_pyfunc_with_fixup, offline.machine_code = shared, _once(assembled)
    try:
        yield
    finally:
        compiler._compile_pyfunc_with_fixup, offline.machine_code = alone, assembled


@functools.cache
def _once(machine_code):
    """The same PTX for the same architecture is assembled once."""
    return functools.cache(machine_code)


def gpu_functions(loaded, cell, capability):
    """A cell's GPU functions compiled for a capability, with resources and machine code, once in a process."""
    key = loaded.package, cell, capability
    if key not in _found:
        with shared_front_end():
            _found[key] = inspecting.compiled_for(loaded, cell, capability, want="sass").gpu
    return _found[key]
