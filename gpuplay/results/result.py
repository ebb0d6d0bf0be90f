"""The result of a cell: what was verified, measured and moved.

Times are seconds, sizes bytes, work FLOPs. Ratios are derived, never stored. What is not known is None, in JSON null,
never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from gpuplay.kernel import FlynnClass
from gpuplay.precision import Formats
from gpuplay.results.cell import Cell
from gpuplay.results.telemetry import Telemetry
from gpuplay.results.timing import Timing

Status: TypeAlias = Literal["ok", "verified", "wrong", "skipped", "failed"]


@dataclass(frozen=True)
class Mistake:
    """The worst place of an output: where it is, what was got and what was expected there."""

    output: str
    index: tuple[int, ...]
    got: float | str
    expected: float | str


@dataclass(frozen=True)
class ErrorReport:
    """Largest errors found by verification, and the bound at the worst place."""

    max_abs: float | None
    max_rel: float | None
    tolerance: float | None
    at: Mistake | None = None


@dataclass(frozen=True)
class Transfer:
    """Seconds to move all inputs to the device, and all outputs back."""

    to_device_s: float
    from_device_s: float


@dataclass(frozen=True)
class Result:
    """What came of a cell. ``time`` is kernel time on a GPU and call time on the CPU.

    ``telemetry`` is what the GPU said of itself meanwhile; ``algorithm`` the GPU functions that a library called,
    where it was found out. ``formats`` is None where all numbers are of the problem's dtype.
    """

    cell: Cell
    flynn: FlynnClass
    status: Status
    reason: str = ""
    library: str = ""
    error: ErrorReport | None = None
    verified_at: tuple[int, ...] | None = None
    time: Timing | None = None
    call_s: float | None = None
    compile_s: float | None = None
    compile_cached: bool | None = None
    prepare_s: float | None = None
    transfer: Transfer | None = None
    telemetry: Telemetry | None = None
    algorithm: str = ""
    formats: Formats | None = None
    flops: float | None = None
    bytes: float | None = None
    work: Mapping[str, float] | None = None
    warnings: tuple[str, ...] = ()
    source: str = ""

    @property
    def precision(self) -> str:
        """The format that numbers are rounded to; '' where none is coarser than the problem's dtype."""
        return self.formats.precision if self.formats else ""

    def as_json(self) -> dict[str, Any]:
        """The result as one record of the ``gpuplay/1`` schema."""
        record = {
            "kernel": self.cell.kernel,
            "size": self.cell.size,
            "params": dict(self.cell.params),
            "variant": self.cell.variant,
            "class": self.flynn,
            "knobs": dict(self.cell.knobs),
            "threads": self.cell.threads,
        }
        rest = {name: value for name, value in asdict(self).items() if name not in ("cell", "flynn")}
        cleaned = finite(record | rest)
        assert isinstance(cleaned, dict)
        return cleaned


def finite(value: Any) -> Any:
    """The same structure in JSON's types, with NaN and infinities as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
