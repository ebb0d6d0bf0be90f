"""Streaming (non-temporal) stores: results that go to memory past the caches.

An ordinary store first reads the line it writes into, so that a copy moves three bytes for every two
it counts. A streaming store of a whole cache line skips that read. It pays where the output is larger
than the last cache, and costs where it would have fitted.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

LINE = 64  # bytes of a cache line, and of one streaming store


@intrinsic
def stream_line(typingctx: Any, destination: Any, start: Any, source: Any, begin: Any) -> Any:
    """Copy one line: the 64 bytes from ``source[begin]`` go to ``destination[start]`` past the caches.

    Both arrays are C-contiguous, of one dtype, indexed flat. ``destination[start]`` lies on a 64-byte
    boundary. Nothing is bounds-checked. Call `stream_fence` once after the last line of a thread.
    """
    for array in (destination, source):
        if not isinstance(array, types.Array) or array.layout != "C" or array.dtype != destination.dtype:
            raise TypingError("stream_line copies between C-contiguous arrays of one dtype")
    signature = types.void(destination, types.intp, source, types.intp)

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        line = ir.VectorType(ir.IntType(8), LINE)
        targets, first, sources, second = arguments
        places = []
        for array_type, array, index in ((called.args[0], targets, first), (called.args[2], sources, second)):
            data = context.make_array(array_type)(context, builder, array).data
            places.append(builder.bitcast(builder.gep(data, [index]), line.as_pointer()))
        store = builder.store(builder.load(places[1], align=1), places[0], align=LINE)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def stream_fence(typingctx: Any) -> Any:
    """Make this thread's streaming stores visible to the others; ordinary synchronisation does not."""

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate
