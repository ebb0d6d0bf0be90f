"""What is known of a CUDA ladder's rungs without their times: resources, occupancy, counted traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gpuplay.analysis.machine_code.inspection import GpuRow, gpu_json

if TYPE_CHECKING:
    from gpuplay.lockstep.record import Counts
    from gpuplay.results.turns import Explained


@dataclass(frozen=True)
class RungFacts:
    """One rung: its GPU functions compiled, and one run of it on the lockstep machine, where there was one.

    ``compulsory_bytes`` is each array moved once, in the run that was counted. Of several GPU functions the
    properties give the most registers and shared memory, and the least occupancy.
    """

    rows: tuple[GpuRow, ...] = ()
    explained: Explained | None = None
    compulsory_bytes: float | None = None

    @property
    def registers(self) -> int | None:
        """Registers of a thread."""
        return max((r.function.resources.registers for r in self._functions if r.function.resources), default=None)

    @property
    def shared_bytes(self) -> int | None:
        """Shared memory of a block, static and dynamic."""
        return max((r.function.shared_bytes for r in self._functions), default=None)

    @property
    def spilled_bytes(self) -> int | None:
        """Local memory of a thread, spills included."""
        known = [row.function.resources for row in self._functions if row.function.resources]
        return max((r.local_bytes + r.spill_stores_bytes + r.spill_loads_bytes for r in known), default=None)

    @property
    def occupancy(self) -> float | None:
        """Warps that a multiprocessor holds, of those it could, from 0 to 1."""
        return min((row.occupancy.share for row in self.rows if row.occupancy), default=None)

    @property
    def moved_bytes(self) -> int | None:
        """Global memory moved, whole sectors."""
        total = self._total
        return total.global_loads.bytes_moved + total.global_stores.bytes_moved if total else None

    @property
    def over_compulsory(self) -> float | None:
        """Bytes moved over those of a run that moves each array once."""
        moved = self.moved_bytes
        return moved / self.compulsory_bytes if moved and self.compulsory_bytes else None

    @property
    def sectors_over_ideal(self) -> float | None:
        """Sectors touched over the least that the bytes asked for fit in: 1 where all accesses coalesce."""
        total = self._total
        ideal = total.global_loads.ideal_sectors + total.global_stores.ideal_sectors if total else 0
        return (total.global_loads.sectors + total.global_stores.sectors) / ideal if total and ideal else None

    @property
    def wavefronts_over_ideal(self) -> float | None:
        """Passes over the banks of shared memory over the least: 1 without conflicts, None without accesses."""
        total = self._total
        banks = total.shared_loads + total.shared_stores if total else None
        return banks.wavefronts / banks.ideal_wavefronts if banks and banks.ideal_wavefronts else None

    @property
    def error(self) -> float | None:
        """Largest absolute error of the outputs of the run that was counted."""
        return self.explained.error.max_abs if self.explained and self.explained.error else None

    @property
    def intensity(self) -> float | None:
        """FLOPs for each byte of global memory moved."""
        return self._total.intensity if self._total else None

    @property
    def _functions(self) -> list[Any]:
        return [row for row in self.rows if row.function]

    @property
    def _total(self) -> Counts | None:
        """The counts of a run that came to its end."""
        known = self.explained is not None and self.explained.report.lines
        return self.explained.report.total if self.explained and known else None


@dataclass(frozen=True)
class LadderFacts:
    """All rungs by name: ``architecture`` compiled for, size ``n`` counted at.

    ``absent`` says why there is no GPU to time them on, ``uncompiled`` why there are no resources; else ''.
    """

    architecture: str
    n: int
    absent: str = ""
    uncompiled: str = ""
    rungs: Mapping[str, RungFacts] = field(default_factory=dict)

    def of(self, name: str) -> RungFacts:
        """What is known of a rung; of a variant beside the ladder nothing."""
        return self.rungs.get(name, RungFacts())


def as_json(facts: LadderFacts) -> dict[str, Any]:
    """The field ``gpu_rungs`` of the ``gpuplay/1`` schema; what is not known is null."""
    return {
        "architecture": facts.architecture,
        "counted_at": facts.n,
        "no_gpu": facts.absent or None,
        "not_compiled": facts.uncompiled or None,
        "rungs": [{"variant": name} | _rung_json(rung) for name, rung in facts.rungs.items()],
    }


def _rung_json(rung: RungFacts) -> dict[str, Any]:
    explained = rung.explained
    return {
        "functions": [gpu_json(row) for row in rung.rows],
        "verdict": explained.status if explained else None,
        "verdict_reason": explained.reason if explained else "",
        "error": asdict(explained.error) if explained and explained.error else None,
        "global_bytes_moved": rung.moved_bytes,
        "compulsory_bytes": rung.compulsory_bytes,
        "over_compulsory": rung.over_compulsory,
        "sectors_over_ideal": rung.sectors_over_ideal,
        "wavefronts_over_ideal": rung.wavefronts_over_ideal,
        "flops_per_byte": rung.intensity,
    }
