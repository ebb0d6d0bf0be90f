"""What compiled variants come to: for each GPU function its resources, occupancy and hottest loop; pure data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gpuplay.analysis.machine_code import host_code, sass
from gpuplay.analysis.machine_code.host_code import HostLoop
from gpuplay.analysis.machine_code.occupancy import Occupancy, Use, occupancy
from gpuplay.analysis.machine_code.sass import Loops
from gpuplay.machine.model import model_of
from gpuplay.results.cell import Cell
from gpuplay.results.compiled import Compiled, GpuFunction, HostFunction


@dataclass(frozen=True)
class GpuRow:
    """One GPU function of a cell on one architecture, or the reason why there is none.

    ``failed`` where that reason is an error: what does not apply to an architecture is none.
    """

    cell: Cell
    architecture: str
    function: GpuFunction | None = None
    occupancy: Occupancy | None = None
    loops: Loops | None = None
    reason: str = ""
    failed: bool = False


@dataclass(frozen=True)
class HostRow:
    """One CPU cell: its functions and the hottest loop of all, or the reason why there is none."""

    cell: Cell
    functions: tuple[HostFunction, ...] = ()
    loop: HostLoop | None = None
    reason: str = ""
    failed: bool = False


def capability_of(architecture: str) -> tuple[int, int]:
    """The compute capability of ``sm_90a``: (9, 0)."""
    digits = architecture.removeprefix("sm_").rstrip("af")
    return int(digits[:-1]), int(digits[-1])


def gpu_rows(found: Iterable[Compiled]) -> tuple[GpuRow, ...]:
    """A row for each GPU function of each cell and architecture, in their order."""
    return tuple(row for one in found for row in _gpu_rows(one))


def host_row(one: Compiled) -> HostRow:
    """The row of a CPU cell."""
    if one.reason:
        return HostRow(one.cell, reason=one.reason, failed=one.failed)
    return HostRow(one.cell, one.host, host_code.hottest_loop(one.host))


def _gpu_rows(one: Compiled) -> Iterable[GpuRow]:
    if one.reason:
        yield GpuRow(one.cell, one.architecture, reason=one.reason, failed=one.failed)
    model = model_of(capability_of(one.architecture)) if one.architecture else None
    for function in one.gpu:
        known = None
        if function.resources and model:
            known = occupancy(Use(function.threads, function.resources.registers, function.shared_bytes), model)
        loops = sass.read(function.sass) if function.sass else None
        yield GpuRow(one.cell, one.architecture, function, known, loops)


def gpu_json(row: GpuRow) -> dict[str, Any]:
    """One GPU function as plain data; what is not known is null."""
    function, loops = row.function, row.loops
    if function is None:
        return {"name": None, "reason": row.reason, "failed": row.failed}
    return {
        "name": function.name,
        "grid": list(function.grid),
        "block": list(function.block),
        "launches": function.launches,
        "resources": asdict(function.resources) if function.resources else None,
        "dynamic_shared_bytes": function.dynamic_bytes,
        "shared_bytes": function.shared_bytes,
        "occupancy": asdict(row.occupancy) if row.occupancy else None,
        "instructions": loops.instructions if loops else None,
        "kinds": dict(loops.whole.kinds) if loops else None,
        "hottest_loop": _loop_json(loops) if loops else None,
    }


def host_json(row: HostRow) -> dict[str, Any]:
    """One CPU cell as plain data."""
    loop = row.loop
    if loop is None:
        return {"hottest_loop": None, "reason": row.reason, "failed": row.failed}
    known = {name: value for name, value in vars(loop).items() if name not in ("loop", "weight")}
    return {"hottest_loop": known | {"loop": loop.loop is not None, "depth": loop.loop.depth if loop.loop else 0}}


def _loop_json(loops: Loops) -> dict[str, Any]:
    return {
        "loop": loops.loop is not None,
        "depth": loops.loop.depth if loops.loop else 0,
        "instructions": loops.mix.total,
        "kinds": dict(loops.mix.kinds),
    }
