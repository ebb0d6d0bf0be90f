"""Right or wrong: outputs against the float64 reference, or against a cheaper check where they are large.

The tolerance of every element is an absolute error bound that follows from the dtype and the
length of the reduction (`gpuplay.bounds`). NaN and infinities must stand exactly where the
reference, rounded to the dtype, has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.bounds import Comparison, default_bound
from gpuplay.errors import KernelFileError
from gpuplay.measure.causes import edge_cause, likely_cause
from gpuplay.results.result import ErrorReport, Mistake

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Array, Problem
    from gpuplay.measure.poison import Poison

LARGE_FLOPS = 4e9
LARGE_OUTPUTS = 1 << 22
CHUNK = 1 << 22
WHOLE = "iub"  # kinds of dtypes whose differences may wrap round


@dataclass(frozen=True)
class Verdict:
    """The largest errors found, and for a wrong output the reason in words.

    ``foul`` where the reason is no output, but what a run broke besides: memory that is not its own, or an input.
    """

    error: ErrorReport
    reason: str = ""
    foul: bool = False


@dataclass(frozen=True)
class Rule:
    """How to judge: equality on ``exact``, signs of zeros on ``signed_zeros``; for causes shapes, knobs and poison.

    ``growth`` multiplies all bounds: a variant's own, by its arithmetic and its precision.
    """

    exact: bool = False
    growth: float = 1.0
    signed_zeros: bool = False
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    knobs: Mapping[str, int] = field(default_factory=dict)
    poison: Mapping[str, Poison] = field(default_factory=dict)


Expected = Mapping[str, "NDArray[Any]"]
Bounds = Mapping[str, Any]


def is_large(flops: float, outputs: int) -> bool:
    """Whether the full float64 reference of this many flops and output elements would cost more than the timed work."""
    return flops > LARGE_FLOPS or outputs > LARGE_OUTPUTS


def reference(loaded: Loaded, problem: Problem, arrays: Sequence[Array], inputs: Expected) -> tuple[Expected, Bounds]:
    """The float64 reference of every output, and the bounds on its error; KernelFileError on wrong shapes."""
    kernel = loaded.kernel
    args = [_wide(inputs[array.name]) for array in arrays if array.role != "out"]
    with np.errstate(all="ignore"):
        found = loaded.call(kernel.reference, problem, *args)
        if found is None:
            raise KernelFileError(f"kernel {kernel.name}: reference returned nothing; return what the output should be")
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
            fresh = [_wide(inputs[array.name]) for array in arrays if array.role != "out"]
            bounds = loaded.call(kernel.tolerance, problem, tuple(expected.values()), *fresh)
            bounds = bounds if isinstance(bounds, tuple | list) else (bounds,)
        else:
            length = loaded.call(kernel.reduction, problem) if kernel.reduction else 1
            bounds = [default_bound(array.dtype or problem.dtype, expected[array.name], length) for array in outputs]
        if len(bounds) != len(outputs):
            raise KernelFileError(
                f"kernel {kernel.name}: tolerance returns {len(bounds)} bounds for {len(outputs)} outputs"
            )
        for array, bound in zip(outputs, bounds, strict=True):
            sound = np.isfinite(bound) & (np.asarray(bound) >= 0)
            if not np.all(sound | ~np.isfinite(expected[array.name])):
                raise KernelFileError(f"kernel {kernel.name}: tolerance of {array.name} is NaN, infinite or below 0")
    return expected, dict(zip(expected, bounds, strict=True))


def whole(got: Expected, expected: Expected, bounds: Bounds) -> Iterator[Comparison]:
    """Every element of every output as a Comparison."""
    return (Comparison(name, got[name], expected[name], bounds[name]) for name in expected)


def judge(comparisons: Iterable[Comparison], rule: Rule) -> Verdict:
    """The first comparison that fails decides; largest errors are taken over all that passed before."""
    largest_abs = largest_rel = tolerance = 0.0
    compared = dict.fromkeys(rule.shapes, 0)
    for comparison in comparisons:
        if comparison.got.shape != comparison.expected.shape:
            shapes = f"got has shape {comparison.got.shape}, expected {comparison.expected.shape}"
            raise KernelFileError(f"check of {comparison.output}: {shapes}")
        compared[comparison.output] = compared.get(comparison.output, 0) + comparison.got.size
        worst = _compare(comparison, rule)
        if worst.index is not None:
            return _wrong(comparison, worst, rule)
        largest_abs, largest_rel = max(largest_abs, worst.abs), max(largest_rel, worst.rel)
        tolerance = max(tolerance, worst.bound)
    for name, count in compared.items():
        if not count and 0 not in rule.shapes.get(name, ()):
            raise KernelFileError(f"check compares nothing of {name}: yield a Comparison of every output")
    return Verdict(ErrorReport(largest_abs, largest_rel, tolerance))


@dataclass(frozen=True)
class _Worst:
    abs: float
    rel: float
    bound: float
    index: tuple[int, ...] | None = None


def _compare(comparison: Comparison, rule: Rule) -> _Worst:
    """The largest errors of a comparison, and the worst index if any element is out of bounds."""
    got, expected = comparison.got.reshape(-1), comparison.expected.reshape(-1)
    limits = _limits(comparison, rule)
    largest_abs = largest_rel = largest_bound = 0.0
    excess, index = -1.0, None
    for start in range(0, got.size, CHUNK):
        part = slice(start, start + CHUNK)
        limit = limits[part] if limits.ndim else limits
        errors, relative, bad = _errors(got[part], expected[part], limit, signed_zeros=rule.signed_zeros)
        largest_abs, largest_rel = max(largest_abs, float(errors.max())), max(largest_rel, float(relative.max()))
        largest_bound = max(largest_bound, float(np.max(limit)))
        if bad.any():
            over = np.where(bad, np.nan_to_num(errors / (limit + 1e-300), nan=np.inf), -1.0)
            if over.max() > excess:
                excess, index = float(over.max()), start + int(over.argmax())
    where = None if index is None else tuple(int(i) for i in np.unravel_index(index, comparison.got.shape))
    return _Worst(largest_abs, largest_rel, largest_bound, where)


def _limits(comparison: Comparison, rule: Rule) -> NDArray[Any]:
    """The bounds as a scalar, or flat beside the flat output."""
    bound = np.asarray(0.0 if rule.exact else np.multiply(comparison.bound, rule.growth), dtype=np.float64)
    return np.broadcast_to(bound, comparison.got.shape).reshape(-1) if bound.ndim else bound


def _errors(got: Any, expected: Any, limit: Any, *, signed_zeros: bool) -> tuple[Any, Any, Any]:
    """Absolute errors, relative errors and a mask of elements out of bounds."""
    with np.errstate(all="ignore"):
        errors = _distance(got, expected)
        bad = ~(errors <= limit)
        size = np.abs(expected).astype(np.float64)
        if not np.isfinite(errors.max(initial=0.0)) or size.max(initial=0.0) > np.finfo(np.float32).max:
            special = ~np.isfinite(expected.astype(got.dtype)) | ~np.isfinite(got)
            rounded = expected.astype(got.dtype)
            same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
            errors = np.where(special, np.where(same, 0.0, np.inf), errors)
            bad = np.where(special, ~same, bad)
        if signed_zeros and got.dtype.kind == "f":
            bad |= (expected == 0) & (got == 0) & (np.signbit(got) != np.signbit(expected))
        np.maximum(size, np.finfo(np.float64).tiny, out=size)
        relative = np.where((expected != 0) & np.isfinite(errors), errors / size, 0.0)
    return errors, relative, bad


def _distance(got: Any, expected: Any) -> Any:
    """How far numbers are apart. Whole ones that are not equal are at least 1 apart, whatever their dtypes hold."""
    if got.dtype.kind in WHOLE and expected.dtype.kind in WHOLE:
        apart = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        return np.where(got == expected, 0.0, np.maximum(apart, 1.0))
    return np.abs(got - expected)


def _wrong(comparison: Comparison, worst: _Worst, rule: Rule) -> Verdict:
    """The verdict on a failed comparison: the exact element where it can be located, and the likely cause."""
    assert worst.index is not None
    if comparison.locate:
        finer = comparison.locate(*worst.index)
        found = _compare(finer, rule)
        if found.index is not None:
            return _wrong(finer, found, rule)
    here = worst.index
    index = tuple(int(i) for i in (comparison.index(*here) if comparison.index else here))
    got, expected = _number(comparison.got[here]), _number(comparison.expected[here])
    limits = _limits(comparison, rule)
    bound = float(limits.reshape(comparison.got.shape)[here] if limits.ndim else limits)
    finite = bool(np.isfinite(worst.abs))
    at = Mistake(comparison.output, index, _shown(got), _shown(expected))
    report = ErrorReport(worst.abs if finite else None, worst.rel if finite else None, bound, at)
    place = f"{comparison.output}[{', '.join(map(str, index))}] is {_text(got)}, expected {_text(expected)}"
    clauses = [place, comparison.what, _cause(comparison, index, rule)]
    return Verdict(report, "; ".join(clause for clause in clauses if clause))


def _cause(comparison: Comparison, index: tuple[int, ...], rule: Rule) -> str:
    shape = rule.shapes.get(comparison.output, comparison.got.shape)
    if comparison.index is None and comparison.got.shape == shape:
        limits = _limits(comparison, rule)
        limits = limits.reshape(shape) if limits.ndim else limits
        return likely_cause(
            comparison.got,
            _errors(comparison.got, comparison.expected, limits, signed_zeros=rule.signed_zeros)[2],
            rule.knobs,
            rule.poison.get(comparison.output),
        )
    return edge_cause(shape, index, rule.knobs) if len(index) == len(shape) else ""


def _number(value: Any) -> complex:
    """A number of an output: whole ones to the last digit."""
    found: complex = value.item()
    return found


def _text(value: complex) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _shown(value: complex) -> float | str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return value if np.isfinite(value) else str(value)


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    """A copy of inputs, floats and complex numbers in double precision."""
    wide = {"f": np.float64, "c": np.complex128}.get(values.dtype.kind)
    return values.astype(wide) if wide else values.copy()
