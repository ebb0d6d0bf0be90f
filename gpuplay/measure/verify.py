"""Right or wrong: outputs against the float64 reference, or against a cheaper check where they are large.

The tolerance of every element is an absolute error bound that follows from the dtype and the
length of the reduction (`gpuplay.bounds`). NaN and infinities must stand exactly where the
reference, rounded to the dtype, has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.bounds import Comparison, default_bound
from gpuplay.errors import KernelFileError
from gpuplay.results import ErrorReport, Mistake

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.catalog import Loaded
    from gpuplay.kernel import Array, Problem

FULL_REFERENCE_FLOPS = 4e9
CHUNK = 1 << 22


@dataclass(frozen=True)
class Verdict:
    """The largest errors found, and for a wrong output the reason in words."""

    error: ErrorReport
    reason: str = ""


Expected = Mapping[str, "NDArray[Any]"]
Bounds = Mapping[str, Any]


def reference(loaded: Loaded, problem: Problem, arrays: Sequence[Array], inputs: Expected) -> tuple[Expected, Bounds]:
    """The float64 reference of every output, and the bounds on its error; KernelFileError on wrong shapes."""
    kernel = loaded.kernel
    args = [_wide(inputs[array.name]) for array in arrays if array.role != "out"]
    with np.errstate(all="ignore"):
        found = loaded.call(kernel.reference, problem, *args)
        found = found if isinstance(found, tuple | list) else (found,)
        outputs = [array for array in arrays if array.role in ("out", "inout")]
        if len(found) != len(outputs):
            raise KernelFileError(
                f"kernel {kernel.name}: reference returns {len(found)} arrays for {len(outputs)} outputs"
            )
        expected = {array.name: np.asarray(value) for array, value in zip(outputs, found, strict=True)}
        for array in outputs:
            if expected[array.name].shape != array.shape:
                raise KernelFileError(
                    f"kernel {kernel.name}: reference of {array.name} has shape {expected[array.name].shape}, "
                    f"declared is {array.shape}"
                )
        if kernel.tolerance:
            bounds = loaded.call(kernel.tolerance, problem, tuple(expected.values()), *args)
            bounds = bounds if isinstance(bounds, tuple | list) else (bounds,)
        else:
            length = loaded.call(kernel.reduction, problem) if kernel.reduction else 1
            bounds = [default_bound(array.dtype or problem.dtype, expected[array.name], length) for array in outputs]
    return expected, dict(zip(expected, bounds, strict=True))


def judge_full(got: Expected, expected: Expected, bounds: Bounds, *, exact: bool, signed_zeros: bool) -> Verdict:
    """Compare every element of every output."""
    comparisons = (Comparison(name, got[name], expected[name], bounds[name]) for name in expected)
    return judge(comparisons, exact=exact, signed_zeros=signed_zeros)


def judge(comparisons: Iterable[Comparison], *, exact: bool = False, signed_zeros: bool = False) -> Verdict:
    """The first comparison that fails decides; largest errors are taken over all that passed before."""
    largest_abs = largest_rel = tolerance = 0.0
    for comparison in comparisons:
        worst = _compare(comparison, exact=exact, signed_zeros=signed_zeros)
        if worst.index is not None:
            finer = comparison.locate(*worst.index) if comparison.locate else None
            if (
                finer is not None
                and (found := _compare(finer, exact=exact, signed_zeros=signed_zeros)).index is not None
            ):
                comparison, worst = finer, found
            return _wrong(comparison, worst)
        largest_abs, largest_rel = max(largest_abs, worst.abs), max(largest_rel, worst.rel)
        tolerance = max(tolerance, worst.bound)
    return Verdict(ErrorReport(largest_abs, largest_rel, tolerance))


@dataclass(frozen=True)
class _Worst:
    abs: float
    rel: float
    bound: float
    index: tuple[int, ...] | None = None
    count: int = 0


def _compare(comparison: Comparison, *, exact: bool, signed_zeros: bool) -> _Worst:
    """The largest errors of a comparison, and the worst index if any element is out of bounds."""
    got, expected = comparison.got.reshape(-1), comparison.expected.reshape(-1)
    shape = comparison.got.shape
    bound = np.broadcast_to(np.asarray(0.0 if exact else comparison.bound), shape)
    largest_abs = largest_rel = largest_bound = excess = 0.0
    index, count = None, 0
    bound_flat = bound.reshape(-1) if bound.ndim and bound.strides != (0,) * bound.ndim else None
    for start in range(0, got.size, CHUNK):
        part = slice(start, start + CHUNK)
        limit = bound_flat[part] if bound_flat is not None else (float(bound.flat[0]) if bound.size else 0.0)
        errors, relative, bad = _errors(got[part], expected[part], limit, signed_zeros=signed_zeros)
        largest_abs, largest_rel = max(largest_abs, errors.max()), max(largest_rel, relative.max())
        largest_bound = max(largest_bound, float(np.max(limit)))
        count += int(bad.sum())
        if bad.any():
            with np.errstate(all="ignore"):
                over = np.where(bad, np.where(np.isfinite(errors), errors / (limit + 1e-300), np.inf), -1.0)
            if over.max() > excess:
                excess, index = float(over.max()), start + int(over.argmax())
    where = None if index is None else tuple(int(i) for i in np.unravel_index(index, shape))
    return _Worst(float(largest_abs), float(largest_rel), largest_bound, where, count)


def _errors(got: Any, expected: Any, limit: Any, *, signed_zeros: bool) -> tuple[Any, Any, Any]:
    """Absolute errors, relative errors and a mask of elements out of bounds."""
    with np.errstate(all="ignore"):
        if got.dtype.kind != "f":
            errors = np.abs(got.astype(np.float64) - expected)
            return errors, errors / np.maximum(np.abs(expected), 1), errors > limit
        special = ~np.isfinite(expected.astype(got.dtype)) | ~np.isfinite(got)
        errors = np.abs(got.astype(np.float64) - expected)
        bad = errors > limit
        if special.any():
            rounded = expected.astype(got.dtype)
            same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
            errors = np.where(special, np.where(same, 0.0, np.inf), errors)
            bad = np.where(special, ~same, bad)
        if signed_zeros:
            bad |= (expected == 0) & (got == 0) & (np.signbit(got) != np.signbit(expected))
        relative = np.where(expected != 0, errors / np.abs(expected), 0.0)
        relative = np.where(np.isfinite(relative), relative, 0.0)
    return errors, relative, bad


def _wrong(comparison: Comparison, worst: _Worst) -> Verdict:
    assert worst.index is not None
    index = comparison.index(*worst.index) if comparison.index else worst.index
    got, expected = float(comparison.got[worst.index]), float(comparison.expected[worst.index])
    at = Mistake(comparison.output, tuple(int(i) for i in index), _shown(got), _shown(expected))
    bound = float(np.broadcast_to(np.asarray(comparison.bound), comparison.got.shape)[worst.index])
    finite = bool(np.isfinite(worst.abs))
    report = ErrorReport(worst.abs if finite else None, worst.rel if finite else None, bound, at)
    place = f"{comparison.output}[{', '.join(map(str, index))}]"
    what = f" ({comparison.what})" if comparison.what else ""
    reason = f"{place} is {got:.6g}, expected {expected:.6g}{what}"
    return Verdict(report, reason)


def _shown(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.float64) if values.dtype.kind == "f" else values
