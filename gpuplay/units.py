"""Times, rates, bytes, ratios, sizes, options as text; durations from text. Three significant digits, SI prefixes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from gpuplay.errors import UsageError

_TIMES = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0))
_RATES = (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15))
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DURATION = re.compile(r"(?P<value>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>ms|s|min|h|)")
_SECONDS = {"ms": 1e-3, "s": 1.0, "": 1.0, "min": 60.0, "h": 3600.0}
LARGE_SIZE = 2**16


def seconds(t: float) -> str:
    """A duration: ``181 µs``, ``86.8 ms``, ``5.41 s``, ``1 min 50 s``, ``2 h 5 min``."""
    if t <= 0:
        return "0 s"
    if t < 59.95:
        return _scaled(t, _TIMES)
    minutes, rest = divmod(round(t), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(t / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def flop_rate(rate: float) -> str:
    """Arithmetic a second: ``198 GFLOP/s``."""
    return _scaled(rate, tuple((f"{prefix}FLOP/s", factor) for prefix, factor in _RATES))


def byte_rate(rate: float) -> str:
    """Bytes a second, decimal: ``26.1 GB/s``."""
    return _scaled(rate, tuple((f"{prefix}B/s", factor) for prefix, factor in _RATES))


def joules(energy: float) -> str:
    """'12.3 mJ': energy in the unit that leaves one to three digits before the point."""
    return _scaled(energy, (("µJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3)))


def nbytes(count: float) -> str:
    """An amount of memory, binary: ``3.2 GiB``, ``512 KiB``, ``64 B``."""
    power = 0
    while count >= 1023.5 and power < len(_BINARY) - 1:
        count, power = count / 1024, power + 1
    text = f"{count:.1f}".removesuffix(".0") if power and count < 9.95 else f"{count:.0f}"
    return f"{text} {_BINARY[power]}"


def ratio(x: float, *, tie: bool = False) -> str:
    """How many times as fast: ``1.06 ×``, ``39 ×``, ``1/78 ×`` below 0.1; a tie is ``≈1 ×`` where it is near 1."""
    if tie and abs(x - 1) < 0.05:
        return "≈1 ×"
    mark = "≈" if tie else ""
    if x <= 0:
        return f"{mark}0 ×"
    if x < 0.0995:
        return f"{mark}1/{_whole(1 / x)} ×"
    return f"{mark}{x:.2f} ×" if x < 9.995 else f"{mark}{_whole(x)} ×"


def gain(low: float, high: float) -> str:
    """A range of ratios in prose: ``39–43×``, ``2.0×`` where both ends read the same."""
    first, last = _factor(low), _factor(high)
    return f"{first}×" if first == last else f"{first}–{last}×"


def percent(fraction: float) -> str:
    """A fraction of one: ``2 %``, ``0.4 %``, ``<0.1 %``."""
    x = fraction * 100
    if 0 < x < 0.05:
        return "<0.1 %"
    return f"{x:.1f} %" if 0 < x < 0.95 else f"{x:.0f} %"


def number(value: float | str) -> str:
    """A value found in an array, as short as it can be told: ``1.5``, ``-0.00213``, ``nan``."""
    return value if isinstance(value, str) else f"{value:.6g}"


def count(n: int, noun: str) -> str:
    """A number with its noun: ``1 thread``, ``2 threads``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def size_names(sizes: Iterable[int]) -> Callable[[int], str]:
    """How to write these sizes: as powers, ``2^24``, where all are powers of two and one is large; else in digits."""
    known = set(sizes)
    powers = bool(known) and max(known) >= LARGE_SIZE and all(n & (n - 1) == 0 for n in known)
    return (lambda n: f"2^{n.bit_length() - 1}") if powers else str


def option_text(name: str, value: object = None) -> str:
    """An option as it is typed: ``--block-n``, with a value ``--block-n 64``."""
    flag = f"--{name.replace('_', '-')}"
    return flag if value is None else f"{flag} {value}"


def parse_duration(text: str, option: str = "--time") -> float:
    """Seconds of ``60s``, ``1.5``, ``2min``, ``500ms``, ``1h``; UsageError with what to type for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise UsageError(f"{option} {text!r}: no duration; write 60s, 1.5 (seconds), 500ms, 2min or 1h")
    value = float(match["value"]) * _SECONDS[match["unit"]]
    if not 0 < value < math.inf:
        raise UsageError(f"{option} {text}: a duration is longer than 0; write 60s, 500ms or 2min")
    return value


def _scaled(value: float, units: tuple[tuple[str, float], ...]) -> str:
    """The value with the largest unit that leaves at least 1 after rounding to three digits."""
    name, factor = units[0]
    for larger, size in units[1:]:
        if value < size * 0.9995:
            break
        name, factor = larger, size
    return f"{_three(value / factor)} {name}"


def _three(x: float) -> str:
    """Three significant digits without an exponent."""
    if x < 9.995:
        return f"{x:.2f}"
    return f"{x:.1f}" if x < 99.95 else f"{x:.0f}"


def _whole(x: float) -> str:
    """A whole number with at most three significant digits."""
    digits = max(0, math.floor(math.log10(x)) - 2)
    return f"{round(x, -digits):.0f}"


def _factor(x: float) -> str:
    if x < 0.0995:
        return f"1/{_whole(1 / x)}" if x > 0 else "0"
    if x < 0.995:
        return f"{x:.2f}"
    return f"{x:.1f}" if x < 9.95 else _whole(x)
