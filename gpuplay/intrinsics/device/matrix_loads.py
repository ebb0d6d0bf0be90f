"""Fragments of matrices from shared memory, a warp at a time: ``ldmatrix``. Importing this module imports numba.

PTX ISA, "Warp-level matrix load instruction: ldmatrix"; compute capability 7.5. What a fragment is:
`gpuplay.intrinsics.device.matrix_units`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types, typing
from numba.core.errors import TypingError
from numba.core.types.containers import UniTuple

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic
from gpuplay.intrinsics.device.matrix_units import A_WORDS, FLOAT, WORD, assembly, items
from gpuplay.intrinsics.device.shared_addresses import shared_address

ROW_BYTES = 16  # of a matrix: what a lane's address stands for


def _check(what: str, array: Any, index: Any, *, transposed: bool) -> None:
    """TypingError where ldmatrix cannot read the array."""
    element = getattr(array, "dtype", None)
    kinds = ("uint16", "float16") if transposed else ("uint16", "float16", "uint32", "float32")
    if getattr(array, "ndim", 0) != 1 or getattr(array, "layout", "") != "C" or str(element) not in kinds:
        raise TypingError(f"{what}: a contiguous one-dimensional array of {', '.join(kinds)}; given {array}")
    if not isinstance(index, types.Integer):
        raise TypingError(f"{what}: the index is a whole number; given {index}")


def _load_matrices(what: str, array: Any, index: Any, *, transposed: bool) -> Any:
    """The signature and the code of a load of four matrices."""
    _check(what, array, index, transposed=transposed)
    kind = types.float32 if array.dtype == types.float32 else types.uint32
    text = f"ldmatrix.sync.aligned.m8n8.x4{'.trans' if transposed else ''}.shared.b16 {{$0,$1,$2,$3}}, [$4];"

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        address = shared_address(context, builder, called.args[0], *arguments)
        result = ir.LiteralStructType([WORD] * A_WORDS)
        constraints = "=r,=r,=r,=r,r,~{memory}"
        found = assembly(builder, text, result, [address], constraints, together=True)
        words = items(builder, found, A_WORDS)
        if kind == types.float32:
            words = [builder.bitcast(word, FLOAT) for word in words]
        return context.make_tuple(builder, called.return_type, words)

    return typing.signature(UniTuple(kind, A_WORDS), array, index), generate


@intrinsic
def ldmatrix4(typingctx: Any, shared: Any, at: Any) -> Any:
    """Four 8×8 matrices of 16-bit numbers, or 8×4 of 32-bit ones, from shared memory: a register of each.

    Lane 8·m + r says where row r of matrix m begins: 16 bytes, at a multiple of 16. Lane 4·g + t gets word t of
    row g of every matrix, so that rows 0–7 and 8–15 of the left half, then of the right half, make an ``a``.
    """
    return _load_matrices("ldmatrix4", shared, at, transposed=False)


@intrinsic
def ldmatrix4_transposed(typingctx: Any, shared: Any, at: Any) -> Any:
    """`ldmatrix4` of 16-bit numbers, each matrix transposed: lane 4·g + t gets rows 2t and 2t+1 of column g.

    Rows 0–7 and 8–15 of a matrix that lies row by row make a ``b``; of two blocks of 8 columns, two of them.
    """
    return _load_matrices("ldmatrix4_transposed", shared, at, transposed=True)
