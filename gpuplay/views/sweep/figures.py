"""Every figure that a sweep shows: in the cells of the table, beside them, in the detail, in CSV.

A new one is a `Figure` in one of these lists; table, Markdown, detail and CSV read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import seconds, speedup, timed
from gpuplay.analysis.sweep.roofline import memory_bound, roof, work
from gpuplay.analysis.sweep.warnings import FEW_SAMPLES
from gpuplay.results.cell import Cell
from gpuplay.results.events import State
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.results.telemetry import Telemetry
from gpuplay.results.timing import Timing
from gpuplay.units import byte_rate, count, flop_rate, joules, percent, ratio, size_names
from gpuplay.units import seconds as time_text
from gpuplay.views.text.figures import Figure
from gpuplay.views.text.layout import Entry
from gpuplay.views.text.notes import Notes

PENDING = "·"

# --- in the cell of a variant ---


@dataclass(frozen=True)
class Scene:
    """What a cell's look depends on beside its result. ``running`` is set while measuring only."""

    grid: Grid
    notes: Notes
    by_bytes: bool
    provisional: frozenset[Cell] = frozenset()
    running: Mapping[Cell, State] = field(default_factory=dict)


@dataclass(frozen=True)
class Timed:
    """A result with a time, on its line; with ``copies`` from host memory to host memory."""

    scene: Scene
    line: Line
    result: Result
    copies: bool = False

    @property
    def provisional(self) -> bool:
        """Whether more rounds are to come."""
        return self.result.cell in self.scene.provisional


Part: TypeAlias = Figure[Timed]


@dataclass(frozen=True)
class Contents:
    """How much stands in each cell; ``base`` in those of the baseline. ``split`` breaks names over two lines."""

    parts: tuple[Part, ...]
    base: tuple[Part, ...]
    split: bool = False


def rate(result: Result, *, by_bytes: bool, copies: bool = False) -> str:
    """Bytes or FLOPs a second of the kernel's cost; an empty string where there is none."""
    amount = result.bytes if by_bytes else result.flops
    if not amount:
        return ""
    value = amount / seconds(result, copies=copies)
    return byte_rate(value) if by_bytes else flop_rate(value)


def shows_bytes(results: tuple[Result, ...]) -> bool:
    """Whether the rates of a table are bytes: where memory bounds the kernel, or it counts no FLOPs."""
    known = [result for result in results if timed(result)]
    return bool(known) and all(memory_bound(result) for result in known)


def _ratio(shown: Timed) -> str:
    scene, result, copies = shown.scene, shown.result, shown.copies
    base = scene.grid.base(shown.line, result.precision)
    found = speedup(result, base, copies=copies) if base is not None else None
    if found is None:
        return ""
    if shown.provisional or (base is not None and base.cell in scene.provisional):
        return "~" + ratio(found.ratio)
    if base is result and not copies:
        return ratio(1, tie=False)
    if found.order == "uncertain":
        return "?" + ratio(found.ratio)
    return ratio(found.ratio, tie=found.order == "tie")


RATIO = Part("ratio", _ratio, width=9)  # of "verifying"
TIME = Part("time", lambda t: time_text(seconds(t.result, copies=t.copies)), width=8)  # of "~86.8 ms"
RATE = Part("rate", lambda t: rate(t.result, by_bytes=t.scene.by_bytes, copies=t.copies), width=11)  # of "200 GFLOP/s"

# From the widest to the narrowest.
RATIOS = (
    Contents((RATIO, TIME, RATE), (TIME, RATE)),
    Contents((RATIO, TIME), (TIME, RATE)),
    Contents((RATIO,), (TIME, RATE)),
    Contents((RATIO,), (TIME,)),
    Contents((RATIO,), (TIME,), split=True),
)
TIMES = (
    Contents((TIME, RATE), (TIME, RATE)),
    Contents((TIME,), (TIME,)),
    Contents((TIME,), (TIME,), split=True),
)
SWEPT: tuple[tuple[Part, ...], ...] = ((TIME, RATE), (TIME,))


# --- beside the variants, a row a line ---


