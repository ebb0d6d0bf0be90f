"""Functions that the special-function unit computes by one instruction, less accurately. Imports numba.

On the lockstep machine they are the exact function, rounded: errors that only the hardware makes do not show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import config, types, typing
from numba.core.errors import TypingError

from gpuplay.intrinsics.device.gpu_intrinsic import intrinsic


@intrinsic
def fast_reciprocal(typingctx: Any, x: Any) -> Any:
    """1/x of a float32, to a unit in the last place (PTX ISA, "rcp"), denormals counting as zero; of a float64 exact.

    A division of float32 that is rounded correctly takes ten instructions, and a branch for extreme quotients.
    """
    if x == types.float64:

        def divide(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
            return builder.fdiv(ir.Constant(ir.DoubleType(), 1.0), *arguments)

        return typing.signature(x, x), divide
    return _instruction("fast_reciprocal", "rcp.approx.ftz.f32", x)


def _instruction(what: str, text: str, x: Any) -> Any:
    """The signature and the code of an instruction from float32 to float32."""
    if x != types.float32:
        raise TypingError(f"{what}: a float32; given {x}")

    def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()])
        return builder.call(ir.InlineAsm(kind, f"{text} $0, $1;", "=f,f"), arguments)

    return typing.signature(types.float32, x), generate


@intrinsic
def fast_tanh(typingctx: Any, x: Any) -> Any:
    """The tanh of a float32, with a relative error of up to 2⁻¹¹ (PTX ISA, "tanh"); capability 7.5 and later."""
    return _instruction("fast_tanh", "tanh.approx.f32", x)


@intrinsic
def fast_exp2(typingctx: Any, x: Any) -> Any:
    """2ˣ of a float32, with a relative error of up to 2⁻²² (PTX ISA, "ex2"); denormals in and out count as zero."""
    return _instruction("fast_exp2", "ex2.approx.ftz.f32", x)


if config.ENABLE_CUDASIM:  # on Numba's simulator GPU functions are Python, and have the exact functions in their place
    fast_tanh, fast_exp2 = np.tanh, np.exp2

    def fast_reciprocal(x: Any) -> Any:
        """1/x, in the type of ``x``."""
        return type(x)(1) / x
