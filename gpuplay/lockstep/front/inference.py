"""Numba's own front end: a Python function and argument types in, typed intermediate representation out.

The passes are those that precede lowering in Numba's CUDA pipeline, hence the types, the pruned
branches, the inlined closures and the unrolled loops are the compiled code's. They need no driver.
Works on numba-cuda and on the copy of the CUDA target inside numba: intermediate nodes of both are
told apart by the names of their classes.
"""

from __future__ import annotations

import contextlib
import inspect
import linecache
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numba.core.target_extension import target_override
from numba.cuda import compiler
from numba.cuda.descriptor import cuda_target
from numba.cuda.dispatcher import CUDADispatcher

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.front import numba_copy
from gpuplay.lockstep.front.identity import meaning
from gpuplay.lockstep.front.signatures import matching
from gpuplay.lockstep.record import Source

try:  # numba-cuda has a front end of its own
    from numba.cuda import typing as templates
    from numba.cuda.core import bytecode
    from numba.cuda.core.typed_passes import NopythonTypeInference, PreLowerStripPhis
except ImportError:
    from numba.core import bytecode
    from numba.core import typing as templates
    from numba.core.typed_passes import NopythonTypeInference, PreLowerStripPhis

    numba_copy.complete()


@dataclass(frozen=True)
class Typed:
    """One function for one tuple of argument types.

    ``blocks`` are Numba's, by label; ``types`` gives every variable's type by name, ``signatures``
    the signature of every call and operator by its node.
    """

    source: Source
    arguments: tuple[Any, ...]
    blocks: dict[int, Any]
    types: dict[str, Any]
    signatures: dict[Any, Any]
    returns: Any


class TypingFailed(GpuplayError):
    """Numba cannot type the function; the message is Numba's, shortened to what names line and reason."""


def source_of(function: Any, *, device: bool = False) -> Source:
    """The text of a Python function, also of one that was generated and registered in linecache."""
    code = function.__code__
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        first = code.co_firstlineno
        lines = linecache.getlines(code.co_filename)[first - 1 :]
    return Source(function.__name__, code.co_filename, first, tuple(line.rstrip("\n") for line in lines), device)


_INFERRED: dict[Any, Typed] = {}


def infer(function: Any, arguments: tuple[Any, ...], *, device: bool = False) -> Typed:
    """The typed representation of a Python function, inferred once; TypingFailed where Numba refuses it."""
    key = meaning(function), arguments, device
    if key not in _INFERRED:
        _INFERRED[key] = _inferred(function, arguments, device=device)
    return _INFERRED[key]


