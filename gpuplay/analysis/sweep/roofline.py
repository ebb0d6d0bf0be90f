"""What the machine could attain at most: the roofline model (Williams, Waterman, Patterson, CACM 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from gpuplay.results.result import Result

MEMORY_BOUND_INTENSITY = 8.0  # FLOP a byte, below which memory bounds on any current machine

Bound: TypeAlias = Literal["memory", "compute", "cache"]


@dataclass(frozen=True)
class Roof:
    """The shortest time the roofs allow, in seconds, and which of them sets it.

    ``cache``: memory would set it, but the data fits in the last cache, whose roof is not measured.
    """

    seconds: float
    bound: Bound

    def fraction(self, measured_s: float) -> float | None:
        """Attainable over measured time: 1 at the roof; None where the roof is not known."""
        return None if self.bound == "cache" else self.seconds / measured_s


def work(result: Result) -> tuple[float | None, float | None]:
    """FLOPs and bytes of the variant's own work, else of the kernel's cost."""
    own = result.work or {}
    return own.get("flops", result.flops), own.get("bytes", result.bytes)


def roof(result: Result, roofs: Mapping[str, Any] | None, machine: Mapping[str, Any]) -> Roof | None:
    """The roof over a result: one core's, all cores', or the GPU's; None where the roofs are not known.

    What the matrix units can do in formats of their own is not measured, so that arithmetic there has none.
    """
    rates = _rates(result, roofs)
    flops, moved = work(result)
    if rates is None or not (flops or moved) or (result.formats and not memory_bound(result)):
        return None
    fma, bandwidth = rates
    compute_s = flops / fma if flops and fma else 0.0
    memory_s = moved / bandwidth if moved and bandwidth else 0.0
    if not (compute_s or memory_s):
        return None
    if compute_s >= memory_s:
        return Roof(compute_s, "compute")
    cached = not result.cell.kind.on_gpu and (moved or 0) < last_cache_bytes(machine)
    return Roof(memory_s, "cache" if cached else "memory")


def last_cache_bytes(machine: Mapping[str, Any]) -> int:
    """Bytes of the largest cache that is known; 0 where none is."""
    return max((int(size) for size in (machine.get("caches") or {}).values() if size), default=0)


def memory_bound(result: Result) -> bool:
    """Whether bytes, not FLOPs, are the rate worth showing."""
    flops, moved = result.flops, result.bytes
    return bool(moved) and (not flops or flops / (moved or 1) < MEMORY_BOUND_INTENSITY)


def _rates(result: Result, roofs: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """FLOP/s and bytes/s that bound a result."""
    if not roofs:
        return None
    dtype = dict(result.cell.params).get("dtype", "float32")
    if result.cell.kind.on_gpu:
        gpu = roofs.get("gpu") or {}
        return (_rate(gpu, f"fma_{dtype}"), _rate(gpu, "copy")) if gpu else None
    cores = "one" if result.cell.threads == 1 else "all"
    fma = _rate(roofs.get(f"fma_{dtype}"), cores)
    moves = [_rate(roofs.get(name), cores) for name in ("copy", "copy_streaming", "read")]
    return fma, max(moves)


def _rate(rates: Any, key: str) -> float:
    value = rates.get(key) if isinstance(rates, Mapping) else None
    return float(value) if isinstance(value, int | float) else 0.0
