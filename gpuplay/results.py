"""The result of a cell, the events of a run, and their JSON form.

Times are seconds, sizes bytes, work FLOPs. Ratios are derived, never stored. What is not known is
None, in JSON null, never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from gpuplay.kernel import FlynnClass, Problem, Value
from gpuplay.precision import Formats

SCHEMA = "gpuplay/1"
Status: TypeAlias = Literal["ok", "verified", "wrong", "skipped", "failed"]
State: TypeAlias = Literal["waiting", "building", "verifying", "timing"]


@dataclass(frozen=True)
class Cell:
    """One thing to measure: a problem, a variant, its knob values and its threads."""

    kernel: str
    size: int
    params: tuple[tuple[str, Value], ...]
    variant: str
    knobs: tuple[tuple[str, int], ...] = ()
    threads: int = 1

    @property
    def target(self) -> str:
        """The part of the variant's name before the colon."""
        return self.variant.partition(":")[0]

    @property
    def problem(self) -> Problem:
        """What is computed."""
        return Problem(self.kernel, self.size, self.params)

    @property
    def choices(self) -> dict[str, int]:
        """Knob values and threads: all that a workspace may depend on beside the problem."""
        return {**dict(self.knobs), "threads": self.threads}

    @property
    def label(self) -> str:
        """Short text for messages: variant, knobs and size."""
        knobs = "".join(f" {name}={value}" for name, value in self.knobs)
        return f"{self.variant}{knobs} n={self.size}"


@dataclass(frozen=True)
class Timing:
    """Samples of one cell, seconds a call; each sample is the mean of ``loops`` calls."""

    median_s: float
    q1_s: float
    q3_s: float
    min_s: float
    loops: int
    rounds: tuple[tuple[float, ...], ...]

    @property
    def samples(self) -> int:
        """Number of samples over all rounds."""
        return sum(len(r) for r in self.rounds)

    @property
    def spread(self) -> float:
        """Quartile spread as a fraction of the median: (q3 − q1) / median."""
        return (self.q3_s - self.q1_s) / self.median_s


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
        cleaned = _finite(record | rest)
        assert isinstance(cleaned, dict)
        return cleaned


@dataclass(frozen=True)
class Record:
    """Everything one command measured: the machine, its roofs, and the results so far."""

    version: str
    created: str
    argv: tuple[str, ...]
    seed: int
    machine: Mapping[str, Any]
    roofs: Mapping[str, Any] | None
    results: tuple[Result, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The document of the ``gpuplay/1`` schema."""
        head = {"schema": SCHEMA, "gpuplay": self.version, "created": self.created, "argv": list(self.argv)}
        body = {"seed": self.seed, "machine": _finite(dict(self.machine)), "roofs": _finite(self.roofs)}
        return head | body | {"results": [result.as_json() for result in self.results]}


@dataclass(frozen=True)
class StateChanged:
    """A cell has begun the next step of its measurement."""

    cell: Cell
    state: State


@dataclass(frozen=True)
class Provisional:
    """A cell's result after some of its rounds; more rounds follow."""

    result: Result


@dataclass(frozen=True)
class Final:
    """A cell's result; nothing more will come for this cell."""

    result: Result


@dataclass(frozen=True)
class Notice:
    """A line for the user that belongs to no cell, such as why a target is not here."""

    text: str


Event: TypeAlias = StateChanged | Provisional | Final | Notice


def _finite(value: Any) -> Any:
    """The same structure in JSON's types, with NaN and infinities as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
