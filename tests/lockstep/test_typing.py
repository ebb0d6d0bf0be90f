"""Expressions over five types and literals have on the lockstep machine the type and value of compiled code.

The truth is the same expression compiled by Numba for the host with CUDA's error model: it stands for the
CUDA compiler, which types by the same rules (numba/core/typing/builtins.py, and a copy of it in numba-cuda)
and lowers operators by the same code. Where CUDA's own rules differ, ``CUDA_TYPES`` says how.
"""

from __future__ import annotations

import linecache
import math
from typing import Any

import numpy as np
import pytest
from numba import cuda, njit, types
from numba.np.numpy_support import as_dtype, from_dtype
from proofs.scalars import same

from gpuplay.lockstep.front.inference import infer
from gpuplay.lockstep.machine import LockstepMachine

ROUNDED = (
    *("math.sqrt(i)", "math.exp(f)", "math.log(d)", "math.hypot(f, d)", "math.tanh(f)"),
    *("f ** 0.5", "d ** f", "math.pow(f, 3)", "math.floor(f / 3)"),
)
EXACT = (
    # integers: 64 bits as soon as there is an operator; signed wins
    *("i + i", "i + 1", "i * j", "u + u", "u - 1", "2 - u", "j - u", "i * i * i * i * i * i * i", "u * u", "True + i"),
    *("(i > 0) + (j > 0)", "np.int32(i * 2000000000)", "np.int8(j) + 1", "np.uint8(j)"),
    # division, remainder and powers, by zero too
    *("i // 3", "i % 3", "j // i", "j % i", "u // 7", "j % u", "i // (j - j)", "u % (u - u)", "divmod(i, -4)[1]"),
    *("i / 2", "i / j", "u / 3", "i / (j - j)", "i ** 2", "i ** 3", "2 ** (u % 9)", "f ** 2", "f ** 3", "d ** -2"),
    # bits
    *("-i", "-u", "~i", "~u", "i << 2", "u << 30", "i >> 1", "u >> 1", "i & 7", "u | 1", "i ^ u", "(i > 0) & (f > 0)"),
    # floats: a literal is float64, an integer of 32 bits too wide for float32
    *("f + 1", "f + i", "f * 2", "f * 2.0", "f + d", "f * np.float32(2)", "f + f * f", "f / 2", "1 / f", "f / (f - f)"),
    *("i * 0.5", "u * 0.5", "np.float32(i) * f", "f + np.int16(3)", "-f", "+d"),
    *("f // 2", "f % 2", "d // f", "d % -2.5", "d // 0", "d % 0"),
    # comparisons and truth
    *("i < u", "u < j", "f < d", "i == f", "f != f", "not i", "not f", "i > 0 and f", "i or j", "2 < i < 9"),
    # conversions
    *("int(f)", "int(d)", "float(i)", "bool(f)", "np.int32(d)", "np.float32(j)", "np.uint32(i)", "np.float32(d)"),
    # functions, choices
    *("abs(i)", "abs(f)", "min(i, j)", "max(f, d)", "min(i, f, j)", "round(f)", "math.fabs(f)", "math.copysign(f, d)"),
    *("math.sqrt(f)", "f if i > 0 else d", "i if f > 0 else 2.5", "i if f > 0 else u", "u if f > 0 else 7"),
    *("math.floor(f)", "math.ceil(d)", "math.trunc(f)", "math.floor(i)"),
)
CUDA_TYPES = {
    # cudamath.py: to a float of the argument's width, where the host gives int64
    "math.floor(f)": types.float32,
    "math.ceil(d)": types.float64,
    "math.trunc(f)": types.float32,
    "math.floor(i)": types.float64,
    "math.floor(f / 3)": types.float64,
}
VARIABLES = {
    "i": np.array([0, 1, -1, 5, -7, 9, 2**31 - 1, -(2**31), 12345, -2], np.int32),
    "j": np.array([3, -1, 4, -5, 2**62, 7, -(2**63) + 1, 2**31, 11, -9], np.int64),
    "u": np.array([1, 2**32 - 1, 7, 2**31, 3, 8, 5, 100, 2**16, 6], np.uint32),
    "f": np.array([0.5, -1.5, 2.5, -0.0, 3.25, 1e-3, 7.75, -100.5, 0.1, 1e6], np.float32),
    "d": np.array([1.5, 2.0, 0.1, 3.5, 1e-3, 1e9, 2.25, 7.0, 0.7, 123.456], np.float64),
}
SIGNATURE = tuple(from_dtype(values.dtype) for values in VARIABLES.values())


