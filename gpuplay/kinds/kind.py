"""What the rest of the house may ask of a target, as data: nobody asks for its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Compiler: TypeAlias = Literal["numba", "numba-cuda", ""]

ORDINARY = "ordinary"  # the worker of all that get along with Numba and NumPy


@dataclass(frozen=True)
class Kind:
    """The row of a target. References are written ``module:name`` and followed only when they are needed.

    Parameters
    ----------
    name : the part of a variant's name before the colon: a-z, digits and _.
    opens : the `gpuplay.targets.base.Target` that a worker opens: without arguments, on a GPU with the
        device's number and ``graph``, whether runs are captured and replayed.
    absent : a function that tells in one line why the target cannot run here and what mends it, '' where it
        can; on a GPU it gets the device's number. The main process calls it, so it imports neither numba nor
        numpy, and is quick. No reference: the target is always here.
    on_gpu : its arrays are in a GPU's memory: host threads do not matter, calls and transfers are figures of
        their own, a fault costs the worker, and the GPU's roofs are its own.
    interpreted : it computes on Python objects, one at a time.
    compiler : what compiles a variant's source, '' where that is somebody else's concern. What Numba compiles
        can be looked at, and how long it takes is told; what numba-cuda compiles, which launches through a
        `gpuplay.machine.model.Gpu`, also runs on the lockstep machine.
    worker : the process that it runs in. Targets share one where their libraries get along.
    libraries : a function of a worker that tells what this process calls: a mapping from what a library variant may
        declare, such as "BLAS", to name and version. No reference: NumPy's BLAS.
    variables : environment variables of that process, which libraries read when they are imported.
    """

    name: str
    opens: str
    absent: str = ""
    on_gpu: bool = False
    interpreted: bool = False
    compiler: Compiler = ""
    worker: str = ORDINARY
    libraries: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def stepped(self) -> bool:
        """Whether its variants run on the lockstep machine, too: verified and explained where there is no GPU."""
        return self.compiler == "numba-cuda"
