"""Bits that no run writes by accident: what fills elements nobody has written yet, and the zones around arrays.

Elements are poisoned with *signalling* NaNs where they are floats. Loads, stores and copies leave such a NaN as it is,
and any arithmetic makes a quiet one of it: so an element that nobody touched, one that was computed from such an
element, and a NaN that was computed of numbers can be told apart afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of a float of so many bytes: all bits of the exponent with a payload that is no sign of anything else, and the bit
# that tells a quiet NaN from a signalling one.
SIGNALLING = {2: 0x7DA5, 4: 0x7FA5A5A5, 8: 0x7FF5A5A5A5A5A5A5}
QUIET = {2: 0x0200, 4: 0x0040_0000, 8: 0x0008_0000_0000_0000}
PAYLOADS = 256  # patterns that differ in their last bits
NEAR, FAR = 2.0**8, 2.0**12  # magnitudes of the numbers around an input: above most data, squares far from infinity


@dataclass(frozen=True)
class Poison:
    """One pattern for the elements of a dtype; another ``number`` gives other bits.

    Where elements pass through other formats on their way back (``kept`` is False), signalling NaNs come back quiet.
    """

    dtype: str
    number: int = 0
    kept: bool = True

    def fill(self, count: int) -> NDArray[Any]:
        """So many poisoned elements."""
        dtype = np.dtype(self.dtype)
        if parts := _float_parts(dtype):
            return np.full(count * parts, self._signalling(dtype), self._bits(dtype)).view(dtype)
        byte = 0xA5 ^ (self.number % PAYLOADS)
        return np.full(count * dtype.itemsize, byte & 1 if dtype.kind == "b" else byte, np.uint8).view(dtype)

    def untouched(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which elements are as they were filled. Of whole numbers it may be a value: two patterns tell."""
        bits, pattern = self._parts(values), self._parts(self.fill(1))
        same = bits == pattern
        if not self.kept and is_float(self.dtype):
            same |= bits == pattern | QUIET[bits.dtype.itemsize]
        touched: NDArray[np.bool_] = same.all(axis=1).reshape(values.shape)
        return touched

    def derived(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which floats are what arithmetic makes of elements poisoned with any number; none of other dtypes."""
        if not (self.kept and is_float(self.dtype)):
            return np.zeros(values.shape, np.bool_)
        bits = self._parts(values)
        quiet = (SIGNALLING[bits.dtype.itemsize] | QUIET[bits.dtype.itemsize]) & ~(PAYLOADS - 1)
        found: NDArray[np.bool_] = (bits & ~bits.dtype.type(PAYLOADS - 1) == quiet).any(axis=1).reshape(values.shape)
        return found

    def _parts(self, values: NDArray[Any]) -> NDArray[Any]:
        """The bits of elements, a row for each: of a float one number, of others their bytes."""
        flat = np.ascontiguousarray(values).reshape(-1)
        if parts := _float_parts(flat.dtype):
            return flat.view(self._bits(flat.dtype)).reshape(-1, parts)
        return flat.view(np.uint8).reshape(flat.size, flat.dtype.itemsize)

    def _signalling(self, dtype: np.dtype[Any]) -> int:
        return SIGNALLING[dtype.itemsize // _float_parts(dtype)] ^ (self.number % PAYLOADS)

    @staticmethod
    def _bits(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(f"u{dtype.itemsize // _float_parts(dtype)}")


def numbers(dtype: str, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Elements for the zones around an input: finite, of both signs, none like another, and seldom like a datum."""
    kind: np.dtype[Any] = np.dtype(dtype)
    drawn: NDArray[Any]
    if kind.kind == "b":
        return rng.integers(0, 2, count).astype(kind)
    if parts := _float_parts(kind):
        drawn = rng.uniform(NEAR, FAR, count * parts) * rng.choice([-1.0, 1.0], count * parts)
        return drawn.astype(f"f{kind.itemsize // parts}").view(kind)
    if kind.kind in "iu":
        most = min(int(np.iinfo(kind).max), int(FAR))
        return rng.integers(0 if kind.kind == "u" else -most, most, count, endpoint=True).astype(kind)
    return rng.integers(0, 256, count * kind.itemsize, dtype=np.uint8).view(kind)


def is_float(dtype: str) -> bool:
    """Whether an element is made of floats, so that poison is no value of its own."""
    return bool(_float_parts(np.dtype(dtype)))


def _float_parts(dtype: np.dtype[Any]) -> int:
    """Floats of an element: two of a complex number; 0 of other dtypes."""
    parts = {"f": 1, "c": 2}.get(dtype.kind, 0)
    return parts if parts and dtype.itemsize // parts in SIGNALLING else 0