def source(name: str, text: str) -> Any:
    """A function of generated source that tracebacks and the machine can show."""
    namespace: dict[str, Any] = {"cuda": cuda, "math": math, "np": np}
    filename = f"<{name}>"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    exec(compile(text, filename, "exec"), namespace)
    return namespace["function"]


def on_the_host(expression: str) -> tuple[Any, list[Any]]:
    """The type of an expression and its values, as compiled for the host."""
    function = njit(error_model="numpy")(source(expression, f"def function(i, j, u, f, d):\n    return {expression}\n"))
    values = [function(*row) for row in zip(*VARIABLES.values(), strict=True)]
    return function.nopython_signatures[0].return_type, values


def on_the_machine(expression: str) -> tuple[Any, np.ndarray]:
    """The type that the CUDA rules infer for an expression, and its values on the lockstep machine."""
    inferred = infer(source(expression, f"def function(i, j, u, f, d):\n    return {expression}\n"), SIGNATURE)
    loads = "\n".join(f"    {name} = {name}{name}[t]" for name in VARIABLES)
    parameters = ", ".join(f"{name}{name}" for name in VARIABLES)
    text = f"def function(out, {parameters}):\n    t = cuda.grid(1)\n{loads}\n    out[t] = {expression}\n"
    out = np.zeros(10, as_dtype(inferred.returns))
    machine = LockstepMachine(check_types=True, keep_going=True)
    machine.launch(cuda.jit(source(f"{expression} on CUDA", text)), 2, 5, out, *VARIABLES.values())
    assert {fault.kind for fault in machine.report.faults} <= {"division"}  # by zero: reported, and 0 by Numba's code
    return inferred.returns, out


@pytest.mark.parametrize("expression", EXACT + ROUNDED)
def test_an_expression_has_the_type_and_the_value_of_compiled_code(expression: str) -> None:
    host_type, truth = on_the_host(expression)
    cuda_type, values = on_the_machine(expression)
    assert cuda_type == CUDA_TYPES.get(expression, host_type)
    expected = np.array(truth, values.dtype)
    equal = same(values, expected)
    if expression in CUDA_TYPES:
        equal |= values == expected  # the host's integer has no negative zero
    if expression in ROUNDED:
        equal |= np.isclose(values, expected, rtol=4 * np.finfo(values.dtype).eps, atol=0)
    assert equal.all(), (values[~equal], expected[~equal])


def test_a_literal_makes_float64_of_float32_and_a_typed_one_does_not() -> None:
    assert on_the_machine("f * 2.0")[0] == types.float64
    assert on_the_machine("f * 2")[0] == types.float64
    assert on_the_machine("f * np.float32(2)")[0] == types.float32
    assert on_the_machine("f + np.int16(3)")[0] == types.float32
    assert on_the_machine("f ** 2")[0] == types.float32


def test_uniform_scalars_are_typed_like_elements() -> None:
    @cuda.jit
    def scaled(out, x, factor, count):
        t = cuda.grid(1)
        total = x[t]
        for _ in range(count):
            total = total * factor
        out[t] = total

    x, out = np.ones(32, np.float32), np.zeros(32, np.float64)
    LockstepMachine(check_types=True).launch(scaled, 1, 32, out, x, np.float32(0.1), np.int32(3))
    assert (out == np.float32(0.1) * np.float32(0.1) * np.float32(0.1)).all()
    LockstepMachine(check_types=True).launch(scaled, 1, 32, out, x, 0.1, 3)
    assert (out == 0.1 * 0.1 * 0.1).all()
