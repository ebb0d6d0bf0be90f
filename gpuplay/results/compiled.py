"""What an inspection sends home: functions of a variant, compiled, as plain data; the main process reads it.

This module imports neither numba nor numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpuplay.kinds.kind import Compiler
from gpuplay.machine.limits import Dims
from gpuplay.results.cell import Cell

# In what forms the code of a variant can be shown, by what compiles it.
FORMS: Mapping[Compiler, tuple[str, ...]] = {
    "numba-cuda": ("resources", "source", "ptx", "sass"),
    "numba": ("resources", "source", "llvm", "asm"),
    "": ("source",),
}


@dataclass(frozen=True)
class SourceFile:
    """A source file that machine code names, or generated source, by lines."""

    file: str
    lines: tuple[str, ...]

    def line(self, number: int) -> str:
        """The text of a line from 1; empty where there is none."""
        return self.lines[number - 1].rstrip() if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True)
class Resources:
    """What ptxas reports of a GPU function: registers of a thread, bytes of shared, local and spilled memory.

    ``local_bytes`` is the stack frame of a thread, ``shared_bytes`` what the function declares for a block.
    """

    registers: int
    local_bytes: int
    spill_stores_bytes: int
    spill_loads_bytes: int
    shared_bytes: int


@dataclass(frozen=True)
class GpuFunction:
    """One GPU function as a variant launches it. ``dynamic_bytes`` is shared memory that the launch adds.

    Without ptxas there are no ``resources``; ``sass`` is empty where it was not asked for.
    """

    name: str
    grid: Dims
    block: Dims
    launches: int
    dynamic_bytes: int
    ptx: str
    resources: Resources | None
    sass: str

    @property
    def threads(self) -> int:
        """Threads of a block."""
        x, y, z = self.block
        return x * y * z

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block, declared and added by the launch."""
        return (self.resources.shared_bytes if self.resources else 0) + self.dynamic_bytes


@dataclass(frozen=True)
class HostFunction:
    """One function of a CPU variant: optimised LLVM and the assembly of this machine."""

    name: str
    llvm: str
    asm: str


@dataclass(frozen=True)
class Compiled:
    """One cell compiled for one architecture, such as ``sm_90a``; '' for the processor of this machine.

    ``reason`` says why there is nothing where there is nothing; ``failed`` where the compiler refuses, not the variant.
    """

    cell: Cell
    architecture: str = ""
    gpu: tuple[GpuFunction, ...] = ()
    host: tuple[HostFunction, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    reason: str = ""
    failed: bool = False
