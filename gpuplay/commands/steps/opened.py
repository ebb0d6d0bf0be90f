"""A kernel that a command has opened: its declaration, the workers that serve it, the GPU behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.commands.steps.gpus import find_gpu
from gpuplay.kernel import Kernel
from gpuplay.machine import describe
from gpuplay.machine.gpu import FoundGpu
from gpuplay.machine.model import GpuModel
from gpuplay.workers.crew import Crew


@dataclass
class Opened:
    """A kernel and its workers; of a user's file a worker has already loaded it."""

    origin: Origin
    kernel: Kernel
    crew: Crew
    _gpus: dict[int, FoundGpu] = field(default_factory=dict)

    @classmethod
    def of(cls, origin: Origin) -> Self:
        """Load the declaration: a bundled one here, any other in a worker."""
        crew = Crew(origin, threads=describe.machine().cores)
        if origin.kind == "bundled":
            return cls(origin, load_kernel(origin).kernel, crew)
        try:
            return cls(origin, crew.declaration(), crew)
        except BaseException:
            crew.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.close()

    def gpu(self, number: int = 0) -> FoundGpu:
        """The GPU of this number, asked for once."""
        if number not in self._gpus:
            self._gpus[number] = find_gpu(self.crew, number)
        return self._gpus[number]

    def gpu_here(self, number: int = 0) -> GpuModel | None:
        """The GPU of this number, if it can be used."""
        found = self.gpu(number)
        return None if found.reason else found.model
