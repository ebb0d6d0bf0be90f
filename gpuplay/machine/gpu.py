"""The GPU behind a command, as a worker finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpuplay.machine.model import GpuModel


@dataclass(frozen=True)
class FoundGpu:
    """What came of asking for a GPU: an empty ``reason`` and its model, or the reason and the stated model.

    ``known`` are further facts of it, as a record keeps them.
    """

    reason: str
    model: GpuModel = field(default_factory=GpuModel)
    known: Mapping[str, Any] = field(default_factory=dict)