def _inferred(function: Any, arguments: tuple[Any, ...], *, device: bool) -> Typed:
    with target_override("cuda"), _device_calls_by_inference(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            state = _run_front_end(function, arguments)
        except GpuplayError:
            raise
        except Exception as error:
            raise TypingFailed(_shortened(error, function)) from error
    return Typed(
        source_of(function, device=device),
        arguments,
        state.func_ir.blocks,
        dict(state.typemap),
        dict(state.calltypes),
        state.return_type,
    )


def types_of(dispatcher: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numba's types of launch arguments, NumPy arrays and scalars; of a function with signatures the declared ones."""
    return matching(dispatcher, tuple(dispatcher.typeof_pyval(argument) for argument in arguments))


def dispatcher_of(value: Any) -> Any:
    """The CUDA dispatcher behind a device function, also where it was jitted for the CPU; None for anything else."""
    if isinstance(value, CUDADispatcher):
        return value
    return value if hasattr(value, "py_func") and hasattr(value, "get_call_template") else None


def _run_front_end(function: Any, arguments: tuple[Any, ...]) -> Any:
    typing_context, target_context = cuda_target.typing_context, cuda_target.target_context
    typing_context.refresh()
    target_context.refresh()
    flags = compiler.CUDAFlags()
    flags.no_compile = True
    flags.error_model = "numpy"
    front = compiler.CUDACompiler(typing_context, target_context, None, arguments, None, flags, {})
    state = front.state
    state.func_id = bytecode.FunctionIdentity.from_function(function)
    state.bc = bytecode.ByteCode(func_id=state.func_id)
    state.func_ir, state.lifted, state.lifted_from = None, (), None
    passes = compiler.PassManager("front end")
    passes.passes.extend(compiler.DefaultPassBuilder.define_untyped_pipeline(state).passes)
    passes.add_pass(NopythonTypeInference, "types")
    passes.add_pass(PreLowerStripPhis, "copies in the place of phi nodes")
    passes.finalize()
    try:
        passes.run(state)
    finally:
        _forget_overloads(state.typemap or {})
    return state


class _Uncompiled:
    """Stands in Numba's tables for an overload that was typed and not compiled."""


def _forget_overloads(types: dict[str, Any]) -> None:
    """Take the stand-ins out again, so that a compilation in this process finds the tables as they were."""
    for function in types.values():
        for template in getattr(function, "templates", ()):
            compiled = getattr(template, "_compiled_overloads", {})
            for key in [key for key, entry in compiled.items() if entry is _Uncompiled]:
                del compiled[key]


@contextlib.contextmanager
def _device_calls_by_inference() -> Iterator[None]:
    """Let calls of device functions be typed by inference alone: compiling them asks for a driver."""
    if getattr(CUDADispatcher.get_call_template, "by_inference", False):
        yield
        return
    compiled = {name: CUDADispatcher.__dict__.get(name) for name in ("get_call_template", "get_overload")}

    def get_call_template(self: Any, args: Any, kws: Any) -> Any:
        fold = getattr(self, "fold_argument_types", None) or self._compiler.fold_argument_types
        pysig, folded = fold(args, kws)
        signature = templates.signature(_returned(self, tuple(folded)), *folded)
        name = self.py_func.__name__
        template = templates.make_concrete_template(f"CallTemplate({name})", key=name, signatures=[signature])
        return template, pysig, folded, {}

    get_call_template.by_inference = True  # type: ignore[attr-defined]
    CUDADispatcher.get_call_template = get_call_template
    CUDADispatcher.get_overload = lambda _self, _signature: _Uncompiled
    try:
        yield
    finally:
        for name, method in compiled.items():
            if method is None:
                delattr(CUDADispatcher, name)
            else:
                setattr(CUDADispatcher, name, method)


_RETURNS: dict[Any, Any] = {}


def _returned(dispatcher: Any, arguments: tuple[Any, ...]) -> Any:
    """What a device function returns for these types; inference asks several times."""
    key = meaning(dispatcher.py_func), arguments
    if key not in _RETURNS:
        _RETURNS[key] = _run_front_end(dispatcher.py_func, arguments).return_type
    return _RETURNS[key]


_REASON = re.compile(r"^\s*TypingError: (?!Failed in )(.+)$", re.MULTILINE)  # what an intrinsic says for itself
_ADVICE = ("This error", "During: resolving", "Enable logging", "Failed in ")


def _shortened(error: Exception, function: Any) -> str:
    """Where in the user's file, and the first lines of Numba's message, without its advice."""
    text = str(error)
    found = re.findall(r'File "([^"]+)", line (\d+)', text)
    own = [(file, line) for file, line in found if function.__code__.co_filename.endswith(file.lstrip("./"))]
    place = f"{function.__code__.co_filename}:{own[-1][1]}: " if own else ""
    if reason := _REASON.search(text):
        return f"{place}{function.__name__}: {reason[1]}"
    kept: dict[str, None] = {}
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith((*_ADVICE, "File ", "- of which", "- Of which", "^")):
            kept[line] = None
    hint = (
        "; the shape of a shared or local array is a constant: give the product a name outside"
        if ".array" in text
        else ""
    )
    return f"{place}{function.__name__}: numba cannot type it: {' '.join(list(kept)[:6])}{hint}"
