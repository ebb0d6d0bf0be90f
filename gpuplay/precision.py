"""The formats in which a variant may keep and multiply numbers beside the problem's own, and how exact they are.

Part of the kernel contract, and like it free of numba and numpy at import.

A variant that keeps its inputs in fewer bits (``storage``), or rounds them on the way into its products
(``compute``), is held to the kernel's error bounds with the unit roundoff of these bits in the place of the
dtype's own. For a dot product that is ample: two factors rounded by δ each change Σ aᵢ·bᵢ by at most
2δ·Σ|aᵢ·bᵢ| <= 2δ·‖a‖·‖b‖ (Cauchy and Schwarz), a quarter of the 8δ·‖a‖·‖b‖ of `gpuplay.bounds.dot_bound`.
Whole numbers that a format holds are not rounded at all, so exact probes stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


def growth(formats: tuple[str, ...], dtype: str) -> float:
    """How many times the error bounds of ``dtype`` numbers need that pass through these formats; '' is none."""
    known = [UNIT_ROUNDOFF[name] for name in formats if name]
    own = UNIT_ROUNDOFF.get(dtype)
    return max([1.0, *(roundoff / own for roundoff in known)]) if own else 1.0


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
