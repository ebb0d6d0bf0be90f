"""The formats in which a variant may keep and multiply numbers beside the problem's own, and how exact they are.

Part of the kernel contract, and like it free of numba and numpy at import.

A variant that keeps its inputs in fewer bits (``storage``), or rounds them on the way into its products
(``compute``), is held to the kernel's error bounds times `growth`. Whole numbers that a format holds are not
rounded at all, so exact probes stay exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ITEMSIZE = {
    "float16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
}
"""Bytes of an element of every dtype that arrays may have."""

DTYPES = ", ".join(ITEMSIZE)

# Half the distance from 1 to the next larger number: 2^-p for p bits of significand, the hidden one counted.
# tfloat32x3 splits a float32 in two tfloat32, high + low. A product lacks low·low, 2^-22 of it, and what is cut off
# both lows, 2^-21 each: 20 roundoffs of float32. With the 8 of a float32 sum 28, 3.5 times as many.
UNIT_ROUNDOFF = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "tfloat32x3": 3.5 * 2.0**-24,
    "float16": 2.0**-11,
    "tfloat32": 2.0**-11,
    "bfloat16": 2.0**-8,
}
STORED_AS = {"bfloat16": "uint16"}
"""The dtype that holds the bits of a storage format that NumPy does not have."""

CUT_OFF = 4.0
"""How many times its bound a sum needs whose partial sums are cut off instead of rounded."""

AS_EXACT_AS_THE_PROBLEM = ("tfloat32x3",)
SHOWN = {"tfloat32x3": "3×tfloat32"}


@dataclass(frozen=True)
class Formats:
    """In what a variant keeps what it reads, what its products' factors and its sums are; '' the problem's dtype."""

    storage: str = ""
    compute: str = ""
    accumulate: str = ""

    @property
    def precision(self) -> str:
        """The format that numbers are rounded to, '' where none is coarser than the problem's dtype.

        Only variants of one precision are compared with each other.
        """
        coarse = {self.storage, self.compute} - {"", *AS_EXACT_AS_THE_PROBLEM}
        return max(coarse, key=UNIT_ROUNDOFF.__getitem__, default="")

    @property
    def label(self) -> str:
        """The same in a word for a table's head; also where numbers are as exact as the problem's."""
        name = self.precision or self.compute
        return SHOWN.get(name, name)

    @property
    def text(self) -> str:
        """In words: 'stores bfloat16, accumulates float32'; '' where all is the problem's dtype."""
        compute = "" if self.compute == self.storage else SHOWN.get(self.compute, self.compute)
        parts = (f"stores {self.storage}" if self.storage else "", compute)
        said = ", ".join(part for part in parts if part)
        return f"{said}, accumulates {self.accumulate}" if said and self.accumulate else said


def growth(formats: Formats, dtype: str, length: int = 1) -> float:
    """How many times the error bounds of ``dtype`` sums of ``length`` products a variant in these formats needs.

    Over a dot product's bound, 8·u·‖a‖·‖b‖ (`gpuplay.bounds.dot_bound`), two things grow:

    - Factors rounded by δ change Σ aᵢ·bᵢ by Σ εᵢ·aᵢ·bᵢ with |εᵢ| <= 2δ. The εᵢ know nothing of one another and the
      products have mean zero, hence the sum grows like 2δ·√(Σ (aᵢ·bᵢ)²) ≈ 2δ·‖a‖·‖b‖/√L. Eight times that is
      more than 2δ·Σ|aᵢ·bᵢ|, all that there can be, up to L = 64, and from there on more than fifteen standard
      deviations; where factors are cut off instead of rounded, their common share stays below δ·|Σ aᵢ·bᵢ| a factor.
    - Matrix units cut sums off instead of rounding them, 2u at every step of 4 products or more and always toward
      zero, so that the errors add up: at most 2u·(L/4)·‖a‖·‖b‖/√L, within 32u·‖a‖·‖b‖ up to L = 4096; from 16
      products a step on, as the later units take them, up to 65536.

    Never more than the ratio of the roundoffs, which by Cauchy and Schwarz is ample whatever the data:
    2δ·Σ|aᵢ·bᵢ| <= 2δ·‖a‖·‖b‖, a quarter of 8δ·‖a‖·‖b‖.
    """
    own = UNIT_ROUNDOFF.get(dtype)
    if own is None:
        return 1.0
    factors = max((UNIT_ROUNDOFF[name] for name in (formats.storage, formats.compute) if name), default=0.0) / own
    return max(1.0, min(factors, CUT_OFF + 2 * factors / math.sqrt(length)))


def stored(values: Any, storage: str) -> Any:
    """Floating values rounded to a storage format, to nearest and ties to even, as the array that holds their bits.

    bfloat16 is the upper half of a float32: 8 bits of exponent, 7 of fraction. A NaN stays one.
    """
    import numpy as np

    assert storage == "bfloat16", storage
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)
    quiet = bits >> np.uint32(16) | np.uint32(0x40)
    nan = (bits & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
    return np.where(nan, quiet, rounded).astype(np.uint16)