def leading(grid: Grid, without: str = "") -> list[Figure[Line]]:
    """What names a line: the varying axes, the size."""
    name = size_names(line.size for line in grid.lines)

    def of_axis(place: int) -> Callable[[Line], str]:
        return lambda line: line.axes[place]

    axes = [Figure(axis, of_axis(i)) for i, axis in enumerate(grid.axes) if axis != without]
    return [*axes, Figure("n", lambda line: name(line.size))]


def fastest_library(scene: Scene, parts: Sequence[Part]) -> Figure[Line]:
    """The fastest library of every line, where that is the baseline."""

    def told(line: Line) -> Entry:
        base = scene.grid.base(line)
        return Entry(tuple(part.value(Timed(scene, line, base)) for part in parts) if base else (PENDING,))

    return Figure("fastest\nlibrary", told)


def trailing(scene: Scene) -> list[Figure[Line]]:
    """What is told of all variants of a line together."""
    return [Figure("spread\n(worst)", lambda line: _spread(scene.grid, line), units=False)]


def _spread(grid: Grid, line: Line) -> str:
    results = [line.result(column.name) for column in grid.columns]
    times = [r.time for r in results if r is not None and timed(r) and r.time is not None]
    fewest = min((time.samples for time in times), default=FEW_SAMPLES)
    if fewest < FEW_SAMPLES:
        return count(fewest, "run")
    return percent(max(time.spread for time in times)) if times else ""


# --- in the detail, a row a result ---


def detail(record: Record) -> tuple[Figure[Result], ...]:
    """Every figure, in the order of the questions: how long, how fast, how right, and what else it cost."""

    def of_roof(result: Result) -> str:
        limit = roof(result, record.roofs, record.machine)
        if limit is None:
            return ""
        fraction = limit.fraction(seconds(result))
        return f"{percent(fraction)} {limit.bound}" if fraction is not None else "in cache"

    return (
        Figure[Result]("threads", lambda r: "" if r.cell.kind.on_gpu else str(r.cell.threads)),
        Figure[Result]("median", lambda r: time_text(seconds(r)) if timed(r) else r.status),
        Figure("q1–q3", _of_time(_range)),
        Figure("min", _of_time(lambda t: time_text(t.min_s))),
        Figure("samples", _of_time(lambda t: f"{t.samples}×{t.loops}")),
        Figure("call", _timed(lambda r: time_text(r.call_s) if r.call_s and r.cell.kind.on_gpu else "")),
        Figure("arithmetic", _timed(lambda r: rate(r, by_bytes=False))),
        Figure("bytes", _timed(lambda r: rate(r, by_bytes=True))),
        Figure("own work", _timed(_own_work)),
        Figure("of roof", _timed(of_roof)),
        Figure[Result]("error", lambda r: _error(r.error.max_abs if r.error else None)),
        Figure[Result]("precision", lambda r: r.formats.text if r.formats else "", right=False),
        Figure[Result]("tolerance", lambda r: _error(r.error.tolerance if r.error else None)),
        Figure[Result]("compile", lambda r: _time(r.compile_s)),
        Figure[Result]("cached", lambda r: {True: "yes", False: "no", None: ""}[r.compile_cached]),
        Figure[Result]("prepare", lambda r: _time(r.prepare_s)),
        Figure[Result]("to device", lambda r: _time(r.transfer.to_device_s if r.transfer else None)),
        Figure[Result]("back", lambda r: _time(r.transfer.from_device_s if r.transfer else None)),
        Figure("SM clock", _told(lambda t: _unit(t.sm_mhz, "MHz"))),
        Figure("memory clock", _told(lambda t: _unit(t.memory_mhz, "MHz"))),
        Figure("power", _told(lambda t: _unit(t.power_w, "W"))),
        Figure("heat", _told(lambda t: _unit(t.celsius, "°C"))),
        Figure("throttled", _told(lambda t: ", ".join(t.throttled or ())), right=False),
        Figure("energy", _told(lambda t: "" if t.energy_j is None else joules(t.energy_j))),
        Figure[Result]("ran", lambda r: r.algorithm, right=False),
        Figure[Result]("library", lambda r: r.library, right=False),
    )


