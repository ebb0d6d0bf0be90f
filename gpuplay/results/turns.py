"""What a worker sends home of a cell: built, stepped on the lockstep machine, timed for a turn, explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpuplay.lockstep.record import Report
from gpuplay.results.cell import Cell
from gpuplay.results.result import ErrorReport, Transfer
from gpuplay.results.telemetry import Telemetry


@dataclass(frozen=True)
class BuiltCell:
    """What building and verifying a cell found: an empty ``wrong`` means that it may be timed.

    ``foul`` where it broke something besides its outputs, perhaps more than was seen. ``remarks`` are what is to be
    said of it where it is right, too, as that its inputs cannot show much.
    """

    wrong: str
    error: ErrorReport | None
    call_s: float
    compile_s: float | None
    compile_cached: bool | None
    prepare_s: float | None
    transfer: Transfer | None
    library: str
    foul: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """The samples of one turn, seconds a call, and what the last verification found if it was the last.

    ``remark`` is what makes the times less than was asked for.
    """

    samples: tuple[float, ...]
    loops: int
    call_s: float | None
    wrong: str = ""
    error: ErrorReport | None = None
    telemetry: Telemetry | None = None
    algorithm: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Stepped:
    """What the lockstep machine found of a CUDA variant, ``sizes`` where it is right, or the one where it is not.

    ``failed`` where a check of the machine fired or the run ended early, ``skipped`` where it cannot say.
    ``remarks`` are what is to be said of it where it is right, too.
    """

    status: Literal["right", "wrong", "failed", "skipped"]
    reason: str = ""
    error: ErrorReport | None = None
    sizes: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explained:
    """One run of a CUDA variant on the lockstep machine: what it counted, and whether the outputs are right.

    ``failed`` where a check of the machine fired or the run ended early: ``reason`` says where, and the
    report holds what was seen until then.
    """

    cell: Cell
    report: Report
    status: Literal["right", "wrong", "failed"]
    reason: str = ""
    error: ErrorReport | None = None
