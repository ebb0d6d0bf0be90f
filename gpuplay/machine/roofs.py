"""Measured roofs of this machine, kept as JSON under its fingerprint; `gpuplay.measure.probes` measures them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gpuplay import paths

VERSION = 2  # of the probes: a change in what they measure makes kept roofs stale
HOST = ("copy", "copy_streaming", "read", "fma_float32", "fma_float64")


def merged(kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> dict[str, Any]:
    """The higher of two measurements of every roof of the host: a roof is what can be attained at best.

    Neighbours on a shared machine take bandwidth away for minutes; measure again, and merge, when a
    variant was seen above its roof. The GPU's roofs are those of ``fresh``, where it has them.
    """
    host = {name: {n: max(kept[name][n], fresh[name][n]) for n in ("one", "all")} for name in HOST}
    return {**host, "gpu": fresh.get("gpu") or kept.get("gpu")}


def load(fingerprint: str) -> dict[str, Any] | None:
    """The roofs kept for a machine; None where there are none, or what is kept makes no sense."""
    try:
        kept = json.loads(_file(fingerprint).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("version") != VERSION:
        return None
    roofs = kept.get("roofs")
    return roofs if isinstance(roofs, dict) and _sound(roofs) else None


def save(fingerprint: str, roofs: Mapping[str, Any]) -> None:
    """Keep the roofs of a machine; a folder that cannot be written costs only the next probe."""
    with suppress(OSError):
        paths.replace(_file(fingerprint), json.dumps({"version": VERSION, "roofs": roofs}, indent=1))


def _file(fingerprint: str) -> Path:
    return paths.cache_dir() / f"roofs-{fingerprint}.json"


def _sound(roofs: Mapping[str, Any]) -> bool:
    """Whether every roof of the host is there, finite and above zero, and the GPU's are rates or absent."""
    rates = [
        roofs[name].get(threads) for name in HOST if isinstance(roofs.get(name), dict) for threads in ("one", "all")
    ]
    gpu = roofs.get("gpu")
    if gpu is not None:
        if not isinstance(gpu, dict):
            return False
        rates += [gpu.get(name) for name in ("copy", "fma_float32", "fma_float64")]
    wanted = 2 * len(HOST) + (3 if gpu is not None else 0)
    return len(rates) == wanted and all(
        isinstance(rate, int | float) and math.isfinite(rate) and rate > 0 for rate in rates
    )