def _timed(text: Callable[[Result], str]) -> Callable[[Result], str]:
    """Only a result that was found right has figures of time."""
    return lambda result: text(result) if timed(result) else ""


def _of_time(text: Callable[[Timing], str]) -> Callable[[Result], str]:
    return lambda result: text(result.time) if timed(result) and result.time else ""


def _told(text: Callable[[Telemetry], str]) -> Callable[[Result], str]:
    """What a GPU said of itself, where it did."""
    return lambda result: text(result.telemetry) if result.telemetry else ""


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.0f} {unit}"


def _time(value: float | None) -> str:
    return "" if value is None else time_text(value)


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _range(time: Timing) -> str:
    """The quartiles, the unit once where both have it."""
    low, high = time_text(time.q1_s), time_text(time.q3_s)
    number, _, unit = low.rpartition(" ")
    return f"{number}–{high}" if high.endswith(f" {unit}") else f"{low} – {high}"


def _own_work(result: Result) -> str:
    """The rate of the arithmetic that the variant really does, where it differs from the kernel's cost."""
    flops, _ = work(result)
    return flop_rate(flops / seconds(result)) if flops and flops != result.flops else ""


# --- in CSV, a row a result as it stands in JSON, with the record's ``created`` and ``gpuplay`` ---

Json: TypeAlias = Mapping[str, Any]


def _under(place: str, *names: str, prefix: str = "") -> Iterable[Figure[Json]]:
    return (_of(place, name, prefix) for name in names)


def _of(place: str, name: str, prefix: str = "") -> Figure[Json]:
    """A value of a result, or of what is nested in it at ``place``; empty where it is not known."""

    def told(result: Json) -> str:
        found: Any = result
        for step in filter(None, place.split(".")):
            found = (found or {}).get(step)
        value = (found or {}).get(name)
        return "" if value is None else str(value)

    return Figure(prefix + name, told)


def _pairs(values: Json) -> str:
    return ";".join(f"{name}={value}" for name, value in values.items())


def _rounds(amount: Callable[[Sequence[Sequence[float]]], int]) -> Callable[[Json], str]:
    return lambda result: str(amount(result["time"].get("rounds", []))) if result["time"] else ""


CSV: tuple[Figure[Json], ...] = (
    *_under("", "kernel", "size"),
    *_under("params", "dtype"),
    Figure("params", lambda r: _pairs({name: value for name, value in r["params"].items() if name != "dtype"})),
    *_under("", "variant", "class"),
    Figure("knobs", lambda r: _pairs(r["knobs"])),
    *_under("", "threads", "library", "status", "reason"),
    *_under("error", "max_abs", "max_rel", "tolerance", prefix="error_"),
    *_under("error.at", "output", prefix="error_"),
    Figure("error_index", lambda r: " ".join(map(str, ((r["error"] or {}).get("at") or {}).get("index", ())))),
    *_under("error.at", "got", "expected", prefix="error_"),
    Figure("verified_at", lambda r: " ".join(map(str, r["verified_at"] or ()))),
    *_under("time", "median_s", "q1_s", "q3_s", "min_s", prefix="time_"),
    Figure("time_samples", _rounds(lambda rounds: sum(map(len, rounds)))),
    *_under("time", "loops", prefix="time_"),
    Figure("time_rounds", _rounds(len)),
    *_under("", "call_s", "compile_s", "compile_cached", "prepare_s"),
    *_under("transfer", "to_device_s", "from_device_s"),
    *_under("", "flops", "bytes"),
    *_under("work", "flops", "bytes", prefix="work_"),
    Figure("warnings", lambda r: "; ".join(r["warnings"])),
    *_under("", "source", "created", "gpuplay"),
    *_under("formats", "storage", "compute", "accumulate"),
    *_under("", "algorithm"),
    *_under("telemetry", "sm_mhz", "memory_mhz", "power_w", "celsius"),
    Figure("throttled", lambda r: "; ".join((r["telemetry"] or {}).get("throttled") or ())),
    *_under("telemetry", "energy_j"),
)
