"""GPU functions that are declared with signatures, where no driver is there to compile for them.

``@cuda.jit("void(float32[::1])")`` compiles as soon as it is read, and asks the driver for a device. Here such a
function is left for later, as one without a signature is, and keeps what it was declared for: `matching`.
"""

from __future__ import annotations

import importlib
from typing import Any

from gpuplay.errors import GpuplayError

DECLARED = "gpuplay_declared"  # an attribute of such a function: the argument types of each of its signatures


def put_off() -> None:
    """From now on, let ``cuda.jit`` take signatures without compiling for them."""
    from numba import cuda

    jit = cuda.jit
    signatures = _sigutils()

    def later(function_or_signature: Any = None, *args: Any, **options: Any) -> Any:
        given = function_or_signature
        if not (signatures.is_signature(given) or isinstance(given, list)):
            return jit(given, *args, **options)
        parsed = [signatures.normalize_signature(one) for one in (given if isinstance(given, list) else [given])]
        device = args[0] if args else options.get("device", False)
        if not device and any(result is not None and str(result) not in ("none", "void") for _, result in parsed):
            raise TypeError("CUDA kernel must have void return type.")
        decorate = jit(None, *args, **options)

        def made(function: Any) -> Any:
            found = decorate(function)
            setattr(found, DECLARED, tuple(tuple(types) for types, _ in parsed))
            return found

        return made

    vars(cuda)["jit"] = later


def matching(function: Any, types: tuple[Any, ...]) -> tuple[Any, ...]:
    """The declared types that serve a launch with these, its own where none are declared; GpuplayError without any."""
    declared = getattr(function, DECLARED, None)
    if declared is None:
        return types
    for one in declared:
        if len(one) == len(types) and all(map(_serves, one, types)):
            return tuple(one)
    given = ", ".join(map(str, types))
    served = " or ".join(f"({', '.join(map(str, one))})" for one in declared)
    raise GpuplayError(
        f"{function.__name__} is launched with ({given}), but its signature has {served}; leave the signature out of "
        "@cuda.jit, and it is compiled for what it is given"
    )


def _serves(declared: Any, given: Any) -> bool:
    """Whether an argument of one type may be given for another: arrays alike, numbers as they convert."""
    if hasattr(declared, "ndim") != hasattr(given, "ndim"):
        return False
    if hasattr(declared, "ndim"):
        alike = (declared.dtype, declared.ndim) == (given.dtype, given.ndim)
        return alike and declared.layout in ("A", given.layout)
    return True


def _sigutils() -> Any:
    """Numba's reading of signatures: numba-cuda has its own."""
    try:
        return importlib.import_module("numba.cuda.core.sigutils")
    except ImportError:
        return importlib.import_module("numba.core.sigutils")
