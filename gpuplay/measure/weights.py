"""A variant's prepared weights: packed once from those of the problem, kept on the target, and watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpuplay.kernel import Array
from gpuplay.measure.data import Placed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.measure.problems import ProblemData


class PreparedWeights:
    """A variant's prepared weights on the target; ``pack(*weights)`` makes them from host arrays.

    ``seconds`` is the time of the second packing: the first one compiles.
    """

    def __init__(self, data: ProblemData, pack: Callable[..., Any]) -> None:
        self._data = data
        self._pack = pack
        self._packed()
        began = time.perf_counter()
        packed = self._packed()
        self.seconds = time.perf_counter() - began
        self.placed = []
        for number, values in enumerate(packed):
            array = Array(f"prepared{number}", values.shape, "weight", str(values.dtype))
            self.placed.append(Placed(data.target, array, data.problem.dtype))
            self.placed[-1].write(values)
        self._checksums = [placed.checksum() for placed in self.placed]

    def foul(self) -> str:
        """What a run broke of the prepared weights; '' where nothing."""
        for placed, checksum in zip(self.placed, self._checksums, strict=True):
            if placed.stray_write():
                return "writes outside its prepared weights"
            if placed.checksum() != checksum:
                return "changes its prepared weights"
        return ""

    def draw_guards(self) -> None:
        """Put other bits around the prepared weights."""
        for placed in self.placed:
            placed.draw_guards()

    def renew(self) -> None:
        """Pack the weights that the problem holds now into the same arrays."""
        for placed, values in zip(self.placed, self._packed(), strict=True):
            placed.write(values)
        self._checksums = [placed.checksum() for placed in self.placed]

    def _packed(self) -> tuple[NDArray[Any], ...]:
        packed = self._pack(*self._data.weights())
        return tuple(packed) if isinstance(packed, tuple | list) else (packed,)
