"""Counts as short text: ``524 k``, ``2.5``, ``98 %``."""

from __future__ import annotations

from gpuplay.analysis.counters.counters import Unit
from gpuplay.units import nbytes, percent

_PREFIXES = (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
GUTTER_BAR = " ▏▎▍▌▋▊▉█"


def amount(n: float) -> str:
    """A count in at most four characters and a prefix: ``128``, ``16.4k``, ``1.05M``."""
    if n < 1000:
        return f"{n:.0f}"
    name, factor = next(p for p in reversed(_PREFIXES) if n >= 0.9995 * p[1])
    scaled = n / factor
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f}{name}"


def short(value: float) -> str:
    """A ratio of counts: ``4``, ``2.5``, ``0.39``."""
    return f"{value:.3g}"


def figure(value: float | None, unit: Unit) -> str:
    """A counter's value with its unit; a dash where it has no meaning."""
    if value is None:
        return "–"
    if unit == "bytes":
        return nbytes(value)
    if unit == "share":
        return percent(value)
    return short(value) if unit == "ratio" else amount(value)


def bar(share: float, width: int = 3) -> str:
    """A bar of ``width`` characters for a share from 0 to 1, in eighths; anything above 0 leaves a mark."""
    eighths = min(8 * width, max(round(share * 8 * width), int(share > 0)))
    full, part = divmod(eighths, 8)
    return (GUTTER_BAR[8] * full + (GUTTER_BAR[part] if part else "")).ljust(width)
