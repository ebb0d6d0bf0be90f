"""Error bounds for kernels' tolerances and checks, each with its derivation.

Notation: u is the unit roundoff of the dtype (2^-24 for float32, 2^-53 for float64).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAFETY = 8.0


def unit_roundoff(dtype: str) -> float:
    """Half the distance from 1 to the next larger number of this dtype."""
    return float(np.finfo(dtype).eps) / 2


def dot_bound(dtype: str, left: Any, right: Any) -> Any:
    """Bound on the rounding error of dot products of zero-mean data: ``8·u·‖a‖·‖b‖``.

    A sum of L products has partial sums s_1 … s_L, and every addition commits an error of at
    most u·|s_j|. Over zero-mean data |s_j| grows as √(j/L)·‖a‖‖b‖/√L, in whatever order the
    terms come, and the errors are independent with mean zero (the model of Higham and Mary,
    "A new approach to probabilistic rounding error analysis", SISC 2019). Their sum then has a
    standard deviation of at most u·√(Σ s_j²) ≈ u·‖a‖‖b‖/√2: L drops out. Eight times
    u·‖a‖‖b‖ leaves more than eleven standard deviations, for the largest of 10^8 entries too.

    ``left`` and ``right`` are the norms ‖a‖ and ‖b‖, broadcast against each other.
    """
    return SAFETY * unit_roundoff(dtype) * np.asarray(left) * np.asarray(right)


def default_bound(dtype: str, expected: NDArray[Any], reduction: int) -> Any:
    """Bound where a kernel declares none: ``8·u·(1 + √L)·(|expected| + rms(expected))``.

    L is the declared length of the longest sum; √L is the growth of independent rounding errors
    (Higham and Mary 2019). The first term is elementwise, the second normwise: an entry that
    cancels to nearly nothing still carries the error of its summands, which are of rms size.
    Of complex numbers it bounds the distance. Integers and bools are exact: 0.
    """
    if np.dtype(dtype).kind not in "fc":
        return 0.0
    finite = np.abs(expected[np.isfinite(expected)])
    rms = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
    return SAFETY * unit_roundoff(dtype) * (1 + reduction**0.5) * (np.abs(expected) + rms)


def small_integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, reduction: int) -> NDArray[Any]:
    """Integers in [-q, q] whose sums of ``reduction`` products are exact: reduction·q² < 1/(2u)."""
    q = max(1, min(8, int((0.5 / unit_roundoff(dtype) / reduction) ** 0.5)))
    return rng.integers(-q, q, endpoint=True, size=shape).astype(dtype)


@dataclass(frozen=True)
class Comparison:
    """A part of an output, or a functional of it, against what it must be within ``bound``.

    ``output`` names the array. ``index(*local)`` maps an index into ``got`` to the index into the
    output (identity when not given). ``locate(*local)`` returns a finer Comparison where ``got``
    is a functional, such as a row's product with a random vector.
    """

    output: str
    got: NDArray[Any]
    expected: NDArray[Any]
    bound: Any
    index: Callable[..., tuple[int, ...]] | None = None
    locate: Callable[..., Comparison] | None = None
    what: str = ""
