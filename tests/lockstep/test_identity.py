"""GPU functions that a builder makes anew share their translation exactly where they mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import cuda

from gpuplay.lockstep.front.identity import meaning
from gpuplay.lockstep.machine import LockstepMachine


def scaled(factor: Any, offset: Any = 0) -> Callable[..., None]:
    def by_factor(y, x):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < y.size:
            y[i] = x[i] / factor + offset

    return by_factor


def with_default(default: Any) -> Callable[..., None]:
    def shifted(y, x, by=default):  # type: ignore[no-untyped-def]
        y[0] = x[0] + by

    return shifted


@pytest.mark.parametrize("factor", [3, 0.5, np.float32(3), (1, 2.0), "text", None])
def test_functions_over_equal_values_mean_the_same(factor: Any) -> None:
    again = tuple(factor) if isinstance(factor, tuple) else factor
    assert meaning(scaled(factor)) == meaning(scaled(again))
    assert hash(meaning(scaled(factor))) == hash(meaning(scaled(again)))


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0.0, -0.0), (np.float32(2), np.float64(2)), ((1, 2), (1.0, 2)), ([1], [1]), (2, 3)],
    ids=str,
)
def test_values_that_compile_differently_mean_different_functions(one: Any, other: Any) -> None:
    assert meaning(scaled(one)) != meaning(scaled(other))
    assert meaning(with_default(one)) != meaning(with_default(other))


def through_device(factor: Any, **options: bool) -> Callable[..., None]:
    times = cuda.jit(device=True, **options)(scaled(factor))

    def by_device(y, x):  # type: ignore[no-untyped-def]
        times(y, x)

    return by_device


def test_device_functions_that_are_closed_over_count_by_what_they_mean() -> None:
    assert meaning(through_device(3)) == meaning(through_device(3))
    assert meaning(through_device(3)) != meaning(through_device(4))
    assert meaning(through_device(3)) != meaning(through_device(3, forceinline=True))


def test_a_function_that_closes_over_itself_has_a_meaning() -> None:
    def around() -> Callable[..., None]:
        @cuda.jit(device=True)
        def again(y, x):  # type: ignore[no-untyped-def]
            again(y, x)

        return again.py_func  # type: ignore[no-any-return]

    once = around()
    assert meaning(once) == meaning(once)


def test_functions_of_other_code_mean_different_things() -> None:
    assert meaning(scaled(2)) != meaning(with_default(2))


def test_the_machine_keeps_functions_with_other_constants_apart() -> None:
    x = np.arange(5, dtype=np.float32)
    for factor, offset in ((2, 0), (4, 0), (2, 1), (2.0, 0)):
        y = np.zeros(5, np.float64)
        LockstepMachine().launch(cuda.jit(scaled(factor, offset)), 1, 32, y, x)
        assert np.array_equal(y, x.astype(np.float64) / factor + offset)
