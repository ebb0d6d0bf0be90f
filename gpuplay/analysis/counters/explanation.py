"""One explained cell with what follows from its counts: the data of every view of ``gpuplay explain``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpuplay.analysis.counters.findings import Finding, findings, passes

if TYPE_CHECKING:
    from gpuplay.lockstep.record import Place, Report
    from gpuplay.results.turns import Explained


@dataclass(frozen=True)
class Explanation:
    """What came of one cell. ``compulsory`` is the bytes of a run that moves each array once, where known."""

    explained: Explained
    findings: tuple[Finding, ...]
    compulsory: float | None = None

    @property
    def report(self) -> Report:
        """What the machine saw."""
        return self.explained.report

    @property
    def right(self) -> bool:
        """Whether no check fired and the outputs are right."""
        return self.explained.status == "right"

    def heat(self, place: Place) -> float:
        """The share, from 0 to 1, that a line has in all issue slots, sectors and wavefronts."""
        total = passes(self.report.total)
        return passes(self.report.at(place)) / total if total else 0.0

    def where(self, place: Place) -> str:
        """'line 14', or 'shared.py:14' in any other file than that of the first GPU function."""
        main = self.report.sources[0].file if self.report.sources else place.file
        return f"line {place.line}" if place.file == main else f"{Path(place.file).name}:{place.line}"


def explanation(explained: Explained, compulsory: float | None = None) -> Explanation:
    """An explained cell with its findings."""
    return Explanation(explained, findings(explained.report, compulsory), compulsory)
