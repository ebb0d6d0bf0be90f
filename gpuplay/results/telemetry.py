"""What a GPU says of itself at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Telemetry:
    """A GPU at work on a cell: clocks in MHz, watts, °C, what held the clocks down, and joules a call.

    Over the turns of a cell each is the worst reading: the lowest clock, the highest power and temperature, every
    reason that was given. None is what the GPU does not tell; ``throttled`` is empty where nothing held it down.
    """

    sm_mhz: float | None = None
    memory_mhz: float | None = None
    power_w: float | None = None
    celsius: float | None = None
    throttled: tuple[str, ...] | None = None
    energy_j: float | None = None


def worst(readings: Sequence[Telemetry]) -> Telemetry | None:
    """One telemetry for the readings of several turns; the energy is the latest that is known."""
    if not readings:
        return None

    def known(name: str) -> list[Any]:
        return [value for reading in readings if (value := getattr(reading, name)) is not None]

    reasons = known("throttled")
    return Telemetry(
        sm_mhz=min(known("sm_mhz"), default=None),
        memory_mhz=min(known("memory_mhz"), default=None),
        power_w=max(known("power_w"), default=None),
        celsius=max(known("celsius"), default=None),
        throttled=tuple(dict.fromkeys(text for texts in reasons for text in texts)) if reasons else None,
        energy_j=next(reversed(known("energy_j")), None),
    )
