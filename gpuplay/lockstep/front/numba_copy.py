"""What numba's own CUDA copy, which the base install has, lacks of numba-cuda for typing GPU functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def complete() -> None:
    """Give the copy ``cuda.literal_unroll``, and ``alignment`` to ``cuda.shared.array`` and ``cuda.local.array``.

    An array's type does not depend on its alignment; what the machine makes of it stands in
    `gpuplay.lockstep.words.numba.arrays`.
    """
    from numba import cuda, literal_unroll
    from numba.cuda import cudadecl

    cuda.literal_unroll = literal_unroll
    plain = cudadecl.Cuda_array_decl.generic

    def generic(template: Any) -> Callable[..., Any]:
        typer = plain(template)

        def with_alignment(shape: Any, dtype: Any, alignment: Any = None) -> Any:  # noqa: ARG001
            return typer(shape, dtype)

        return with_alignment

    cudadecl.Cuda_array_decl.generic = generic
